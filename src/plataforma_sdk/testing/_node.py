"""One element of a tree, as a test looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plataforma_sdk.ui import walk

__all__ = ["Node", "NodeNotFoundError", "find_nodes"]

_WORDS = ("label", "title", "value", "text", "name")
"""Properties by which a person would name an element."""


class NodeNotFoundError(LookupError):
    """No element of the tree is what a test looked for, or more than one is."""


class Node:
    """An element of a tree.

    Attributes:
        data: ``{"type", "key", "props", "children"}``.

    >>> Node({"type": "button", "key": "0", "props": {"label": "Save"}, "children": []}).text
    'Save'
    """

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    @property
    def type(self) -> str:
        """Its type, ``"button"``."""
        return str(self.data["type"])

    @property
    def key(self) -> str:
        """Its whole key, ``"0.2.save"``."""
        return str(self.data["key"])

    @property
    def props(self) -> Mapping[str, Any]:
        """Its properties."""
        found: Mapping[str, Any] = self.data["props"]
        return found

    @property
    def children(self) -> list[Node]:
        """The elements in it."""
        return [Node(child) for child in self.data["children"]]

    @property
    def text(self) -> str:
        """What a person would call it: its text, label, title or name; empty where it has none."""
        return next((str(self.props[word]) for word in _WORDS if isinstance(self.props.get(word), str)), "")

    @property
    def actions(self) -> dict[str, Mapping[str, Any]]:
        """Event -> ``{"handler", "arguments"}``."""
        return {name: action for name, action in self.props.items() if name.startswith("on_")}

    def find_all(self, type: str | None = None, text: str | None = None, **props: Any) -> list[Node]:  # noqa: A002
        """Find the elements in it; see `ModulePilot.find`."""
        return list(find_nodes(self.data, type, text, props))

    def find(self, type: str | None = None, text: str | None = None, **props: Any) -> Node:  # noqa: A002
        """Find the one element in it; see `ModulePilot.find`."""
        return the_one(self.data, type, text, props)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.data == other.data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<ui.{self.type} {self.key} {self.text!r}>" if self.text else f"<ui.{self.type} {self.key}>"


def find_nodes(tree: Mapping[str, Any], kind: str | None, text: str | None, props: Mapping[str, Any]) -> Iterator[Node]:
    """Yield the elements that match all that is given, in the order of the tree."""
    for data in walk(tree):
        node = Node(data)
        if kind is not None and node.type != kind:
            continue
        if text is not None and not any(node.props.get(word) == text for word in _WORDS):
            continue
        if all(_matches(node, name, value) for name, value in props.items()):
            yield node


def _matches(node: Node, name: str, value: Any) -> bool:
    if name == "key":
        return value in (node.key, node.key.rpartition(".")[2])
    return bool(node.props.get(name) == value)


def the_one(tree: Mapping[str, Any], kind: str | None, text: str | None, props: Mapping[str, Any]) -> Node:
    """Return the element that matches.

    Raises:
        NodeNotFoundError: none does, or several do; the message lists what comes near.
    """
    found = list(find_nodes(tree, kind, text, props))
    if len(found) == 1:
        return found[0]
    wanted = ", ".join(
        [*([f"type {kind!r}"] if kind else []), *([f"text {text!r}"] if text is not None else [])]
        + [f"{name}={value!r}" for name, value in props.items()]
    )
    if found:
        raise NodeNotFoundError(f"{len(found)} elements have {wanted}: {_listed(found)}; say more, or take find_all")
    near = list(find_nodes(tree, kind, None, {})) if kind else list(find_nodes(tree, None, text, {}))
    every = near or list(find_nodes(tree, None, None, {}))
    raise NodeNotFoundError(f"no element has {wanted}; there are {_listed(every)}")


def _listed(nodes: list[Node]) -> str:
    shown = ", ".join(map(repr, nodes[:12]))
    return shown if len(nodes) <= 12 else f"{shown} and {len(nodes) - 12} more"  # noqa: PLR2004
