from __future__ import annotations

import subprocess
import sys

import pytest

from asgid.daemon.net.imports import left_out


def test_a_module_that_is_left_out_cannot_be_imported_until_the_end():
    sys.modules.pop("this", None)
    with left_out("this"), pytest.raises(ModuleNotFoundError):
        import this  # noqa: F401
    assert "this" not in sys.modules


def test_a_module_that_was_imported_before_stays():
    import colorsys

    with left_out("colorsys"):
        assert sys.modules["colorsys"] is colorsys
        import colorsys as again
    assert again is colorsys is sys.modules["colorsys"]


def test_the_reactor_speaks_tls_although_the_module_ssl_waits_for_who_wants_it():
    program = """
import sys
import asgid.daemon.net.reactor
assert "twisted.internet.ssl" not in sys.modules
from twisted.internet import posixbase, ssl
assert posixbase.tls is not None
assert ssl.CertificateOptions is not None
"""
    subprocess.run([sys.executable, "-c", program], check=True)
