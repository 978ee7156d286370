"""uvicorn around the desktop: one port, WebSockets of a bounded size, and an end that says goodbye."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from plataforma_sdk.web._listening import BACKLOG
from plataforma_sdk.web._signals import SignalledServer

__all__ = ["serve", "server_of"]

MAX_CONNECTIONS: Final = 256
MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""Of what a browser sends; longer frames end the connection before the application sees them."""

_GRACE_S: Final = 5
_PING_S: Final = 20.0


class _Server(SignalledServer):
    """Tells the pages before it ends: uvicorn closes their sockets before the lifespan ends."""

    def __init__(self, config: uvicorn.Config, say_goodbye: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._say_goodbye = say_goodbye

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then end."""
        if not self.force_exit:
            await self._say_goodbye()
        await super().shutdown(sockets)


async def serve(app: ASGIApp, listener: socket.socket, say_goodbye: Callable[[], Awaitable[None]]) -> None:
    """Serve what `desktop_app` returned on a socket that listens, until SIGTERM or Ctrl-C, and say goodbye then."""
    await server_of(app, say_goodbye).serve(sockets=[listener])


def server_of(app: ASGIApp, say_goodbye: Callable[[], Awaitable[None]]) -> uvicorn.Server:
    """Make the server; nothing listens yet."""
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config, say_goodbye)
