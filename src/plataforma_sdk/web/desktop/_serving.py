"""uvicorn around the desktop: one port, WebSockets of a bounded size, and an end that says goodbye."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from plataforma_sdk.web._listening import BACKLOG

__all__ = ["serve"]

MAX_CONNECTIONS: Final = 256
MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""Of what a browser sends; longer frames end the connection before the application sees them."""

_GRACE_S: Final = 5
_PING_S: Final = 20.0


class _Server(uvicorn.Server):
    """Ends like a program that was asked to: uvicorn would raise the signal again."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Take a signal; a second Ctrl-C waits for nothing."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve what `desktop_app` returned on a socket that listens, until SIGTERM or Ctrl-C."""
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
    await _Server(config).serve(sockets=[listener])
