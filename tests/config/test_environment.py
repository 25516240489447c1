"""Environment files mean what systemd makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config.environment import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=b\n", {"A": "b"}),
        ("A=b", {"A": "b"}),
        ("A = b \n", {"A": "b"}),
        ("A=\nB=", {"A": "", "B": ""}),
        ("A=a\nA=b\n", {"A": "b"}),
        ("# x\n; y\nA=b # not a comment\n", {"A": "b # not a comment"}),
        ("A='b  c' \n", {"A": "b  c"}),
        ("A='b'\"c\"d\n", {"A": "bcd"}),
        ("A='b' c\n", {"A": "bc"}),
        ("A='two\nlines'\n", {"A": "two\nlines"}),
        ("A=b\\\nc\n", {"A": "bc"}),
        ('A="b\\\nc"\n', {"A": "bc"}),
        ("A=b\\ \n", {"A": "b "}),
        ("A=b\\n\n", {"A": "bn"}),
        (r'A="\n\"\$\`\\"', {"A": '\\n"$`\\'}),
        (r"A='\n\"\$'", {"A": r"\n\"\$"}),
        ("A=it's\n", {"A": "it's"}),
        ("A=$B\n", {"A": "$B"}),
        ("A=b\r\nC=d\r\n", {"A": "b", "C": "d"}),
        ("# a \\\nB=c\n", {"B": "c"}),
        ("A=b\\", {"A": "b"}),
        # From systemd's own test-env-file.c.
        ("a=a\nb=b\\\nc\nd= d\\\ne  \\\nf  \ng=g\\ \nh= ąęół\\ śćńźżμ \ni=i\\",
         {"a": "a", "b": "bc", "d": "de  f", "g": "g ", "h": "ąęół śćńźżμ", "i": "i"}),
        ("a=\\ \\n \\t \\x \\y \\' \nb= \\$' \nc= ' \\n\\t\\$\\`\\\\\n'   \nd= \" \\n\\t\\$\\`\\\\\n\"   \n",
         {"a": " n t x y '", "b": "$'", "c": " \\n\\t\\$\\`\\\\\n", "d": " \\n\\t$`\\\n"}),
    ],
)  # fmt: skip
def test_a_file_gives_the_variables_that_systemd_takes_from_it(text, expected):
    parsed = parse(text)
    assert parsed.variables == expected
    assert parsed.problems == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("A=b\nexport C=d\n", 2, "export"),
        ("\n\n1A=b\n", 3, "1A"),
        ("A B=c\n", 1, "A B"),
        ("=c\n", 1, "no ="),
        ("just words\nA=b\n", 1, "no ="),
        ("A=b\nwords", 2, "no ="),
        ("A=b\\\nc\nB\\=d\n", 3, "variable"),
        ("A=\x1b[0m\n", 1, "control"),
        ("A='b\n\n", 1, "not closed"),
    ],
)
def test_what_systemd_would_skip_is_a_problem_with_its_line(text, line, words):
    (problem,) = parse(text).problems
    assert problem.line == line
    assert words in problem.message


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), st.text(max_size=20)))
def test_values_in_double_quotes_come_back_as_they_were(variables):
    variables = {
        name: text for name, text in variables.items() if not any(c < " " or c == "\x7f" for c in text)
    }
    lines = [
        f'{name}="' + "".join(f"\\{c}" if c in '"\\`$' else c for c in text)
        for name, text in variables.items()
    ]
    assert parse('"\n'.join([*lines, ""])).variables == variables


@given(st.text(st.sampled_from("AB=\n\r \\'\"#;$\0é\t1") | st.characters()))
def test_any_text_is_taken_without_an_exception(text):
    """Invariant: parse returns; names are names, values hold no control characters but tab and newline."""
    for name, value in parse(text).variables.items():
        assert name.isidentifier()
        assert not any((c < " " and c not in "\t\n") or c == "\x7f" for c in value)
