"""What differs between two trees, in words; and a tree as text that stays the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plataforma_sdk.testing._node import Node

__all__ = ["explain_difference", "snapshot_of"]

_MAX_LINES = 20
_MAX_VALUE_CHARS = 80


def explain_difference(actual: Mapping[str, Any] | Node, expected: Mapping[str, Any] | Node) -> list[str]:
    """Say where two trees differ, an element at a time: ``0.2 ui.metric: value is 7, expected 8``."""
    lines = list(_differences(_data(actual), _data(expected)))
    return lines if len(lines) <= _MAX_LINES else [*lines[:_MAX_LINES], f"and {len(lines) - _MAX_LINES} more"]


def _differences(actual: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    where = f"{actual['key']} ui.{actual['type']}"
    if actual["type"] != expected["type"]:
        yield f"{where}: expected ui.{expected['type']}"
        return
    if actual["key"] != expected["key"]:
        yield f"{where}: expected the key {expected['key']}"
    given, wanted = actual["props"], expected["props"]
    for name in sorted(given.keys() | wanted.keys()):
        if given.get(name) != wanted.get(name):
            yield f"{where}: {name} is {_shown(given, name)}, expected {_shown(wanted, name)}"
    yield from _children(actual, expected, where)


def _children(actual: Mapping[str, Any], expected: Mapping[str, Any], where: str) -> Iterator[str]:
    mine, theirs = actual["children"], expected["children"]
    for left, right in zip(mine, theirs, strict=False):
        yield from _differences(left, right)
    for left in mine[len(theirs) :]:
        yield f"{where}: holds {Node(left)!r}, which was not expected"
    for right in theirs[len(mine) :]:
        yield f"{where}: lacks {Node(right)!r}"


def _shown(props: Mapping[str, Any], name: str) -> str:
    if name not in props:
        return "absent"
    text = repr(props[name])
    return text if len(text) <= _MAX_VALUE_CHARS else f"{text[: _MAX_VALUE_CHARS - 3]}..."


def snapshot_of(tree: Mapping[str, Any] | Node) -> str:
    """Write a tree as lines that a person can read and that do not change from run to run.

    >>> from plataforma_sdk import ui
    >>> print(snapshot_of(ui.to_data(ui.column(ui.text("Oi"), ui.button("Mais", on_press=ui.action("more", 2))))))
    column 0
      text 0.0 value='Oi'
      button 0.1 label='Mais' on_press=more(2)
    """
    return "\n".join(_lines(_data(tree), 0))


def _lines(data: Mapping[str, Any], depth: int) -> Iterator[str]:
    words = [f"{name}={_word(name, value)}" for name, value in sorted(data["props"].items())]
    yield "  " * depth + " ".join([data["type"], data["key"], *words])
    for child in data["children"]:
        yield from _lines(child, depth + 1)


def _word(name: str, value: Any) -> str:
    if name.startswith("on_"):
        return f"{value['handler']}({', '.join(map(repr, value.get('arguments', ())))})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {value[key]!r}" for key in sorted(value)) + "}"
    return repr(value)


def _data(tree: Mapping[str, Any] | Node) -> Mapping[str, Any]:
    return tree.data if isinstance(tree, Node) else tree
