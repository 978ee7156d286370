"""Which lists of a function stay its own: nobody else can reach them, and they hold numbers alone.

::

    xs = [i * 3 for i in range(9)]      a display or comprehension of numbers, and no other value
    for x in xs: ...                    `x` is a number; the turns are known before, unless the body appends
    xs.append(n); xs[i] = n             another number
    xs[i]; len(xs); sum(xs)             read, and not kept
    ys = xs; f(xs); return xs; ...      anything else: an alias may come of it, so nothing is known

A name that an inner function, lambda, class or generator expression mentions is not private: those run at any time.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox.restricted._scan import SCOPES, walk_scope
from plataforma_sdk.sandbox.restricted._trees import constant, walk

__all__ = ["Uses", "appends_to", "is_list_of", "uses_of"]

_READERS: Final = frozenset({"len", "sum", "min", "max", "any", "all", "sorted"})
"""Builtins that keep no reference to their only argument, and do not return it."""


@attrs.define
class Uses:
    """How a function uses some of its names.

    Attributes:
        names: the names that are asked about; those that may have an alias are taken out.
        stored: name -> what is put into the list that it means.
    """

    names: set[str]
    stored: dict[str, list[ast.expr]] = attrs.field(factory=dict)
    _seen: set[int] = attrs.field(factory=set)

    def allow(self, node: ast.AST, value: ast.expr | None = None) -> None:
        """Note that this mention of a name makes no alias; `value` is put into its list."""
        if isinstance(node, ast.Name) and node.id in self.names:
            self._seen.add(id(node))
            if value is not None:
                self.stored.setdefault(node.id, []).append(value)

    def mention(self, node: ast.Name) -> None:
        """Take the name out, unless this mention was allowed by what stands above it, or binds it."""
        if isinstance(node.ctx, ast.Load) and id(node) not in self._seen:
            self.names.discard(node.id)

    def forget(self, *nodes: ast.AST) -> None:
        """Take out what is mentioned in code that runs later."""
        for node in nodes:
            self.names.difference_update([part.id for part in walk(node) if isinstance(part, ast.Name)])


def is_list_of(value: ast.expr, is_number: Callable[[ast.expr], bool], inside: Callable[[Any], Any]) -> bool:
    """Whether `value` makes a list of numbers; `inside` tells what is known inside of a comprehension."""
    if isinstance(value, ast.ListComp):
        return bool(inside(value).is_number(value.elt))
    return isinstance(value, ast.List) and all(map(is_number, value.elts))


def uses_of(body: list[ast.stmt], names: Iterable[str], bound: frozenset[str]) -> Uses:
    """Look at each mention of the names in a function's body, what stands above it first."""
    found = Uses(set(names))
    for node in walk_scope(body):
        kind = type(node)
        if kind is ast.Name:
            found.mention(node)  # type: ignore[arg-type]
        elif kind in SCOPES:
            found.forget(node)
        else:
            look = _LOOKS.get(kind)
            if look is not None:
                look(found, node, bound)
    return found


def _look_at_loop(found: Uses, node: ast.For | ast.comprehension, _: frozenset[str]) -> None:
    found.allow(node.iter)


def _look_at_generator(found: Uses, node: ast.GeneratorExp, _: frozenset[str]) -> None:
    first = node.generators[0]  # its iterable is the only part that is evaluated at once
    found.forget(node.elt, first.target, *first.ifs, *node.generators[1:])


def _look_at_call(found: Uses, node: ast.Call, bound: frozenset[str]) -> None:
    if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return
    match node.func:
        case ast.Name(id=function) if function in _READERS and function not in bound:
            found.allow(node.args[0])
        case ast.Attribute(value=ast.Name() as receiver, attr="append"):
            found.allow(receiver, node.args[0])


def _look_at_subscript(found: Uses, node: ast.Subscript, _: frozenset[str]) -> None:
    if isinstance(node.ctx, ast.Load):
        found.allow(node.value)


def _look_at_assignment(found: Uses, node: ast.Assign, _: frozenset[str]) -> None:
    match node.targets:
        case [ast.Subscript(value=ast.Name() as receiver, slice=index)] if not isinstance(index, ast.Slice):
            found.allow(receiver, node.value)


def _look_at_augmented(found: Uses, node: ast.AugAssign, _: frozenset[str]) -> None:
    match node.target:
        case ast.Subscript(value=ast.Name() as receiver, slice=index) if not isinstance(index, ast.Slice):
            item = ast.Subscript(receiver, constant(0), ast.Load())
            found.allow(receiver, ast.BinOp(item, node.op, node.value))


_LOOKS: Final[dict[type, Callable[[Uses, Any, frozenset[str]], None]]] = {
    ast.For: _look_at_loop,
    ast.comprehension: _look_at_loop,
    ast.GeneratorExp: _look_at_generator,
    ast.Call: _look_at_call,
    ast.Subscript: _look_at_subscript,
    ast.Assign: _look_at_assignment,
    ast.AugAssign: _look_at_augmented,
}


def appends_to(name: str, nodes: Iterable[ast.AST]) -> bool:
    """Whether a method of the private list `name` is called, which can only be the one that makes it longer."""
    return any(
        isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == name
        for node in nodes
        for part in walk(node)
    )
