"""One breadth-first look at a tree before it is transformed: its size, its depth, and every name it binds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from plataforma_sdk.errors import PolicyError

__all__ = ["MAX_DEPTH", "MAX_NODES", "MAX_SOURCE_CHARS", "bound_names", "walk_scope"]

MAX_SOURCE_CHARS: Final = 512 * 1024
MAX_NODES: Final = 120_000
MAX_DEPTH: Final = 80

_NAMED: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
)
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


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
            bound.update(_binds(node))
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return frozenset(bound)


def _binds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, _NAMED):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping):
        if node.rest:
            yield node.rest
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).split(".")[0]
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def walk_scope(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """Walk statements without entering the functions and classes defined in them; the definitions themselves count."""
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _SCOPES):
            pending.extend(ast.iter_child_nodes(node))
