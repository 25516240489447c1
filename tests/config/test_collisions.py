"""Collisions are looked up: what is found, and how often two sockets are compared for it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from asgid.config import codes, collisions
from asgid.config.collisions import check_collisions, claims
from asgid.config.document import Document
from asgid.config.endpoints import parse
from asgid.config.places import EndpointSpec, Place
from asgid.config.sockets import claim, collide, takes_ipv4_wildcard

STRINGS = (
    st.builds(
        r"{}:{}:interface={}{}".format,
        st.sampled_from(["tcp", "asgid-tcp"]),
        st.sampled_from([0, 1, 2]),
        st.sampled_from(["127.0.0.1", "10.0.0.1", "0.0.0.0", r"\:\:", r"\:\:1", r"fd00\:\:1"]),
        st.just(""),
    )
    | st.builds(
        r"asgid-tcp:1:interface={}:device={}".format,
        st.sampled_from(["127.0.0.1", "0.0.0.0", r"\:\:"]),
        st.sampled_from(["a", "b"]),
    )
    | st.sampled_from(["unix:/a", "unix:/b", "fd:3", "asgid-systemd:x"])
)


def document(texts: list[str]) -> tuple[Document, dict[str, tuple[EndpointSpec, ...]]]:
    values = {"listeners": {f"l{i}": {"endpoint": text} for i, text in enumerate(texts)}}
    specs = {f"l{i}": (EndpointSpec(text, Place("f", i + 1)),) for i, text in enumerate(texts)}
    return Document("f", Path("/"), "", values), specs


@given(st.lists(STRINGS, max_size=8))
def test_those_are_found_that_cannot_be_had_with_one_before(texts):
    """Invariant: looking up finds the same listeners as comparing each with all before it."""
    made, specs = document(texts)
    found = {each.key.split(".")[1] for each in check_collisions(made, claims(specs))}
    taken = [claim(parse(text)) for text in texts]
    wild = {each.port for each in taken if takes_ipv4_wildcard(each)}
    expected = {
        f"l{i}"
        for i, mine in enumerate(taken)
        if any(collide(mine, other, ipv6_only=getattr(mine, "port", None) in wild) for other in taken[:i])
    }
    assert found == expected


def test_the_work_grows_with_the_listeners_and_not_with_their_pairs(monkeypatch):
    compared = []
    monkeypatch.setattr(collisions, "collide", lambda *a, **k: bool(compared.append(1)) or collide(*a, **k))
    addresses = [f"10.{a}.{b}.1" for a, b in product(range(20), range(50))]
    texts = [f"tcp:1:interface={each}" for each in addresses]
    texts += [rf"asgid-tcp:1:interface=fd00\:\:{n:x}" for n in range(1, 1001)]
    made, specs = document([*texts, "tcp:1:interface=0.0.0.0", *texts[:1000]])
    found = list(check_collisions(made, claims(specs)))
    assert {each.code for each in found} == {codes.COLLISION}
    assert len(found) == 1001
    assert len(compared) < 3 * 3001
