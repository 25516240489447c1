import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pydantic
import twisted
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.urls import path

from mysite.probes import tried


def about(request):
    """What a project does: a database, a temporary file, a program, its own versions of packages."""
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists visits (at text)")
        cursor.execute("insert into visits values (datetime())")
    with tempfile.NamedTemporaryFile() as temporary:
        temporary.write(b"x")
    child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    return JsonResponse(
        {
            "pydantic": pydantic.VERSION,
            "twisted": twisted.__version__,
            "prefix": sys.prefix,
            "child": child.stdout.strip(),
            "uvloop": sys.modules["uvloop"].__file__,
        }
    )


def forbidden(request, name):
    """What the unit forbids, tried by the application: what came of it, and how many filters it has."""
    filters = re.search(r"^Seccomp_filters:\s+(\d+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return HttpResponse(f"{tried(name)} {filters[1]}")


urlpatterns = [path("", about), path("forbidden/<name>", forbidden)]
