"""Collisions are looked up: what is found is what comparing every two would find."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from asgid.config.collisions import Entry, check_collisions
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


def document(texts: list[str]) -> tuple[Document, list[Entry]]:
    values = {"listeners": {f"l{i}": {"endpoint": text} for i, text in enumerate(texts)}}
    specs = [EndpointSpec(text, Place("f", i + 1)) for i, text in enumerate(texts)]
    entries = [Entry(f"l{i}", spec, claim(parse(spec.text))) for i, spec in enumerate(specs)]
    return Document("f", Path("/"), "", values), entries


@given(st.lists(STRINGS, max_size=8))
def test_those_are_found_that_cannot_be_had_with_one_before(texts):
    """Invariant: looking up finds the same listeners as comparing each with all before it."""
    made, entries = document(texts)
    found = {each.key.split(".")[1] for each in check_collisions(made, entries)}
    taken = [claim(parse(text)) for text in texts]
    wild = {each.port for each in taken if takes_ipv4_wildcard(each)}
    expected = {
        f"l{i}"
        for i, mine in enumerate(taken)
        if any(collide(mine, other, ipv6_only=getattr(mine, "port", None) in wild) for other in taken[:i])
    }
    assert found == expected
