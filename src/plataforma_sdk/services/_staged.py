"""What a version writes before it takes over: kept aside, and stored at once and whole when it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from plataforma_sdk import codec

if TYPE_CHECKING:
    from plataforma_sdk.services._storage import KeyValueStorage

__all__ = ["Changes", "StagedStorage"]

Changes: TypeAlias = "Mapping[bytes, bytes | None]"
"""Key -> value as encoded; None where the key goes."""


class StagedStorage:
    """A storage as a new version sees it: with its own writes, which nobody else sees until `commit`.

    The old version goes on to read and write what is stored. Where the new one fails, what it wrote was never there;
    nor was it where the process is killed.

    >>> from plataforma_sdk.services import KeyValueStorage
    >>> async def main():
    ...     async with KeyValueStorage(None, "vendas") as storage:
    ...         staged = StagedStorage(storage)
    ...         await staged.set("filtro", "Brazil")
    ...         before = await storage.get("filtro"), await staged.get("filtro")
    ...         await staged.commit()
    ...         return before, await storage.get("filtro")
    >>> asyncio.run(main())
    ((None, 'Brazil'), 'Brazil')
    """

    def __init__(self, base: KeyValueStorage) -> None:
        self._base = base
        self._changes: dict[bytes, bytes | None] | None = {}
        self._used_bytes = 0

    async def get(self, key: str) -> Any:
        """Return the value of `key` as this version sees it, or None; raises as `KeyValueStorage.get`."""
        name = self._base.check_key(key)
        if self._changes is None or name not in self._changes:
            return await self._base.get(key)
        data = self._changes[name]
        return None if data is None else codec.decode(data)

    async def set(self, key: str, value: Any) -> None:
        """Keep `value` under `key`; raises as `KeyValueStorage.set`, at `commit` for what is stored already."""
        if self._changes is None:
            await self._base.set(key, value)
            return
        self._keep(self._changes, self._base.check_key(key), codec.encode(value).encode())

    async def delete(self, key: str) -> bool:
        """Forget `key`; tell whether it was there."""
        if self._changes is None:
            return await self._base.delete(key)
        was_there = key in await self.keys(key)
        if was_there and self._changes is not None:
            self._keep(self._changes, self._base.check_key(key), None)
        return was_there

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with `prefix`, in order of their UTF-8 bytes."""
        stored = {key.encode() for key in await self._base.keys(prefix)}
        for name, data in (self._changes or {}).items():
            if data is None:
                stored.discard(name)
            elif name.startswith(prefix.encode()):
                stored.add(name)
        return [name.decode() for name in sorted(stored)]

    async def commit(self) -> None:
        """Store everything in one transaction; from now on every call goes straight to the storage.

        Cancelled meanwhile, it puts back what was stored.

        Raises:
            QuotaExceededError: it does not fit; nothing is stored.
            HostCallError: the file cannot be written.
        """
        changes, self._changes = self._changes, None
        if not changes:
            return
        storing = asyncio.ensure_future(self._base.apply(changes))
        try:
            await asyncio.shield(storing)
        except asyncio.CancelledError:
            await self._base.apply(await storing)
            raise

    def _keep(self, changes: dict[bytes, bytes | None], name: bytes, data: bytes | None) -> None:
        """Take note of a change; it waits in the host's memory, so there may be no more than the storage holds."""
        size = len(name) + len(data or b"")
        used = self._used_bytes + size - (len(name) + len(changes[name] or b"") if name in changes else 0)
        self._base.check_room(used, len(changes) + (name not in changes))
        self._used_bytes = used
        changes[name] = data
