"""Small builders for the syntax trees that the policy writes, and fast ways to walk them.

A module is compiled at each cold load, so these are written for speed: `ast.iter_child_nodes`, `ast.walk` and
`ast.fix_missing_locations` took two thirds of the policy's time, and a node's own constructor is slow since 3.13.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

__all__ = [
    "LEAVES",
    "LOAD",
    "STORE",
    "call",
    "children",
    "choose",
    "constant",
    "is_call_to",
    "locate",
    "name",
    "place",
    "test_type",
    "walk",
    "walrus",
]

LOAD: Final = ast.Load()
STORE: Final = ast.Store()
_new: Final[Any] = ast.AST.__new__

LEAVES: Final = frozenset({ast.Name, ast.Constant, ast.Global, ast.Nonlocal, ast.alias, ast.MatchSingleton, ast.Pass})
"""Kinds of nodes below which there is none."""

_PLAIN_FIELDS: Final = frozenset(
    [
        "ctx",
        "op",
        "ops",
        "id",
        "attr",
        "arg",
        "name",
        "module",
        "level",
        "kind",
        "type_comment",
        "conversion",
        "is_async",
        "simple",
        "rest",
        "kwd_attrs",
    ]
)
_FIELDS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    kind: () if kind in LEAVES else tuple(field for field in kind._fields if field not in _PLAIN_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Kind of node -> its fields that hold nodes or lists of nodes; operators and contexts are left out."""


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below `node`, in the order of the source; operators and contexts are left out."""
    found: list[ast.AST] = []
    fields = node.__dict__
    for field in _FIELDS[type(node)]:
        value = fields.get(field)
        if type(value) is list:
            found += value if None not in value else [item for item in value if item is not None]
        elif value is not None:
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and every node below it, operators and contexts left out."""
    pending = [node]
    while pending:
        found = pending.pop()
        yield found
        if type(found) not in LEAVES:
            pending += children(found)


def locate(node: ast.AST, line: int = 1, column: int = 0) -> None:
    """Give each new node the place of the nearest old one above it: what `ast.fix_missing_locations` does, faster."""
    fields = node.__dict__
    if "lineno" in fields:
        line, column = fields["lineno"], fields["col_offset"]
    elif type(node) not in _PLACELESS:
        node.lineno, node.col_offset = line, column  # type: ignore[attr-defined]
    for field in _FIELDS[type(node)]:
        value = fields.get(field)
        if type(value) is list:
            for item in value:
                if item is not None:
                    locate(item, line, column)
        elif value is not None:
            locate(value, line, column)


_PLACELESS: Final = frozenset(kind for kind in _FIELDS if "lineno" not in kind._attributes)  # noqa: SLF001 - public, by the documentation of ast


def name(identifier: str, context: ast.expr_context = LOAD) -> ast.Name:
    """Write a name."""
    made: ast.Name = _new(ast.Name)
    made.__dict__ = {"id": identifier, "ctx": context}
    return made


def constant(value: object) -> ast.Constant:
    """Write a constant."""
    return ast.Constant(value)  # type: ignore[arg-type]


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Write ``function(arguments)``."""
    made: ast.Call = _new(ast.Call)
    made.__dict__ = {"func": name(function), "args": list(arguments), "keywords": []}
    return made


def walrus(identifier: str, value: ast.expr) -> ast.NamedExpr:
    """Write ``(identifier := value)``."""
    return ast.NamedExpr(name(identifier, STORE), value)


def choose(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    """Write ``then if test else otherwise``."""
    return ast.IfExp(test, then, otherwise)


def test_type(value: ast.expr, operator: ast.cmpop, kind: str) -> ast.Compare:
    """Write ``type(value) <operator> kind``; the engine's own ``type``, which the module cannot shadow."""
    return ast.Compare(call("_type_", value), [operator], [name(kind)])


def place(new: ast.AST, old: ast.AST) -> ast.AST:
    """Give a new node the line of the one it replaces, so that tracebacks stay true; `locate` does the rest."""
    new.lineno, new.col_offset = old.lineno, old.col_offset  # type: ignore[attr-defined]
    return new


def is_call_to(node: ast.AST, *functions: str) -> bool:
    """Whether `node` is ``f(...)`` with `f` one of the names."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
