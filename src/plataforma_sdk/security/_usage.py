"""Reads off a source what it asks of its host: ``self.api_call("/vendas/...")`` needs ``api.vendas[GET]``.

Only what is written literally can be read; what is computed is passed over, and said to be so. The permission comes
from the same table that the host obeys, `module.OPERATIONS`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.module import OPERATIONS
from plataforma_sdk.permissions import parse_permission

__all__ = ["Use", "uses_of"]


@attrs.frozen
class Use:
    """One call by which a module asks for something.

    Attributes:
        line: where it stands.
        method: the host's function, ``"api.call"``; ``"ui"`` for an element.
        alternatives: permissions of which one suffices; empty where none is needed.
        args: the literal arguments.
        any_scope: whether any scope of the permission will do as far as this can be told.
        problem: what the table says against it, or empty.
        is_computed: whether an argument that decides is not literal.
        is_guarded: whether the source itself catches a refusal.
    """

    line: int
    method: str
    alternatives: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()
    any_scope: bool = False
    problem: str = ""
    is_computed: bool = False
    is_guarded: bool = False


class _Computed:
    """Stands for an argument that is not literal."""


COMPUTED: Final = _Computed()


def _api(call: _Call) -> list[Any]:
    return [call.get(0, "path"), {"method": call.get(None, "method", "GET")}]


def _window(call: _Call) -> list[Any]:
    return [{"id": call.get(None, "id", "main"), "modal": call.get(None, "modal", False)}]


_SELF: Final[dict[str, tuple[str, Callable[[_Call], list[Any]]]]] = {
    "api_call": ("api.call", _api),
    "emit": ("events.emit", lambda call: [call.get(0, "topic"), None]),
    "subscribe": ("events.subscribe", lambda call: [0, call.get(0, "topic")]),
    "request": ("events.request", lambda call: [call.get(0, "topic"), None, 1]),
    "create_window": ("windows.create", _window),
    "query": ("database.query", lambda _call: ["", []]),
    "execute": ("database.execute", lambda _call: ["", []]),
    "notify": ("system.notify", lambda _call: ["", ""]),
    "register_endpoint": ("api.register", lambda call: [0, call.get(0, "path"), []]),
}
_PARTS: Final[dict[tuple[str, str], str]] = {
    **{("storage", name): f"storage.{name}" for name in ("get", "set", "delete", "keys")},
    **{("clipboard", name): f"clipboard.{name}" for name in ("read", "write")},
}
_WRITTEN: Final = re.compile(r"/[^/]+/|https?://[^/]+/", re.IGNORECASE)
"""How a computed path begins whose permission can be told: ``f"/vendas/{id}"``, ``f"https://host/{id}"``."""
_ASKED: Final = frozenset({"has", "require", "request"})


class _Call:
    """The arguments of a call, as far as they are literal."""

    def __init__(self, node: ast.Call) -> None:
        self._node = node
        self.is_computed = False

    def get(self, place: int | None, name: str, default: Any = COMPUTED) -> Any:
        found = next((word.value for word in self._node.keywords if word.arg == name), None)
        if found is None and place is not None and place < len(self._node.args):
            found = self._node.args[place]
        if found is None:
            return default
        value = _literal(found)
        self.is_computed |= value is COMPUTED
        return value


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        begin = str(node.values[0].value)
        return begin if _WRITTEN.match(begin) else COMPUTED
    try:
        return ast.literal_eval(node)
    except ValueError:
        return COMPUTED


def uses_of(tree: ast.AST, module: str) -> Iterator[Use]:
    """Yield what a source asks of its host, in its order."""
    guarded = _guarded_calls(tree)
    for node in sorted((node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=lambda node: node.lineno):
        found = _use_of(node, module)
        if found is not None:
            yield attrs.evolve(found, is_guarded=node in guarded)


def _guarded_calls(tree: ast.AST) -> set[ast.AST]:
    """Find the calls whose refusal is caught by its own name; a bare ``except Exception`` may well be a mistake."""
    tries = (node for node in ast.walk(tree) if isinstance(node, ast.Try) and any(map(_catches_refusal, node.handlers)))
    return {inner for node in tries for statement in node.body for inner in ast.walk(statement)}


def _catches_refusal(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and "PermissionDeniedError" in ast.unparse(handler.type)


def _use_of(node: ast.Call, module: str) -> Use | None:
    match node.func:
        case ast.Attribute(value=ast.Name(id="ui"), attr=name):
            return Use(node.lineno, "ui", args=(name,))
        case ast.Attribute(value=ast.Attribute(value=ast.Name(), attr="permissions"), attr=name) if name in _ASKED:
            return _asked(node)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(), attr=part), attr=name) if (part, name) in _PARTS:
            return _needed(node.lineno, _PARTS[part, name], [], module)
        case ast.Attribute(value=ast.Name(), attr=name) if name in _SELF:
            method, read = _SELF[name]
            call = _Call(node)
            args = read(call)
            if call.is_computed or COMPUTED in args:
                return Use(node.lineno, method, is_computed=True)
            return _needed(node.lineno, method, args, module)
    return None


def _asked(node: ast.Call) -> Use:
    call = _Call(node)
    name = call.get(0, "name")
    if not isinstance(name, str):
        return Use(node.lineno, "permissions", is_computed=True)
    try:
        parse_permission(name)
    except PlataformaError as error:
        return Use(node.lineno, "permissions", args=(name,), problem=error.message)
    return Use(node.lineno, "permissions", (name,))


def _needed(line: int, method: str, args: list[Any], module: str) -> Use:
    try:
        needs = OPERATIONS[method].needs(module, args)
        for need in needs:
            for name in need.alternatives:
                parse_permission(name)  # a topic or host that no permission can name: ``self.request("GET", url)``
    except (PlataformaError, TypeError, AttributeError) as error:
        return Use(line, method, args=tuple(args), problem=getattr(error, "message", str(error)))
    # A window needs two names where it is modal; the first is enough to tell it apart, the second comes by its own use.
    alternatives = needs[-1].alternatives if needs else ()
    return Use(line, method, alternatives, tuple(args), any_scope=bool(needs and needs[0].any_scope))
