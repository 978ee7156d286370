"""A port of this machine, and who reaches it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

import attrs

from plataforma_sdk.errors import PlataformaError

__all__ = ["BACKLOG", "Listening", "listen", "listening"]

BACKLOG: Final = 512


@attrs.frozen(kw_only=True)
class Listening:
    """Where a server listens.

    Attributes:
        url: its address, without a path.
        is_exposed: whether other machines reach it, and what crosses a network can be read there.
    """

    url: str
    is_exposed: bool


def listening(listener: socket.socket, *, is_encrypted: bool = False) -> Listening:
    """Describe a socket that listens."""
    address, port = listener.getsockname()[:2]
    name = f"[{address}]" if ":" in address else address
    is_exposed = not is_encrypted and not ipaddress.ip_address(address).is_loopback
    return Listening(url=f"{'https' if is_encrypted else 'http'}://{name}:{port}", is_exposed=is_exposed)


def listen(host: str, port: int, error: type[PlataformaError] = PlataformaError) -> socket.socket:
    """Listen on a port; 0 takes a free one.

    Raises:
        PlataformaError: the host is none of this machine, or the port is taken; or `error`, one of its kinds.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as failure:
        raise error(f"{host} is no address of this machine ({failure.strerror})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as failure:
        listener.close()
        raise error(f"{host}, port {port} cannot be listened on ({failure.strerror}): take another --port") from None
    return listener
