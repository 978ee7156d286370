"""uvicorn around the desktop: one port, WebSockets of a bounded size, and an end that says goodbye."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from plataforma_sdk.web._listening import BACKLOG, Listening, listen, listening

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


async def serve(app: ASGIApp, *, host: str, port: int, started: Callable[[Listening], object]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        app: what `desktop_app` returned.
        host: an address of this machine.
        port: 0 takes a free one.
        started: told where, once the port is taken.

    Raises:
        PlataformaError: the port cannot be listened on.
    """
    with listen(host, port) as listener:
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
        started(listening(listener))
        await _Server(config).serve(sockets=[listener])
