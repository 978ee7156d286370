"""One connection of a page: who it is, what it sends, and what it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from plataforma_sdk import codec
from plataforma_sdk.logs import logger_of
from plataforma_sdk.web.desktop._access import Identity
from plataforma_sdk.web.desktop._desktop import Desktop
from plataforma_sdk.web.desktop._protocol import SUBPROTOCOL, Bye, WireLimits, checked_locale, read_message
from plataforma_sdk.web.desktop._session import PageSession

__all__ = ["Socket", "serve_socket"]

_GOODBYE_S: Final = 2.0
_FORGED: Final = frozenset({"protocol", "unauthorized"})
_CODES: Final[Mapping[str, int]] = {"shutdown": 1001, "size": 1009, "slow": 1013, "sessions": 1013}
_POLICY_CODE: Final = 1008

_log: Final = logger_of("plataforma_sdk.web.desktop")


async def serve_socket(websocket: WebSocket, desktop: Desktop) -> None:
    """Serve a socket, if it was opened by our own page in the browser of somebody who is known."""
    identity = await desktop.access.identify(websocket)
    refusal = _refusal(websocket, desktop, identity)
    if refusal is not None or identity is None:
        _log.warning("Refused a socket from %s: %s", _client(websocket), refusal)
        await websocket.close(_POLICY_CODE)
        return
    await websocket.accept(subprotocol=SUBPROTOCOL)
    await Socket(websocket, desktop, identity).serve()


def _refusal(websocket: WebSocket, desktop: Desktop, identity: Identity | None) -> str | None:
    scheme = websocket.scope.get("scheme", "ws")
    if not desktop.access.is_own_origin(websocket.headers, scheme):
        return "its origin is not the page's own"
    if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
        return f"it does not speak {SUBPROTOCOL}"
    if identity is None or identity.is_new:
        return "nobody is signed in"
    return None


def _client(websocket: WebSocket) -> str:
    return websocket.client.host if websocket.client else "an unknown address"


class Socket:
    """One connection of one page.

    Args:
        websocket: accepted.
        desktop: whose.
        identity: who opened it.
    """

    def __init__(self, websocket: WebSocket, desktop: Desktop, identity: Identity) -> None:
        self._websocket = websocket
        self._desktop = desktop
        self._identity = identity
        self._session: PageSession | None = None
        self._rate = _Rate(desktop.limits)
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped = asyncio.Event()
        self._gone = asyncio.Event()

    def end(self, reason: str) -> None:
        """Tell the page why, and close."""
        if not self._ending.done():
            self._ending.set_exception(Bye(reason))

    async def stopped(self) -> None:
        """Wait until nothing is taken out of the outbox any more."""
        await self._stopped.wait()

    async def gone(self) -> None:
        """Wait until the page has been told why, or cannot be."""
        await self._gone.wait()

    async def serve(self) -> None:
        """Serve until either side ends it."""
        try:
            reason = await self._serve()
            if reason is not None:
                await self._goodbye(reason)
        finally:
            self._gone.set()

    async def _serve(self) -> str | None:
        """Serve; return the reason to tell the page, None where it is gone."""
        reason: str | None = None
        try:
            await self._run(await self._open())
        except* Bye as group:
            reason = _reason(group)
        except* WebSocketDisconnect:
            """The page is gone, or its connection: it may come back."""
        finally:
            self._stopped.set()
            self._ending.cancel()
            if self._ending.done() and not self._ending.cancelled():
                self._ending.exception()  # seen, whatever ended first
            if self._session is not None:
                self._desktop.sessions.detach(self._session, self)
        return reason

    async def _open(self) -> PageSession:
        """Take the hello; find the page, or begin one."""
        try:
            async with asyncio.timeout(self._desktop.limits.hello_timeout_s):
                hello = await self._receive()
        except TimeoutError:
            raise Bye("protocol") from None
        if hello["type"] != "hello":
            raise Bye("protocol")
        if not self._desktop.access.is_page_token(hello["token"], self._identity):
            raise Bye("unauthorized")
        await self._desktop.open()
        session, seen = await self._find(hello)
        session.locale = checked_locale(hello["locale"], session.locale)
        session.theme = "dark" if hello.get("theme") == "dark" else "light"
        self._desktop.join(session, seen=seen)
        return session

    async def _find(self, hello: Mapping[str, Any]) -> tuple[PageSession, Mapping[str, Any] | None]:
        sessions = self._desktop.sessions
        found = sessions.find(hello["resume"], self._identity)
        session = self._session = found or sessions.open(self._identity, self._desktop.host.locale)
        before = sessions.attach(session, self)
        if before is not None:
            before.end("replaced")
            await before.stopped()  # what it would still take out of the outbox would be lost
        return session, None if found is None else hello["seen"]

    async def _run(self, session: PageSession) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(session), name="plataforma-desktop-read")
            tasks.create_task(self._write(session), name="plataforma-desktop-write")
            tasks.create_task(self._wait_for_end(), name="plataforma-desktop-end")
            tasks.create_task(self._check_again(), name="plataforma-desktop-check")

    async def _read(self, session: PageSession) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "hello":
                raise Bye("protocol")
            self._desktop.receive(session, message)

    async def _write(self, session: PageSession) -> None:
        while True:
            for text in await session.outbox.next():
                await self._send(text, self._desktop.limits.send_timeout_s)

    async def _wait_for_end(self) -> None:
        await asyncio.shield(self._ending)

    async def _check_again(self) -> None:
        """End the connection of a person whom the host does not know any more, or knows as another."""
        while True:
            await asyncio.sleep(self._desktop.limits.recheck_s)
            identity = await self._desktop.access.identify(self._websocket)
            if identity is None or identity.subject != self._identity.subject:
                raise Bye("unauthorized")

    async def _receive(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        self._rate.take()
        text = received.get("text")
        if text is None:
            raise Bye("protocol")
        return read_message(text, self._desktop.limits)

    async def _send(self, text: str, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._websocket.send_text(text)
        except TimeoutError:
            raise Bye("slow") from None
        except RuntimeError:  # closed meanwhile, as Starlette says it
            raise WebSocketDisconnect(1006) from None

    async def _goodbye(self, reason: str) -> None:
        if reason in _FORGED:
            _log.warning("Ended a connection of subject %r: %s", self._identity.subject, reason)
        try:
            await self._send(codec.encode({"type": "bye", "reason": reason}), _GOODBYE_S)
            async with asyncio.timeout(_GOODBYE_S):
                await self._websocket.close(_CODES.get(reason, _POLICY_CODE), reason)
        except (Bye, TimeoutError, RuntimeError, WebSocketDisconnect):
            """It reads no more: whoever serves us cuts the line."""


class _Rate:
    """A bucket of messages that is filled steadily."""

    def __init__(self, limits: WireLimits) -> None:
        self._per_s = limits.max_messages_per_s
        self._most = self._left = float(limits.max_burst_messages)
        self._at = time.monotonic()

    def take(self) -> None:
        """Count a message.

        Raises:
            Bye: there were too many.
        """
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            raise Bye("rate")
        self._left -= 1


def _reason(group: BaseExceptionGroup[Bye]) -> str:
    first = group.exceptions[0]
    return first.reason if isinstance(first, Bye) else _reason(first)
