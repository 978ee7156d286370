"""Runs the service; Starlette and uvicorn are imported here, when it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web.registry._options import ServiceOptions

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from plataforma_sdk.web.registry._server import Listening

__all__ = ["registry_app", "serve"]

_HINT = "The registry service needs Starlette and uvicorn: pip install 'plataforma-sdk[web]'"


def registry_app(options: ServiceOptions) -> ASGIApp:
    """Return the service as an ASGI application, for a server of your own.

    It opens its files at the lifespan's start and closes them at its end. Who reads slowly, or never ends a head, is
    for that server to cut; `serve` does so.

    Raises:
        RegistryError: the extra ``web`` is missing, or the address of the blobs is none.
    """
    try:
        from plataforma_sdk.web.registry._app import make_app
        from plataforma_sdk.web.registry._state import ServiceState
    except ImportError as error:
        raise RegistryError(f"{_HINT} ({error})") from None
    return make_app(ServiceState(options))


async def serve(
    options: ServiceOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: str | None = None,
    key: str | None = None,
    grace_s: int = 30,
    started: Callable[[Listening], None] = lambda _: None,
) -> None:
    """Serve on a socket until SIGTERM or Ctrl-C; must run on the main thread's loop to see those.

    Then no new connection is taken, uploads under way have `grace_s` to end, and what is cut leaves nothing.

    Args:
        options: how it is run.
        host: what to listen on.
        port: likewise; 0 takes a free one.
        certificate: path of a TLS certificate in PEM; without one, plain HTTP.
        key: path of its private key.
        grace_s: in seconds.
        started: called when it listens.

    Raises:
        RegistryError: the extra ``web`` is missing, or the directory, the blobs or the port cannot be used.
    """
    try:
        from plataforma_sdk.web.registry._server import run
    except ImportError as error:
        raise RegistryError(f"{_HINT} ({error})") from None
    await run(options, host=host, port=port, certificate=certificate, key=key, grace_s=grace_s, started=started)
