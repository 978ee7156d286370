"""Small builders for the syntax trees that the policy writes."""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["LOAD", "STORE", "call", "choose", "constant", "is_call_to", "name", "place", "test_type", "walrus"]

LOAD: Final = ast.Load()
STORE: Final = ast.Store()


def name(identifier: str, context: ast.expr_context = LOAD) -> ast.Name:
    """Write a name."""
    return ast.Name(identifier, context)


def constant(value: object) -> ast.Constant:
    """Write a constant."""
    return ast.Constant(value)  # type: ignore[arg-type]


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Write ``function(arguments)``."""
    return ast.Call(name(function), list(arguments), [])


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
    """Give a new tree the line of the one it replaces, so that tracebacks stay true."""
    return ast.copy_location(new, old)


def is_call_to(node: ast.AST, *functions: str) -> bool:
    """Whether `node` is ``f(...)`` with `f` one of the names."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
