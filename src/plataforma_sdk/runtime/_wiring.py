"""Makes the services of a host, and those of each module, out of what the host was given."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from plataforma_sdk.api import (
    ApiClient,
    AsgiTransport,
    AuthTransport,
    EndpointTable,
    ExternalTransport,
    HttpTransport,
    RoutingTransport,
    Transport,
)
from plataforma_sdk.errors import HostCallError, TransportError
from plataforma_sdk.runtime._parts import ModuleServices
from plataforma_sdk.services import (
    Clipboard,
    Database,
    DatabaseAccess,
    KeyValueStorage,
    MemoryClipboard,
    NotificationCenter,
    SqliteDatabase,
)

if TYPE_CHECKING:
    from plataforma_sdk.api import ApiAuth
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PermissionManager
    from plataforma_sdk.sandbox import ResourceMonitor
    from plataforma_sdk.services._staged import Changes

__all__ = ["ServiceFactory"]

ApiSource = Transport | Callable[..., Awaitable[None]] | str
DatabaseSource = str | os.PathLike[str] | Database


class ServiceFactory:
    """Holds what the modules of one host share, and makes what each has for itself.

    Attributes:
        endpoints: endpoints of all modules.
        notifications: what modules want the person to know.
        clipboard: the person's clipboard.
    """

    def __init__(
        self,
        *,
        api: ApiSource | None,
        api_auth: ApiAuth | None,
        database: DatabaseSource | None,
        clipboard: Clipboard | None,
        storage_dir: Path | None,
        subject: str,
        on_endpoint_error: Callable[[str, BaseException], None],
    ) -> None:
        self.endpoints = EndpointTable(on_error=on_endpoint_error)
        self.notifications = NotificationCenter()
        self.clipboard = clipboard or MemoryClipboard()
        self._subject = subject
        self._storage_dir = storage_dir
        self._asgi: AsgiTransport | None = None
        self._api = self._transport(api)
        if self._api is not None and api_auth is not None:
            self._api = AuthTransport(self._api, api_auth)
        self._router = RoutingTransport(endpoints=self.endpoints, api=self._api, external=_external())
        self._owns_database = isinstance(database, (str, os.PathLike))
        self._database = SqliteDatabase(database) if isinstance(database, (str, os.PathLike)) else database

    async def start(self) -> None:
        """Run the application's lifespan."""
        if self._asgi is not None:
            await self._asgi.startup()

    async def close(self) -> None:
        """Free what was opened here; a database that was given stays open."""
        if self._asgi is not None:
            await self._asgi.shutdown()
        await self._router.aclose()
        if self._database is not None and self._owns_database:
            await self._database.close()

    def make(
        self,
        package: ModulePackage,
        permissions: PermissionManager,
        monitor: ResourceMonitor,
        storage: KeyValueStorage | None = None,
    ) -> ModuleServices:
        """Make the services of one module; a reloaded one goes on with the `storage` that it had."""
        storage = storage or _MeteredStorage(self._storage_dir, package.id, monitor)
        database = _ModuleDatabase(self._database, package.id, permissions)

        async def close() -> None:
            await storage.aclose()
            await database.release()

        return ModuleServices(
            api=ApiClient(self._router, module_id=package.id, version=package.version, subject=self._subject),
            storage=storage,
            query=database.query,
            execute=database.execute,
            close=close,
        )

    def _transport(self, api: ApiSource | None) -> Transport | None:
        if isinstance(api, str):
            return HttpTransport(api)
        if api is None or isinstance(api, Transport):
            return api
        self._asgi = AsgiTransport(cast("Any", api))
        return self._asgi


def _external() -> Transport | None:
    """Reach external hosts where the extra ``http`` is installed; otherwise such a call says so."""
    try:
        return ExternalTransport()
    except TransportError:
        return None


class _MeteredStorage(KeyValueStorage):
    """Storage that keeps the meter up to date."""

    def __init__(self, directory: Path | None, module_id: str, monitor: ResourceMonitor) -> None:
        super().__init__(directory, module_id, max_bytes=monitor.limits.max_storage_bytes)
        self._monitor = monitor

    @property
    def max_bytes(self) -> int:
        """What the module's limits say now."""
        return self._monitor.limits.max_storage_bytes

    async def set(self, key: str, value: Any) -> None:
        await super().set(key, value)
        self._monitor.set_storage(self.used_bytes)

    async def delete(self, key: str) -> bool:
        was_there = await super().delete(key)
        self._monitor.set_storage(self.used_bytes)
        return was_there

    async def apply(self, changes: Changes) -> Changes:
        undo = await super().apply(changes)
        self._monitor.set_storage(self.used_bytes)
        return undo


class _ModuleDatabase:
    """The host's database as one module may use it: each table is asked for by name."""

    def __init__(self, database: Database | None, module: str, permissions: PermissionManager) -> None:
        self._database = database
        self._module = module
        self._permissions = permissions

    async def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[dict[str, Any]]:
        readable = self._permissions.require_any("database.read")
        access = DatabaseAccess(self._module, lambda kind, table: kind == "read" and table in readable)
        return await self._opened().query(sql, params, access=access)

    async def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any]) -> int:
        writable = self._permissions.require_any("database.write")
        readable = self._permissions.scopes("database.read")
        held = {"read": readable, "write": writable}
        access = DatabaseAccess(self._module, lambda kind, table: table in held[kind])
        return await self._opened().execute(sql, params, access=access)

    async def release(self) -> None:
        if self._database is not None:
            await self._database.release(self._module)

    def _opened(self) -> Database:
        if self._database is None:
            raise HostCallError("NoDatabase", "this host has no database; give it one with ModuleHost(database=...)")
        return self._database
