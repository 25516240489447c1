"""Every case against the real command over real sockets, with nothing in front of it."""

from __future__ import annotations

import json

import pytest

from conformance.cases import CASES
from conformance.exchange import Seen, answers, play, seen, witness
from conformance.model import MARKER_TARGET, Case, Refused, Taken
from support.raw import Raw


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with witness(tmp_path_factory.mktemp("witness")) as server:
        yield server.first.place
        assert server.stop() == 0
        assert "ERROR" not in server.err.text
        assert "Traceback" not in server.err.text


def expected(case: Case) -> list[Taken]:
    marker = [Taken(MARKER_TARGET, closes=True)] if case.stays_open else []
    return [*case.taken, *marker]


def check(entry: Seen, taken: Taken) -> None:
    """The application saw just this."""
    assert (entry.method, entry.target, entry.version) == (taken.method, taken.target, taken.version)
    assert entry.body is not None
    assert entry.body.encode("latin-1") == taken.body
    names = {name for name, _ in taken.fields}
    assert [tuple(pair) for pair in entry.headers if pair[0] in names] == list(taken.fields)
    assert not {name for name, _ in entry.headers} & set(taken.without)


def check_refusal(response, outcome: Refused, *, bodiless: bool) -> None:
    assert response.status in outcome.statuses
    assert response.one("connection") == "close"
    assert response.one("server") == "asgid"
    assert response.one("date")
    assert response.one("content-type") == "text/plain; charset=utf-8"
    assert response.complete
    if not bodiless:
        assert 0 < len(response.body) < 80


@pytest.mark.parametrize("case", CASES, ids=[case.ident for case in CASES])
def test_the_verdict_is_the_tables(place, case):
    responses = answers(case, play(place, case))
    entries = seen(place)
    whole = [entry for entry in entries if entry.body is not None]
    wanted = expected(case)
    assert [(entry.method, entry.target) for entry in whole] == [(one.method, one.target) for one in wanted]
    for entry, taken in zip(whole, wanted, strict=True):
        check(entry, taken)
    for response, entry in zip(responses, whole, strict=False):
        assert response.status == 200
        assert response.complete
        if entry.method != "HEAD":
            assert json.loads(response.body)["target"] == entry.target
    rest = responses[len(whole) :]
    last = case.outcome[-1]
    if isinstance(last, Refused):
        (response,) = rest
        check_refusal(response, last, bodiless=case.data.startswith(b"HEAD"))
    elif case.leaves:
        assert all(response.status >= 400 for response in rest)
    else:
        assert not rest
    assert not case.waits or 100 in responses[0].interim


def test_a_case_that_is_cut_anywhere_has_the_same_verdict(place):
    """One request of each kind, each byte in a segment of its own."""
    for case in CASES[::20]:
        if case.waits or len(case.data) > 300:
            continue
        with Raw(place) as client:
            try:
                for byte in case.data:
                    client.send(bytes((byte,)))
                client.half_close()
            except OSError:
                pass  # it was refused before its end
            client.read_to_end()
        whole = [entry for entry in seen(place) if entry.body is not None]
        assert [(entry.method, entry.target) for entry in whole] == [
            (one.method, one.target) for one in case.taken
        ]
