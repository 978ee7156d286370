"""A host in memory, for trying a module with the standard library alone."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from plataforma_sdk import codec
from plataforma_sdk.errors import HostCallError, TransportError
from plataforma_sdk.module._operations import OPERATIONS, Need, own_topic
from plataforma_sdk.permissions import PermissionManager

__all__ = ["FakeBridge"]


class FakeBridge:
    """Serves a module from memory, checks permissions as a real host does, and records what the module did.

    Attributes:
        permissions: the `PermissionManager` that decides; grant and revoke while the module runs.
        calls: every call that was allowed, ``(method, args)``.
        events: events emitted, ``(topic, data)``.
        windows: settings of the open windows by id.
        stored: what the module stored.
        notifications: ``(title, body)``.
        clipboard: the clipboard's text.
        api: path -> answer of `api_call`; a callable answer is called with the call's options.

    >>> bridge = FakeBridge(["events.emit"], module_id="vendas")
    >>> bridge.call_now("events.emit", ["saved", {"id": 7}])
    >>> bridge.events
    [('module.vendas.saved', {'id': 7})]
    """

    def __init__(
        self, permissions: Iterable[str] = (), *, module_id: str = "fake", api: Mapping[str, Any] | None = None
    ) -> None:
        self.permissions = PermissionManager(permissions, module=module_id)
        self.calls: list[tuple[str, list[Any]]] = []
        self.events: list[tuple[str, Any]] = []
        self.windows: dict[str, dict[str, Any]] = {}
        self.stored: dict[str, Any] = {}
        self.notifications: list[tuple[str, str]] = []
        self.clipboard = ""
        self.api: dict[str, Any] = dict(api or {})
        self._module_id = module_id

    def call_now(self, method: str, args: list[Any]) -> Any:
        """Serve an immediate call."""
        return codec.copy_value(self._serve(method, args))

    async def call(self, method: str, args: list[Any]) -> Any:
        """Serve an awaited call."""
        result = self._serve(method, args)
        return codec.copy_value(await result if inspect.isawaitable(result) else result)

    def _serve(self, method: str, args: list[Any]) -> Any:
        args = codec.copy_value(args)
        operation = OPERATIONS.get(method)
        if operation is None:
            raise HostCallError("UnknownMethod", f"the host has no function {method!r}")
        for need in operation.needs(self._module_id, args):
            self._require(need)
        self.calls.append((method, args))
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        return handler(*args) if handler else None

    def _require(self, need: Need) -> None:
        if need.any_scope and self.permissions.has_any(need.alternatives[0]):
            return
        self.permissions.require(*need.alternatives)

    def _events_emit(self, topic: str, data: Any) -> None:
        self.events.append((own_topic(self._module_id, topic), data))

    def _windows_create(self, settings: dict[str, Any]) -> None:
        self.windows[settings["id"]] = settings

    def _windows_close(self, window_id: str) -> None:
        self.windows.pop(window_id, None)

    def _windows_update(self, window_id: str, changes: dict[str, Any]) -> None:
        self.windows[window_id].update(changes)

    def _permissions_has(self, name: str) -> bool:
        return self.permissions.has(name)

    def _permissions_require(self, name: str) -> None:
        self.permissions.require(name)

    async def _permissions_request(self, name: str, reason: str) -> bool:
        return await self.permissions.request(name, reason)

    def _api_call(self, path: str, options: dict[str, Any]) -> Any:
        if path not in self.api:
            raise TransportError(f"The fake host has no answer for {path!r}: ModuleContext.fake(api={{{path!r}: ...}})")
        answer = self.api[path]
        return answer(options) if callable(answer) else answer

    def _storage_get(self, key: str) -> Any:
        return self.stored.get(key)

    def _storage_set(self, key: str, value: Any) -> None:
        self.stored[key] = value

    def _storage_delete(self, key: str) -> bool:
        return self.stored.pop(key, None) is not None

    def _storage_keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.stored if key.startswith(prefix))

    def _system_notify(self, title: str, body: str) -> None:
        self.notifications.append((title, body))

    def _clipboard_read(self) -> str:
        return self.clipboard

    def _clipboard_write(self, text: str) -> None:
        self.clipboard = text

    def _database_query(self, _sql: str, _params: Any) -> list[dict[str, Any]]:
        return []

    def _database_execute(self, _sql: str, _params: Any) -> int:
        return 0

    def _asset_read(self, path: str) -> bytes:
        raise HostCallError("FileNotFoundError", f"the fake host has no asset {path!r}")
