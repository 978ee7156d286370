"""`Element`: one node of a tree, and the budget of nodes that one render may make."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import attrs

from plataforma_sdk.errors import RenderError, TreeLimitError
from plataforma_sdk.ui._check import check_props, spec_of

__all__ = ["MAX_NODES", "Child", "Element", "build", "element", "node_budget"]

MAX_NODES: Final = 20_000
"""Elements of one tree, where the host sets no other limit."""

MAX_KEY_CHARS: Final = 64
_KEY: Final = re.compile(rf"#[0-9]+|[A-Za-z0-9_-]{{1,{MAX_KEY_CHARS}}}", re.ASCII)
_MAX_INT_KEY: Final = 2**63
_MAX_NESTED_LISTS: Final = 16


class _Budget:
    """Counts the elements that one render makes."""

    __slots__ = ("limit", "module", "used")

    def __init__(self, limit: int, module: str | None) -> None:
        self.limit = limit
        self.module = module
        self.used = 0

    def count(self) -> None:
        self.used += 1
        if self.used > self.limit:
            used, self.used = self.used, 0  # the module may catch this, and then must be able to show that it did
            raise TreeLimitError("tree_nodes", used=used, limit=self.limit, unit="nodes", module=self.module)


_budget: Final[ContextVar[_Budget | None]] = ContextVar("plataforma_node_budget", default=None)


@contextlib.contextmanager
def node_budget(max_nodes: int, *, module: str | None = None) -> Iterator[None]:
    """Bound the elements made inside the block, so that the limit is raised where the module can catch it.

    Elements that never enter the tree count too. Once raised, the count begins anew: what a view that caught the error
    shows instead is made of elements as well, and `to_data` counts the tree itself in any case.

    Raises:
        TreeLimitError: inside the block, from the builder that made one element too many.

    >>> with node_budget(1):
    ...     element("text", value="only one")
    <Element text>
    """
    token = _budget.set(_Budget(max_nodes, module))
    try:
        yield
    finally:
        _budget.reset(token)


@attrs.frozen(init=False, repr=False)
class Element:
    """One node of a tree, checked against the catalogue when it is made. Builders make them; authors seldom do.

    Attributes:
        type: name in the catalogue, or ``vendor.name``.
        props: property -> plain value, actions as ``{"handler", "arguments"}``; what was not set is left out.
        children: elements inside this one; texts have become ``text`` elements.
        key: what tells it from its siblings, or None for its place among them.

    >>> Element("heading", {"text": "Vendas"}).props["text"]
    'Vendas'
    """

    type: str
    props: Mapping[str, Any]
    children: tuple[Element, ...]
    key: str | None

    def __init__(
        self,
        type: str,  # noqa: A002 - the word of the wire
        props: Mapping[str, Any] | None = None,
        children: Iterable[Child] = (),
        key: str | int | None = None,
    ) -> None:
        """Check and normalise: an element that exists is fit to be shown."""
        budget = _budget.get()
        if budget is not None:
            budget.count()
        self.__attrs_init__(
            type,
            MappingProxyType(check_props(type, props or {})),
            _checked_children(type, children),
            _checked_key(type, key),
        )

    def __repr__(self) -> str:
        """Name the element without its content, which may be thousands of nodes."""
        key = f" {self.key!r}" if self.key is not None else ""
        size = f" of {len(self.children)}" if self.children else ""
        return f"<Element {self.type}{key}{size}>"


Child: TypeAlias = "Element | str | Iterable[Child] | None"
"""What may stand inside an element: elements, texts, None (nothing), and lists of these."""


def build(element_type: str, children: Iterable[Child] = (), key: str | int | None = None, /, **props: Any) -> Element:
    """Make an element; properties that are None are left out."""
    return Element(element_type, props, children, key)


def element(type: str, /, *children: Child, key: str | int | None = None, **props: Any) -> Element:  # noqa: A002
    """Make an element by its name: a plugin's, ``ui.element("vendor.gauge", value=3)``, or one of the catalogue.

    Properties named ``on_...`` are actions. A viewer that does not know a plugin's element shows its children.

    Raises:
        UnknownElementError: neither in the catalogue nor written ``vendor.name``; the nearest name is told.
    """
    return build(type, children, key, **props)


def _checked_children(parent: str, children: Iterable[Any]) -> tuple[Element, ...]:
    if not children:
        return ()
    flat = tuple(_flatten(parent, children, 0))
    spec = spec_of(parent)
    allowed = spec.children if spec is not None else None
    if allowed is None or not flat:
        return flat
    if not allowed:
        raise RenderError(f"ui.{parent} holds no children; put them beside it, in ui.column(...) or ui.row(...)")
    for child in flat:
        if child.type not in allowed:
            names = " or ".join(f"ui.{name}(...)" for name in allowed)
            raise RenderError(f"ui.{parent} holds {names} only, not ui.{child.type}")
    return flat


def _flatten(parent: str, children: Iterable[Any], level: int) -> Iterator[Element]:
    if level > _MAX_NESTED_LISTS:
        raise RenderError(f"The children of ui.{parent} are lists nested deeper than {_MAX_NESTED_LISTS} levels")
    for child in children:
        if isinstance(child, Element):
            yield child
        elif isinstance(child, str):
            yield build("text", value=child)
        elif isinstance(child, (list, tuple, Generator)):
            yield from _flatten(parent, child, level + 1)
        elif child is not None:
            raise RenderError(_child_problem(parent, child))


def _child_problem(parent: str, child: object) -> str:
    advice = "write ui.text(value)"
    if isinstance(child, bool):
        advice = "write `child if condition else None`"
    elif callable(child):
        advice = "call the function that makes it"
    return f"A child of ui.{parent} is a {type(child).__name__}, not an element, text or None; {advice}"


def _checked_key(element_type: str, key: object) -> str | None:
    """Accept a text or a number; digits alone are marked, so that they never equal a place among siblings."""
    if key is None:
        return None
    text = str(key) if isinstance(key, int) and not isinstance(key, bool) and abs(key) < _MAX_INT_KEY else key
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise RenderError(
            f"ui.{element_type}: key is not a number or at most {MAX_KEY_CHARS} letters, digits, - and _: {text!r:.80}"
        )
    return f"#{text}" if text.isdigit() else str.__str__(text)
