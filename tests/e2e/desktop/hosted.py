"""`Hosted`: a host and its desktop inside of this process, where a test reaches the host itself."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import attrs
import uvicorn

from plataforma_sdk import ModuleHost
from plataforma_sdk.web._listening import listen, listening
from plataforma_sdk.web.desktop import desktop_app
from tests.e2e.desktop.served import MODULES

__all__ = ["Hosted", "hosting"]

READY_S: Final = 60.0


@attrs.define
class Hosted:
    """A host and its desktop, in a thread of their own.

    Attributes:
        host: to be used by `run` only.
        app: what `desktop_app` returned.
        base: the address.
        loop: of the thread.
    """

    host: ModuleHost
    app: Any
    base: str
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """A fresh address, for one more browser."""
        return self.soon(lambda: str(self.app.state.desktop.address(self.base)))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the host's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(READY_S)

    def soon(self, work: Callable[[], Any]) -> Any:
        """Call a function in the host's loop, and wait for it."""

        async def call() -> Any:
            return work()

        return self.run(call())

    def load(self, module: str, *, grants: tuple[str, ...] = ("window.create",)) -> Any:
        """Load a module of the directory ``modules``."""
        return self.run(self.host.load(MODULES / module, grants=grants))


@contextlib.contextmanager
def hosting(**options: Any) -> Iterator[Hosted]:
    """Serve a host from a thread: the options are those of `ModuleHost`."""
    ready: list[Hosted] = []
    started, stopping = threading.Event(), threading.Event()

    async def serve() -> None:
        async with ModuleHost(**options) as host:
            app = desktop_app(host)
            with listen("127.0.0.1", 0) as listener:
                config = uvicorn.Config(app, ws="websockets-sansio", lifespan="on", log_config=None, access_log=False)
                config.timeout_graceful_shutdown = 2
                server = uvicorn.Server(config)
                server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(server.serve([listener]))
                    ready.append(Hosted(host, app, listening(listener).url, asyncio.get_running_loop()))
                    started.set()
                    await asyncio.to_thread(stopping.wait)
                    server.should_exit = True

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(READY_S)
        yield ready[0]
    finally:
        stopping.set()
        thread.join(READY_S)
