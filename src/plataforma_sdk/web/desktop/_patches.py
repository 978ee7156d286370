"""The difference between two trees, as operations on nodes by key. See ``docs/reference/desktop-wire.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from plataforma_sdk.ui import walk
from plataforma_sdk.web.desktop._splices import longest_rising, splices

__all__ = ["Operation", "diff"]

Operation: TypeAlias = dict[str, Any]
Node: TypeAlias = Mapping[str, Any]

_SPLICED: Final = frozenset({"rows", "data", "options"})
"""Properties that hold lists of any length: what changed in them is sent, not the list."""


def diff(old: Node, new: Node) -> list[Operation] | None:
    """Return the operations that make `new` of `old`, to be applied in order.

    Both are checked trees, and neither is changed. Without the moves of whole subtrees from one parent to another:
    their keys tell where they stand, so that only a guest which makes its keys itself could have them.

    Returns:
        The operations, empty where the trees are alike; None where the whole tree has to be sent.

    >>> before = {"type": "text", "key": "0", "props": {"value": "a"}, "children": []}
    >>> diff(before, {**before, "props": {"value": "b"}})
    [{'op': 'props', 'key': '0', 'set': {'value': 'b'}, 'unset': []}]
    """
    if _name(old) != _name(new):
        return None
    found = list(_node(old, new))
    return found if _fits(old, found) else None


def _name(node: Node) -> tuple[str, str]:
    return node["key"], node["type"]


def _node(old: Node, new: Node) -> Iterator[Operation]:
    """Compare two nodes of one key and type."""
    yield from _props(new["key"], old["props"], new["props"])
    if old["children"] or new["children"]:
        yield from _children(new["key"], old["children"], new["children"])


def _props(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Operation]:
    if old == new and repr(old) == repr(new):
        return
    changed: dict[str, Any] = {}
    for name, value in new.items():
        before = old.get(name)
        if name in _SPLICED and isinstance(before, list) and isinstance(value, list):
            if found := splices(before, value):
                yield {"op": "rows", "key": key, "prop": name, "splice": found}
        elif name not in old or repr(before) != repr(value):
            changed[name] = value
    unset = [name for name in old if name not in new]
    if changed or unset:
        yield {"op": "props", "key": key, "set": changed, "unset": unset}


def _children(key: str, old: list[Node], new: list[Node]) -> Iterator[Operation]:
    before, after = {node["key"]: node for node in old}, {node["key"] for node in new}
    yield from ({"op": "remove", "key": gone} for gone in before if gone not in after)
    order = [child for child in before if child in after]
    stays = _staying(order, [node["key"] for node in new if node["key"] in before])
    previous: str | None = None
    for node in new:
        name = node["key"]
        if name not in stays:  # goes behind its neighbour: what is still to be moved may stand anywhere before
            is_new = name not in before
            if not is_new:
                order.remove(name)
            place = 0 if previous is None else order.index(previous) + 1
            order.insert(place, name)
            yield {"op": "insert", "key": key, "at": place, "node": node} if is_new else _move(name, place)
        previous = name
    for node in new:
        known = before.get(node["key"])
        if known is None:
            continue
        if known["type"] == node["type"]:
            yield from _node(known, node)
        else:
            yield {"op": "replace", "key": node["key"], "node": node}


def _move(key: str, place: int) -> Operation:
    return {"op": "move", "key": key, "at": place}


def _staying(old: list[str], new: list[str]) -> set[str]:
    """Return the keys that need not move."""
    if old == new:
        return set(new)
    place = {key: index for index, key in enumerate(old)}
    return {new[index] for index in longest_rising([place[key] for key in new])}


def _fits(tree: Node, operations: list[Operation]) -> bool:
    """Whether no key stands twice in the tree at any step, which would make a later operation mean another node."""
    if not any("node" in operation for operation in operations):
        return True
    nodes = {node["key"]: node for node in walk(tree)}
    for operation in operations:
        if operation["op"] in {"remove", "replace"}:
            for gone in walk(nodes[operation["key"]]):
                nodes.pop(gone["key"], None)
        for came in walk(operation["node"]) if "node" in operation else ():
            if came["key"] in nodes:
                return False
            nodes[came["key"]] = came
    return True
