"""Values of a file in which one key is set."""

from __future__ import annotations

WAYS = {
    "address": {"address": "127.0.0.1", "port": 1},
    "interface": {"interface": "eth0", "port": 1},
    "unix": {"unix": "/x"},
    "systemd": {"systemd": "a"},
    "fd": {"fd": 3},
    "endpoint": {"endpoint": "tcp:1"},
}


def tree_with(key, *value) -> dict:
    """A good file's values with ``key``, a ``KeyInfo``, set to ``value``; or, without one, taken away."""
    name = key.name if key.name in WAYS else key.ways[0] if key.ways else "fd"
    tree = {"application": {"target": "a:a"}, "listeners": {"one": dict(WAYS[name])}}
    if key.table == "proxy":
        tree["proxy"] = {"trusted": ["unix", "::1"]}
    at = tree
    *tables, last = key.dotted.replace("NAME", "one").split(".")
    for table in tables:
        at = at.setdefault(table, {})
    if value:
        at[last] = value[0]
    else:
        at.pop(last, None)
    return tree
