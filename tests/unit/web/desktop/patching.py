"""Patches as a client applies them: the reference."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from plataforma_sdk.ui import walk


def apply(tree: Mapping[str, Any], operations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tree that operations make of `tree`."""
    root: dict[str, Any] = {"key": "", "children": [copy.deepcopy(dict(tree))]}
    for operation in copy.deepcopy(list(operations)):
        key = operation["key"]
        if operation["op"] == "insert":
            _find(root, key)["children"].insert(operation["at"], operation["node"])
        elif operation["op"] in {"remove", "move", "replace"}:
            siblings, place = _siblings(root, key)
            node = siblings.pop(place)
            if operation["op"] == "move":
                siblings.insert(operation["at"], node)
            elif operation["op"] == "replace":
                siblings.insert(place, operation["node"])
        else:
            _change(_find(root, key)["props"], operation)
    return root["children"][0]


def _change(props: dict[str, Any], operation: Mapping[str, Any]) -> None:
    if operation["op"] == "rows":
        for start, deleted, items in operation["splice"]:
            props[operation["prop"]][start : start + deleted] = items
        return
    assert operation["op"] == "props"
    props.update(operation["set"])
    for name in operation["unset"]:
        del props[name]


def _find(root: dict[str, Any], key: str) -> dict[str, Any]:
    (found,) = (node for node in walk(root) if node["key"] == key)
    return found


def _siblings(root: dict[str, Any], key: str) -> tuple[list[dict[str, Any]], int]:
    ((siblings, place),) = (
        (parent["children"], place)
        for parent in walk(root)
        for place, node in enumerate(parent["children"])
        if node["key"] == key
    )
    return siblings, place
