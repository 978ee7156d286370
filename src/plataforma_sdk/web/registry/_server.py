"""uvicorn around the service: limits of connections, an end that waits for uploads, and who may reach it."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web._listening import BACKLOG, Listening, listen, listening
from plataforma_sdk.web._signals import SignalledServer
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._options import ServiceOptions
from plataforma_sdk.web.registry._protocol import PatientProtocol
from plataforma_sdk.web.registry._state import ServiceState

__all__ = ["Listening", "configured", "run"]

_MAX_CONNECTIONS: Final = 512
_MAX_HEAD_BYTES: Final = 32_768


class _Server(SignalledServer):
    """Says that it is about to stop."""

    def __init__(self, config: uvicorn.Config, service: ServiceState) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        super().handle_exit(sig, frame)
        self._service.is_stopping = True


async def run(
    options: ServiceOptions,
    *,
    host: str,
    port: int,
    certificate: str | None,
    key: str | None,
    grace_s: int,
    started: Callable[[Listening], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C; see `serve`."""
    service = ServiceState(options)
    try:
        await service.open()  # before a port is taken: what is wrong with the directory is said at once
        with listen(host, port, RegistryError) as listener:
            config = configured(make_app(service), grace_s=grace_s, certificate=certificate, key=key)
            _load(config)
            started(listening(listener, is_encrypted=certificate is not None))
            await _Server(config, service).serve(sockets=[listener])
    finally:
        await service.aclose()


def configured(app: ASGIApp, *, grace_s: int, certificate: str | None = None, key: str | None = None) -> uvicorn.Config:
    """Return how uvicorn serves: nothing without a limit, and no logs but ours."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=_MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        timeout_graceful_shutdown=grace_s,
    )


def _load(config: uvicorn.Config) -> None:
    """Read the certificate, before anybody is told that the service is there."""
    try:
        config.load()
    except OSError as error:  # an SSLError is one
        files = f"{config.ssl_certfile} and {config.ssl_keyfile}"
        raise RegistryError(f"{files} are no certificate and its key, both PEM ({error.strerror})") from None
