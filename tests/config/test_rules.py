"""Every code has a page, and what the pages show is what the lint says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asgid.config import codes, plan
from asgid.config.loading import load_bytes
from asgid.config.rules import RULES
from asgid.config.rules.base import Rule
from support.host import Host

HERE = Path(__file__).parent
NAMES = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)}
SECTIONS = ["What it does", "Why is this bad", "Example", "Use instead"]
WITHOUT_TOML = {
    codes.UNREADABLE: "tests/config/test_reading.py",
    codes.NOT_UTF8: "tests/config/test_reading.py",
}
"""The rules of the file alone whose page shows no TOML, and where they are tested."""

APPLICATION = '\n[application]\ntarget = "mysite.asgi:application"\n'
LISTENER = '\n[listeners.main]\naddress = "127.0.0.1"\nport = 8000\n'
ABOUT_THE_WHOLE_FILE = {codes.NO_LISTENER, codes.NO_TARGET}


def sections(rule: type[Rule]) -> dict[str, str]:
    _, *parts = re.split(r"^## (.+)\n", rule.page(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def example(rule: type[Rule], section: str) -> str:
    """The TOML of a section, with what a whole file needs besides."""
    (text,) = re.findall(r"^```toml\n(.*?)^```$", sections(rule)[section], flags=re.MULTILINE | re.DOTALL)
    if rule.code in ABOUT_THE_WHOLE_FILE:
        return text
    text += "" if "[application]" in text else APPLICATION
    return text + ("" if "[listeners." in text else LISTENER)


def findings(text: str):
    return load_bytes("listeners.toml", HERE, text.encode()).diagnostics


STATIC = [rule for code, rule in RULES.items() if code < "ASG8" and code not in WITHOUT_TOML]


def test_every_name_has_a_rule_and_every_rule_a_name():
    assert set(RULES) == NAMES
    assert list(RULES) == sorted(RULES)
    assert all(re.fullmatch(r"ASG[0-9]{3}", code) for code in RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_page_has_what_a_page_has(rule):
    assert list(sections(rule)) == SECTIONS
    assert all(text.strip() for text in sections(rule).values())
    assert rule.title
    assert rule.title[0].islower() or rule.title.startswith("the ")
    assert rule.title[-1].isalnum()
    assert rule.severity not in rule.weaker


@pytest.mark.parametrize("rule", STATIC, ids=lambda rule: rule.code)
def test_a_rule_finds_its_bad_example_and_nothing_else_there(rule):
    found = findings(example(rule, "Example"))
    if rule.code == codes.MISSING_KEY:  # the one table with a key that must be there is not available yet
        found = [each for each in found if each.code != codes.NOT_AVAILABLE]
    assert [(each.code, each.severity) for each in found] == [(rule.code, rule.severity)]


@pytest.mark.parametrize("rule", STATIC, ids=lambda rule: rule.code)
def test_a_rule_is_silent_about_its_good_example(rule):
    found = findings(example(rule, "Use instead"))
    assert rule.code not in {each.code for each in found}
    assert {each.code for each in found} <= {codes.NOT_AVAILABLE}


@pytest.mark.parametrize(("code", "where"), WITHOUT_TOML.items())
def test_what_has_no_toml_is_tested_elsewhere(code, where):
    name = next(name for name, value in vars(codes).items() if value == code)
    assert f"codes.{name}" in (HERE.parents[1] / where).read_text()


def test_a_code_stands_for_one_rule():
    with pytest.raises(ValueError, match="ASG101 is UnknownKey already"):
        type("Again", (Rule,), {}, code=codes.UNKNOWN_KEY, severity="error", title="again")


HOST = Host(addresses={"lo": ("127.0.0.1", "::1"), "eth0": ("10.0.0.4",), "eth1": ("10.0.0.5",)})
OF_THE_PLAN = {
    codes.INTERFACE_ABSENT: HOST,
    codes.NO_SUCH_FAMILY: HOST,
    codes.NO_IPV6: Host(ipv6=False),
    codes.NO_SUCH_USER: HOST,
    codes.NO_SUCH_GROUP: HOST,
}
"""What a plan finds, and the host that its page tells of."""


@pytest.mark.parametrize("code", OF_THE_PLAN)
def test_a_page_about_a_host_shows_what_is_found_on_that_host(code):
    def found(section):
        loaded = load_bytes("listeners.toml", HERE, example(RULES[code], section).encode())
        assert loaded.diagnostics == ()
        made = plan(loaded.config, OF_THE_PLAN[code])
        return [each.code for each in (*made.diagnostics, *made.listeners[0].problems)]

    assert found("Example") == [code]
    assert found("Use instead") == []
