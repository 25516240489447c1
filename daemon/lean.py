"""Imports Twisted's foundations without what they import and never use, or use much later."""

from asgid.config.postponing import left_out, put_off

# Twisted has http.cookiejar for those who import it from there, and ctypes to look for what only Windows has.
with (
    put_off("http.cookiejar"),
    put_off("html", "escape"),
    put_off("pickle"),
    left_out("ctypes"),
):
    from twisted.internet import address as _address  # noqa: F401
