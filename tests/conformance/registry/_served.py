"""The registry service on a real socket: one server, and a registry of its own below it for each case."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send

from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from plataforma_sdk.web.registry import Scope as TokenScope
from plataforma_sdk.web.registry import ServiceOptions, create_token, open_tokens
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._server import configured
from plataforma_sdk.web.registry._state import ServiceState

from ._places import Place
from ._releases import MARIA, RUI


class Served:
    """Registries below one address, as a proxy would put them there; each may be closed by itself."""

    def __init__(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self._loop = loop
        self._numbers = itertools.count()
        self._services: dict[str, ServiceState] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to its registry."""
        name, _, rest = scope["path"].lstrip("/").partition("/")
        service = self._services[name]
        await make_app(service)({**scope, "path": f"/{rest}"}, receive, send)

    @contextlib.contextmanager
    def registry(self, directory: Path, *, blobs: str | None = None, database: str | None = None) -> Iterator[Place]:
        """Serve an empty registry, with a token that may do everything for two keys."""
        name = f"case-{next(self._numbers)}"
        with contextlib.closing(open_tokens(directory, database)) as tokens:
            scopes = [TokenScope.parse(action) for action in ("read", "publish", "yank")]
            _, token = create_token(tokens, "suite", scopes, keys=[MARIA, RUI])
        self._services[name] = ServiceState(
            ServiceOptions(directory=directory, blobs=blobs, database=database, is_private=True, max_requests_per_s=0)
        )

        def open_backend() -> HttpBackend:
            return HttpBackend(f"{self.address}/{name}", token=token, options=WebOptions(first_wait_s=0))

        yield Place(name="service", open=open_backend)
        service = self._services.pop(name)
        asyncio.run_coroutine_threadsafe(service.aclose(), self._loop).result(10)


@contextlib.contextmanager
def serving() -> Iterator[Served]:
    """Serve on a free port until the block ends, on a thread."""
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", loop)
        server = uvicorn.Server(configured(served, grace_s=1))
        thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
