"""The small objects that a module holds: its windows, storage, clipboard and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from plataforma_sdk.module._context import Bridge

__all__ = ["ModuleClipboard", "ModulePermissions", "ModuleStorage", "ModuleWindow"]


@attrs.define(eq=False)
class ModuleWindow:
    """A window of the module, as the module sees it.

    Attributes:
        id: unique within the module.
        title: what the title bar shows.
        is_open: False once closed, by the module or by the user.
    """

    id: str
    title: str
    is_open: bool = True
    _call_now: Callable[[str, list[Any]], Any] = attrs.field(default=None, repr=False)

    def update(self, **changes: str | int) -> None:
        """Change ``title``, ``width`` or ``height``."""
        self._call_now("windows.update", [self.id, changes])
        self.title = str(changes.get("title", self.title))

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        if self.is_open:
            self.is_open = False
            self._call_now("windows.close", [self.id])


class ModulePermissions:
    """What the module may do, as the module sees it: it asks and checks, it never grants."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def has(self, name: str) -> bool:
        """Whether `name` is held now; cheap, and it sees a revocation at once."""
        return bool(self._bridge.call_now("permissions.has", [name]))

    def require(self, name: str) -> None:
        """Raise `PermissionDeniedError` unless `name` is held."""
        self._bridge.call_now("permissions.require", [name])

    async def request(self, name: str, reason: str) -> bool:
        """Ask the person for a declared permission, with the reason in the module's own words; no answer is a no."""
        return bool(await self._bridge.call("permissions.request", [name, reason]))


class ModuleStorage:
    """Key-value storage of the module's own, kept between runs. Needs ``system.storage``."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def get(self, key: str) -> Any:
        """Return the value, or None."""
        return await self._bridge.call("storage.get", [key])

    async def set(self, key: str, value: Any) -> None:
        """Keep a value; `QuotaExceededError` where it does not fit."""
        await self._bridge.call("storage.set", [key, value])

    async def delete(self, key: str) -> bool:
        """Forget a value; tell whether there was one."""
        return bool(await self._bridge.call("storage.delete", [key]))

    async def keys(self, prefix: str = "") -> list[str]:
        """List the keys that begin with `prefix`, sorted."""
        return list(await self._bridge.call("storage.keys", [prefix]))


class ModuleClipboard:
    """The person's clipboard. Needs ``system.clipboard``."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def read(self) -> str:
        """Return the clipboard's text."""
        return str(await self._bridge.call("clipboard.read", []))

    async def write(self, text: str) -> None:
        """Replace the clipboard's text."""
        await self._bridge.call("clipboard.write", [text])
