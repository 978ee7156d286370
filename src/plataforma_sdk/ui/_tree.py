"""Trees as plain data: written by a module, checked by the host.

A node is ``{"type", "key", "props", "children"}``. Its key is its parent's key, a dot, and its own: the one that the
author gave, or else its place; so keys are unique in the tree, and a keyed element keeps its key when others come
before it: ``"0.2.1"``, ``"0.total"``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from plataforma_sdk.errors import RenderError, TreeLimitError, UnknownElementError
from plataforma_sdk.ui._check import check_props, spec_of
from plataforma_sdk.ui._element import MAX_NODES, Element

__all__ = ["MAX_TREE_DEPTH", "find_element", "form_fields", "to_data", "validate_tree", "walk"]

MAX_TREE_DEPTH: Final = 24
"""Levels of a tree: each is two of the codec's 64, and the deepest property of the deepest element must fit as well."""

_KEY: Final = re.compile(r"[A-Za-z0-9_#.-]{1,2048}", re.ASCII)
_NODE_KEYS: Final = frozenset({"type", "key", "props", "children"})


def to_data(
    element: object, *, max_nodes: int = MAX_NODES, max_depth: int = MAX_TREE_DEPTH, module: str | None = None
) -> dict[str, Any]:
    """Write a tree as plain data. Property values are shared with the elements, which never change.

    Raises:
        RenderError: `element` is something else, two siblings have one key, or a form's field comes twice.
        TreeLimitError: more than `max_nodes` elements, or deeper than `max_depth` levels.

    >>> from plataforma_sdk import ui
    >>> to_data(ui.column(ui.badge("new", key="b")))["children"][0]["key"]
    '0.b'
    """
    if not isinstance(element, Element):
        raise RenderError(_not_an_element(element), module=module)
    return _Writer(max_nodes, max_depth, module).write(element, element.key or "0", 1)


def validate_tree(
    data: object,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_TREE_DEPTH,
    plugin_elements: Container[str] | None = None,
    module: str | None = None,
) -> dict[str, Any]:
    """Check a tree that a guest sent, against the catalogue that its builders should have used, and return it anew.

    Args:
        data: plain data, as the codec decoded it; an untrusted guest may have sent anything.
        max_nodes: elements that it may have.
        max_depth: levels that it may have.
        plugin_elements: types of the plugins' elements that this host knows; None for any ``vendor.name``.
        module: id of the module, for messages.

    Raises:
        UnknownElementError: an element or property that is not in the catalogue.
        RenderError: not a tree, a property that does not hold what it may, a key that comes twice.
        TreeLimitError: more than `max_nodes` elements, or deeper than `max_depth` levels.
    """
    return _Reader(max_nodes, max_depth, module, plugin_elements).read(data, "0", 1)


