"""One breadth-first look at a tree before it is transformed: its size, its depth, and every name it binds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, Final

from plataforma_sdk.errors import PolicyError
from plataforma_sdk.sandbox.restricted._trees import LEAVES, children

__all__ = ["BINDS", "MAX_DEPTH", "MAX_NODES", "MAX_SOURCE_CHARS", "SCOPES", "bound_names", "walk_scope"]

MAX_SOURCE_CHARS: Final = 512 * 1024
MAX_NODES: Final = 48_000
MAX_DEPTH: Final = 80

_NAMED: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
)
SCOPES: Final = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef})


def bound_names(tree: ast.AST, file: str) -> frozenset[str]:
    """Return every name that is bound anywhere in `tree`; a builtin among them is no longer known to be the builtin.

    Raises:
        PolicyError: more than `MAX_NODES` nodes, or nested deeper than `MAX_DEPTH`.
    """
    bound: set[str] = set()
    level: list[ast.AST] = [tree]
    count = depth = 0
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DEPTH or count > MAX_NODES:
            what = f"deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"more than {MAX_NODES:,} nodes"
            line = getattr(level[0], "lineno", None)
            raise PolicyError(f"{file}: the code is too large ({what}); split it", file=file, rule="size", line=line)
        for node in level:
            binds = BINDS.get(type(node))
            if binds is not None:
                bound.update(binds(node))
        level = [child for node in level for child in children(node)]
    return frozenset(bound)


def _named(node: Any) -> tuple[str, ...]:
    return (node.name,) if node.name else ()


BINDS: Final[dict[type, Callable[[Any], Iterable[str]]]] = {
    ast.Name: lambda node: () if isinstance(node.ctx, ast.Load) else (node.id,),
    ast.arg: lambda node: (node.arg,),
    ast.MatchMapping: lambda node: (node.rest,) if node.rest else (),
    ast.alias: lambda node: ((node.asname or node.name).split(".")[0],),
    ast.Global: lambda node: node.names,
    ast.Nonlocal: lambda node: node.names,
} | dict.fromkeys(_NAMED, _named)
"""Kind of node -> the names that it binds."""


def walk_scope(statements: list[ast.stmt]) -> list[ast.AST]:
    """List the nodes of statements, each before those below it, without entering the functions and classes inside.

    The definitions themselves count, and what of them is evaluated out here: defaults, decorators, bases.
    """
    found: list[ast.AST] = []
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        found.append(node)
        kind = type(node)
        if kind in LEAVES:
            continue
        if kind not in SCOPES:
            pending += children(node)
            continue
        arguments = getattr(node, "args", None)
        for field in ("decorator_list", "bases", "keywords"):
            pending += getattr(node, field, ())
        if arguments is not None:
            pending += [item for item in (*arguments.defaults, *arguments.kw_defaults) if item is not None]
    return found
