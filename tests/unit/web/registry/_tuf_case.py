"""A service with TUF metadata and clients of it, and between them a network that can be told to lie."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx2

from plataforma_sdk.registry import ModuleIndex, digest_of
from plataforma_sdk.registry.backends import DirectoryBackend, HttpBackend, WebOptions
from plataforma_sdk.registry.trust import KeyStore, TrustPolicy
from plataforma_sdk.web.registry import ServiceOptions
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._state import ServiceState
from plataforma_sdk.web.registry._tuf_root import init_tuf, open_index, renew_root
from tests.conformance.registry._releases import make_release
from tests.unit.registry._doubles import open_registry

DAY_S = 86_400.0
ADDRESS = "http://127.0.0.1:8433"


@attrs.define
class Clock:
    """What time it is at the service."""

    now: float = attrs.field(factory=time.time)

    def __call__(self) -> float:
        return self.now


class Network(httpx2.AsyncBaseTransport):
    """Between client and service: counts, and answers what it is told to instead."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport
        self.asked: list[str] = []
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.instead: Callable[[str], tuple[int, bytes] | None] = lambda _: None
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(path)
        if self.before is not None:
            await self.before(path)
        answer = self.instead(path)
        if answer is None:
            response = await self._transport.handle_async_request(request)
            await response.aread()
            answer = self.seen[path] = response.status_code, response.content
        status, body = answer
        if status == 0:
            raise httpx2.ConnectError("cut")
        etag = f'"{digest_of(body)}"'
        return httpx2.Response(status, content=body, headers={"etag": etag})


class Case:
    """A service with a registry, and clients of it."""

    def __init__(self, directory: Path, database: str | None = None) -> None:
        self.directory = directory / "registry"
        self.states = directory
        self.clock = Clock()
        self.options = ServiceOptions(directory=self.directory, database=database, max_requests_per_s=0)
        self.backend = DirectoryBackend(
            self.directory, database=database
        )  # publishes past the service: what it signs, it finds itself
        self.service = ServiceState(self.options, now=self.clock)
        self.network = Network(httpx2.ASGITransport(make_app(self.service)))

    async def publish(self, *args: Any, owner: str | None = None, **fields: Any) -> ModuleIndex:
        release, blobs = make_release(*args, **fields)
        return await self.backend.publish(release, blobs, owner=owner)

    def init(self, **settings: Any) -> bytes:
        """Make the metadata, signed at the service's time."""
        with self.index() as index:
            return init_tuf(index, self.directory, **{"now": self.clock.now, "lifetime_s": 365 * DAY_S, **settings})

    @contextlib.contextmanager
    def index(self) -> Iterator[Any]:
        with contextlib.closing(open_index(self.directory, self.options.database, is_new=True)) as connection:
            yield connection

    def renew(self, key: str = "root", **settings: Any) -> bytes:
        with self.index() as index:
            signer = KeyStore(self.directory / "tuf").load(key)
            return renew_root(index, self.directory, signer, now=self.clock.now, lifetime_s=365 * DAY_S, **settings)

    @contextlib.asynccontextmanager
    async def client(self, name: str = "ana", **settings: Any) -> Any:
        """Open a registry as another process would: by name its state, and nothing of the indexes that it saw."""
        options = WebOptions(transport=self.network, first_wait_s=0, max_tries=1)
        cache = self.states / f"cache-{len(self.network.asked)}"
        defaults = {"trust": TrustPolicy.any(), "state_dir": self.states / name, "cache_dir": cache}
        async with open_registry(HttpBackend(ADDRESS, options=options), **{**defaults, **settings}) as registry:
            yield registry

    async def ask(self, name: str = "ana", module_id: str = "vendas", **settings: Any) -> ModuleIndex:
        async with self.client(name, **settings) as registry:
            return await registry.versions(module_id)

    def replay(self, *parts: str) -> None:
        """Answer from now on what was answered before, where a path has one of these parts."""
        kept = dict(self.network.seen)
        self.network.instead = lambda path: kept.get(path) if any(part in path for part in parts) else None

    def asked_for(self, part: str) -> int:
        return sum(part in path for path in self.network.asked)


Run = Callable[[Callable[[Case], Awaitable[None]]], None]


def run_case(directory: Path, case: Callable[[Case], Awaitable[None]], database: str | None = None) -> None:
    """Run a case with a service in a directory, which has published one module."""

    async def main() -> None:
        setting = Case(directory, database)
        try:
            await setting.publish()
            await case(setting)
        finally:
            await setting.service.aclose()
            await setting.backend.aclose()

    asyncio.run(main())
