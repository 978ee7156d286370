"""Calls to an ASGI application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Self, TypeAlias

from plataforma_sdk.api._body import BodyReader
from plataforma_sdk.api._identity import IDENTITY_KEY, caller_identity
from plataforma_sdk.api._transport import TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError
from plataforma_sdk.logs import logger_of

__all__ = ["AsgiApp", "AsgiTransport"]

Message: TypeAlias = MutableMapping[str, Any]
AsgiApp: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI 3 application: ``await app(scope, receive, send)``."""

_log = logger_of("plataforma_sdk.api")


class AsgiTransport:
    """Serves the host's API from an ASGI 3 application (Starlette, FastAPI, Django ...), without a network.

    The application finds who calls under ``scope["extensions"]["plataforma"]``: ``{"module", "version", "subject"}``.
    No network client can put it there, so it may be trusted; the ``X-Module-*`` headers may not.

    Use as an async context manager to run the application's lifespan; without it, none is run.
    """

    def __init__(
        self, app: AsgiApp, *, host: str = "localhost", root_path: str = "", state: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap `app`; `host` is what it reads in the Host header, `state` that of a lifespan run elsewhere."""
        self._app = app
        self._host = host
        self._root_path = root_path
        self._state: dict[str, Any] = dict(state or {})
        self._lifespan: _Lifespan | None = None

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Call the application and wait until it has answered and returned.

        Raises:
            TransportError: it raised before it answered, answered nothing, or answered too much.
        """
        if request.origin is not None:
            raise TransportError("An application in this process serves relative paths only")
        exchange = _Exchange(request)
        try:
            await self._app(self._scope(request, len(exchange.body)), exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - an application may raise anything
            exchange.fail(error)
        return exchange.response()

    async def startup(self) -> None:
        """Run the application's lifespan startup; an application without lifespan is left in peace.

        Raises:
            TransportError: the application reports that its startup failed.
        """
        if self._lifespan is None:
            self._lifespan = _Lifespan(self._app, self._state)
            await self._lifespan.startup()

    async def shutdown(self) -> None:
        """Run the lifespan shutdown and wait for its end; a second call does nothing."""
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.shutdown()

    aclose = shutdown

    async def __aenter__(self) -> Self:
        await self.startup()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    def _scope(self, request: TransportRequest, body_bytes: int) -> dict[str, Any]:
        headers = [(b"host", self._host.encode()), (b"content-length", str(body_bytes).encode())]
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query.encode("ascii"),
            "root_path": self._root_path,
            "headers": headers,
            "client": None,
            "server": (self._host, None),
            "state": dict(self._state),
            "extensions": {IDENTITY_KEY: caller_identity(request.identity)},
        }


class _StopError(Exception):
    """Ends the application when its answer is too large."""


class _Exchange:
    """The two callables of one request, and what they gathered."""

    def __init__(self, request: TransportRequest) -> None:
        self._request = request
        self.body = request.body
        self._is_sent = False
        self._status = 0
        self._headers: dict[str, str] = {}
        self._reader: BodyReader | None = None
        self._fault: TransportError | None = None
        self._done = asyncio.Event()

    async def receive(self) -> Message:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._fault is not None:
            raise _StopError
        try:
            self._take(message)
        except TransportError as error:
            self._fault = error
            self._done.set()
            raise _StopError from None

    def _take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = int(message["status"])
            pairs = message.get("headers", ())
            self._headers = {
                bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1") for name, value in pairs
            }
            self._reader = BodyReader(self._reader_headers(), limit=self._request.max_response_bytes)
        elif message["type"] == "http.response.body" and self._reader is not None:
            self._reader.feed(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._done.set()

    def _reader_headers(self) -> dict[str, str]:
        """An answer to HEAD announces a length and encoding, and has no body."""
        return {} if self._request.method == "HEAD" else self._headers

    def fail(self, error: Exception) -> None:
        """Note what the application raised; an answer that was complete before still counts, as over a network."""
        if self._fault is not None:
            return  # our own stop, perhaps wrapped in a group by the application's framework
        # class name and text stay in the host's log: they may hold paths, queries, customers
        _log.error("The ASGI application failed on %s %s", self._request.method, self._request.path, exc_info=error)
        if not self._done.is_set():
            self._fault = TransportError(f"{self._request.path} failed in the host's application; its log says why")

    def response(self) -> TransportResponse:
        if self._fault is not None:
            raise self._fault
        if self._reader is None or not self._done.is_set():
            raise TransportError(f"{self._request.path} got no complete answer from the host's application")
        return TransportResponse(status=self._status, headers=self._headers, body=self._reader.finish())


class _Lifespan:
    """Runs the lifespan of an application in a task of its own, as the protocol wants it."""

    def __init__(self, app: AsgiApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._orders: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.create_task(self._run(), name="plataforma-lifespan")
        answer = await self._ask("lifespan.startup")
        if answer["type"] == "lifespan.startup.failed":
            await self._task
            raise TransportError("The host's application failed to start; its log says why")

    async def shutdown(self) -> None:
        if self._task is not None and not self._task.done():
            await self._ask("lifespan.shutdown")
            await self._task

    async def _ask(self, order: str) -> Message:
        await self._orders.put({"type": order})
        return await self._answers.get()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._orders.get, self._answers.put)
        except Exception:  # noqa: BLE001 - the protocol's way to say "no lifespan" is to raise, whatever it is
            _log.debug("The ASGI application has no lifespan", exc_info=True)
        await self._answers.put({"type": "lifespan.ended"})