def walk(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through the nodes of a tree, each before its children."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node["children"]))


def find_element(tree: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Find a node by its whole key, or by the key that its author gave if only one node of the tree has it."""
    suffix = f".{key}"
    named = []
    for node in walk(tree):
        if node["key"] == key:
            return node
        if node["key"].endswith(suffix):
            named.append(node)
    return named[0] if len(named) == 1 else None


def form_fields(form: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Collect the fields of a form by name, in order.

    Raises:
        RenderError: a name comes twice, or a form stands inside the form.
    """
    fields: dict[str, Mapping[str, Any]] = {}
    for node in walk(form):
        if node["type"] == "form" and node is not form:
            raise RenderError(f"A form stands inside the form {form['key']!r}; put it beside it")
        spec = spec_of(node["type"])
        if spec is None or not spec.is_field:
            continue
        name = node["props"]["name"]
        if name in fields:
            raise RenderError(f"The form {form['key']!r} has two fields {name!r}; give each a name of its own")
        fields[name] = node
    return fields


class _Limits:
    """Counts the nodes of one tree; the depth is refused before the recursion that it would cost."""

    def __init__(self, max_nodes: int, max_depth: int, module: str | None) -> None:
        self.max_nodes = max_nodes
        self.max_depth = max_depth
        self.module = module
        self.nodes = 0

    def enter(self, depth: int) -> None:
        self.nodes += 1
        if self.nodes > self.max_nodes:
            raise TreeLimitError("tree_nodes", used=self.nodes, limit=self.max_nodes, unit="nodes", module=self.module)
        if depth > self.max_depth:
            raise TreeLimitError(
                "tree_depth",
                used=depth,
                limit=self.max_depth,
                unit="levels",
                module=self.module,
                advice="nest fewer elements inside each other",
            )


class _Writer(_Limits):
    def write(self, element: Element, key: str, depth: int) -> dict[str, Any]:
        self.enter(depth)
        children = [
            self.write(child, f"{key}.{own}", depth + 1)
            for child, own in zip(element.children, self._own_keys(element), strict=True)
        ]
        node = {"type": element.type, "key": key, "props": dict(element.props), "children": children}
        if element.type == "form":
            form_fields(node)
        return node

    def _own_keys(self, element: Element) -> list[str]:
        keys = [child.key or str(place) for place, child in enumerate(element.children)]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise RenderError(
                f"Two children of ui.{element.type} have the key {twice.removeprefix('#')!r}; "
                "give each a key of its own, such as its row's id",
                module=self.module,
            )
        return keys


class _Reader(_Limits):
    def __init__(
        self, max_nodes: int, max_depth: int, module: str | None, plugin_elements: Container[str] | None
    ) -> None:
        super().__init__(max_nodes, max_depth, module)
        self._plugin_elements = plugin_elements
        self._keys: set[str] = set()

    def read(self, data: object, default_key: str, depth: int) -> dict[str, Any]:
        self.enter(depth)
        if not isinstance(data, dict) or not data.keys() <= _NODE_KEYS:
            raise RenderError(
                f"A node of the tree is not {{type, key, props, children}} but {_kind(data)}", module=self.module
            )
        element_type, key = self._type(data.get("type")), self._key(data.get("key", default_key))
        props, children = data.get("props", {}), data.get("children", [])
        if not isinstance(props, dict) or not isinstance(children, list):
            raise RenderError(f"Node {key!r}: props is a dict and children a list", module=self.module)
        node = {
            "type": element_type,
            "key": key,
            "props": check_props(element_type, props),
            "children": [self.read(child, f"{key}.{place}", depth + 1) for place, child in enumerate(children)],
        }
        self._check_family(node)
        return node

    def _type(self, element_type: Any) -> str:
        if spec_of(element_type) is None and not self._knows(element_type):
            raise UnknownElementError(f"This host has no plugin for the element {element_type!r}", module=self.module)
        return str(element_type)

    def _knows(self, element_type: str) -> bool:
        return self._plugin_elements is None or element_type in self._plugin_elements

    def _key(self, key: object) -> str:
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise RenderError("A node's key is letters, digits and _ # . - only", module=self.module)
        if key in self._keys:
            raise RenderError(f"Two nodes of the tree have the key {key[:80]!r}", module=self.module)
        self._keys.add(key)
        return key

    def _check_family(self, node: dict[str, Any]) -> None:
        spec = spec_of(node["type"])
        if spec is not None and spec.children is not None:
            for child in node["children"]:
                if child["type"] not in spec.children:
                    raise RenderError(f"ui.{node['type']} holds no ui.{child['type']}", module=self.module)
        if node["type"] == "form":
            form_fields(node)


def _kind(data: object) -> str:
    if isinstance(data, dict):
        return f"one with {', '.join(map(repr, sorted(map(str, data.keys() - _NODE_KEYS))))}"[:120]
    return f"a {type(data).__name__}"


def _not_an_element(value: object) -> str:
    advice = {
        str: "ui.text(...)",
        list: "ui.column(*elements)",
        tuple: "ui.column(*elements)",
        type(None): "an element; is a `return` missing?",
    }.get(type(value), "an element such as ui.column(...)")
    return f"The view returned a {type(value).__name__}, not an element; return {advice}"
