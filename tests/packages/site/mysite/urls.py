import subprocess
import sys
import tempfile

import pydantic
import twisted
from django.db import connection
from django.http import JsonResponse
from django.urls import path


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


urlpatterns = [path("", about)]
