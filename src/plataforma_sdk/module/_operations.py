"""Every function that a module may ask of its host, and the permission that each needs.

One table for all tiers: the host's `ApiProxy` obeys it, and so does the fake host of `ModuleContext.fake`. A function
that is not in the table does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from plataforma_sdk.errors import PermissionDeniedError, TransportError
from plataforma_sdk.types import module_segment

__all__ = ["OPERATIONS", "RENDER_SAFE", "Need", "Operation", "own_topic"]

_RELATIVE: Final = re.compile(r"/([a-z0-9_-]+)(?=[/?]|\Z)", re.ASCII)
_ABSOLUTE: Final = re.compile(r"https://([a-z0-9.-]+)(?::443)?(?=[/?]|\Z)", re.ASCII)
_METHOD: Final = re.compile(r"[A-Z]{1,16}", re.ASCII)


@attrs.frozen
class Need:
    """One permission that must be held.

    Attributes:
        alternatives: names of which any one suffices; a denial reports the first.
        any_scope: whether a grant of any scope will do here, because the service itself checks each scope.
    """

    alternatives: tuple[str, ...]
    any_scope: bool = False


@attrs.frozen
class Operation:
    """One function of the host.

    Attributes:
        method: its name on the wire, ``"storage.get"``.
        arity: how many arguments it takes.
        immediate: answered at once, on the module's own turn; otherwise awaited.
        needs: ``(module_id, args)`` -> what must be held, all of it.
        is_network: whether it counts as a network request.
    """

    method: str
    arity: int
    immediate: bool
    needs: Callable[[str, Sequence[Any]], tuple[Need, ...]]
    is_network: bool = False


def _nothing(_module: str, _args: Sequence[Any]) -> tuple[Need, ...]:
    return ()


def _plain(name: str, *, any_scope: bool = False) -> Callable[[str, Sequence[Any]], tuple[Need, ...]]:
    need = (Need((name,), any_scope),)
    return lambda _module, _args: need


def _subscribe(_module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    return (Need((f"events.subscribe[{args[1]}]",)),)


def _emit(module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    return (Need((f"events.emit[{own_topic(module, args[0])}]",)),)


def _request(_module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    return (Need((f"events.emit[{args[0]}]",)),)


def _window(_module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    create = Need(("window.create",))
    return (create, Need(("window.modal",))) if args[0].get("modal") else (create,)


def _update(_module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    return _window(_module, [args[1]])


def _api(_module: str, args: Sequence[Any]) -> tuple[Need, ...]:
    """Read the permission off the text itself, before anything decodes it.

    The first segment must be literal, so that what is permitted and what is sent cannot differ by an encoding.
    Source: CVE-2021-41773, a path that was checked before it was decoded.
    """
    path, options = args
    method = options.get("method", "GET")
    if not isinstance(path, str) or not isinstance(method, str) or not _METHOD.fullmatch(method):
        raise TransportError("api_call takes a path and an upper-case method such as 'GET'")
    external = _ABSOLUTE.match(path)
    if external:
        return (Need((f"api.external[{external[1]}]",)),)
    relative = _RELATIVE.match(path)
    if not relative:
        raise TransportError(
            f"{path[:120]!r} is neither a path such as '/vendas/clientes', its first segment in [a-z0-9_-], "
            "nor a URL such as 'https://api.example.com/v1'"
        )
    return (Need((f"api.{relative[1]}[{method}]", f"api.internal[{method}]")),)


def own_topic(module: str, topic: str) -> str:
    """Write a topic in the module's own namespace: ``"saved"`` of ``vendas`` is ``"module.vendas.saved"``.

    Raises:
        PermissionDeniedError: the topic belongs to another module or to the platform; no grant opens those.
    """
    prefix = f"module.{module_segment(module)}."
    if topic.startswith(prefix):
        return topic
    if topic.startswith(("module.", "plataforma.")):
        raise PermissionDeniedError(
            f"events.emit[{topic}]",
            module=module,
            reason="not its namespace",
            advice=f"a module emits under {prefix!r} only: emit('saved') is '{prefix}saved'",
        )
    return prefix + topic


def _table(*operations: Operation) -> Mapping[str, Operation]:
    return {operation.method: operation for operation in operations}


OPERATIONS: Final = _table(
    Operation("log", 3, True, _nothing),
    Operation("clock.now", 0, True, _nothing),
    Operation("events.emit", 2, True, _emit),
    Operation("events.subscribe", 2, True, _subscribe),
    Operation("events.unsubscribe", 1, True, _nothing),
    Operation("api.register", 3, True, _nothing),
    Operation("windows.create", 1, True, _window),
    Operation("windows.update", 2, True, _update),
    Operation("windows.close", 1, True, _nothing),
    Operation("windows.invalidate", 1, True, _nothing),
    Operation("timers.start", 2, True, _nothing),
    Operation("timers.stop", 1, True, _nothing),
    Operation("permissions.has", 1, True, _nothing),
    Operation("permissions.require", 1, True, _nothing),
    Operation("permissions.request", 2, False, _nothing),
    Operation("api.call", 2, False, _api, is_network=True),
    Operation("database.query", 2, False, _plain("database.read", any_scope=True)),
    Operation("database.execute", 2, False, _plain("database.write", any_scope=True)),
    Operation("storage.get", 1, False, _plain("system.storage")),
    Operation("storage.set", 2, False, _plain("system.storage")),
    Operation("storage.delete", 1, False, _plain("system.storage")),
    Operation("storage.keys", 1, False, _plain("system.storage")),
    Operation("system.notify", 2, False, _plain("system.notifications")),
    Operation("clipboard.read", 0, False, _plain("system.clipboard")),
    Operation("clipboard.write", 1, False, _plain("system.clipboard")),
    Operation("events.request", 3, False, _request),
    Operation("asset.read", 1, False, _nothing),
)
"""Method -> `Operation`. A test walks the table and proves that each is refused without its permission."""

RENDER_SAFE: Final = frozenset({"log", "permissions.has", "clock.now"})
"""What a view may ask while it renders; whatever changes the world belongs into a handler."""
