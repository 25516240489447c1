from __future__ import annotations

import subprocess
import sys

import pytest

from asgid.config.postponing import left_out, put_off


def run(program: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


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
    with put_off("colorsys", "rgb_to_hls"):
        import colorsys as once_more
    assert once_more is again is colorsys is sys.modules["colorsys"]


def test_a_module_that_is_put_off_is_imported_by_the_first_call():
    run("""
import sys
from asgid.config.postponing import put_off
with put_off("colorsys", "rgb_to_hls"):
    from colorsys import rgb_to_hls as early
assert "colorsys" not in sys.modules
assert early(1, 1, b=1) == (0.0, 1.0, 0.0)
import colorsys
assert colorsys.rgb_to_hls is not early
""")


def test_what_else_is_asked_of_a_module_that_is_put_off_is_the_modules_own():
    run("""
import sys
from asgid.config.postponing import put_off
with put_off("colorsys"):
    import colorsys as early
assert "colorsys" not in sys.modules
function = early.rgb_to_hls
import colorsys
assert colorsys is not early and function is colorsys.rgb_to_hls
try:
    early.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error), error
else:
    raise AssertionError
""")


@pytest.mark.parametrize("use", ["from colorsys import rgb_to_yiq", "early.rgb_to_hls(1, 1, 1)"])
def test_a_module_that_is_needed_while_it_is_put_off_is_imported_at_once(use):
    run(f"""
import sys
from asgid.config.postponing import put_off
with put_off("colorsys", "rgb_to_hls"):
    import colorsys as early
    {use}
    import colorsys
    assert colorsys.__spec__ is not None
assert sys.modules["colorsys"] is colorsys
""")


def test_a_module_of_a_package_that_is_put_off_is_found_in_the_package_later():
    run("""
import importlib, sys
from asgid.config.postponing import put_off
with put_off("importlib.metadata", "entry_points"):
    from importlib.metadata import entry_points
assert not hasattr(importlib, "metadata")
import importlib.metadata
assert importlib.metadata.version("pydantic")
""")


def test_a_module_that_is_put_off_for_what_cannot_be_found_is_imported_as_ever():
    run("""
from asgid.config.postponing import put_off
with put_off("colorsys", "rgb_to_hls", needs="no_such_module"):
    import colorsys
assert colorsys.__spec__ is not None
""")
