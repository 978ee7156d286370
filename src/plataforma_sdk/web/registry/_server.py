"""uvicorn around the service: limits of connections, an end that waits for uploads, and who may reach it."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

import attrs
import uvicorn
from starlette.types import ASGIApp

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._options import ServiceOptions
from plataforma_sdk.web.registry._protocol import PatientProtocol
from plataforma_sdk.web.registry._state import ServiceState

__all__ = ["Listening", "configured", "run"]

_MAX_CONNECTIONS: Final = 512
_MAX_HEAD_BYTES: Final = 32_768
_BACKLOG: Final = 512


@attrs.frozen(kw_only=True)
class Listening:
    """Where a server listens.

    Attributes:
        url: of the registry.
        is_exposed: whether other machines reach it, and tokens cross a network in the clear.
    """

    url: str
    is_exposed: bool


class _Server(uvicorn.Server):
    """Says that it is about to stop, and ends like a program that was asked to: uvicorn raises the signal again."""

    def __init__(self, config: uvicorn.Config, service: ServiceState) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Take a signal; a second Ctrl-C waits for nothing."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = self._service.is_stopping = True


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
        with _listen(host, port) as listener:
            config = configured(make_app(service), grace_s=grace_s, certificate=certificate, key=key)
            _load(config)
            started(_listening(listener, is_encrypted=certificate is not None))
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
        backlog=_BACKLOG,
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


def _listening(listener: socket.socket, *, is_encrypted: bool) -> Listening:
    address, port = listener.getsockname()[:2]
    name = f"[{address}]" if ":" in address else address
    is_exposed = not is_encrypted and not ipaddress.ip_address(address).is_loopback
    return Listening(url=f"{'https' if is_encrypted else 'http'}://{name}:{port}", is_exposed=is_exposed)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise RegistryError(f"{host} is no address of this machine ({error.strerror})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise RegistryError(
            f"{host}, port {port} cannot be listened on ({error.strerror}): take another --port"
        ) from None
    return listener
