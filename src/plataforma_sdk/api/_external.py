"""Calls to hosts on the public internet, for modules with ``api.external[host]``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from plataforma_sdk.api._addresses import is_public_address
from plataforma_sdk.api._httpx import exchange, load_httpx2, make_transport, require_httpx2, ssl_context
from plataforma_sdk.api._transport import Origin, TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["ExternalTransport", "Resolver"]

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port -> addresses as text, in order of preference."""

MAX_ADDRESSES: Final = 3


class ExternalTransport:
    """Carries absolute https URLs; needs the extra ``http``.

    A name is resolved once for each call, every address it has must be public, and the connection goes to an address
    that was checked, with the name in SNI, certificate check and Host: a second answer of the resolver (DNS rebinding)
    has no reader. Connections are not kept: a kept one would serve another name on the same address without a
    certificate check of its own. The price is one TLS handshake a call.

    **Source:** OWASP SSRF prevention; DNS rebinding as in CVE-2024-24759.
    """

    def __init__(
        self,
        *,
        resolver: Resolver | None = None,
        connect: Callable[[str], httpx2.AsyncBaseTransport] | None = None,
        ports: Collection[int] = (443,),
        timeout_s: float = 10.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Choose how names become addresses and addresses connections.

        Args:
            resolver: the system's, unless given.
            connect: address -> a transport of httpx2 for one call, closed after it; the real network, unless given.
            ports: the only ports that a URL may name.
            timeout_s: of each step: connect, read, write.
            context: trust roots; the machine's own, unless given.

        Raises:
            TransportError: httpx2 is not installed.
        """
        self._resolve = resolver or _system_resolver
        if connect is None:
            require_httpx2()
        self._connect = connect or self._dial
        self._context = context
        self._ports = frozenset(ports)
        self._timeouts = {"connect": timeout_s, "read": timeout_s, "write": timeout_s, "pool": timeout_s}

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Resolve, check and carry.

        Raises:
            TransportError: a refused port or address, an unknown name, no connection, or an answer that is too large.
        """
        origin = request.origin
        if origin is None:
            raise TransportError(f"The path {request.path} is not an absolute URL; this transport has no base")
        if origin.port not in self._ports:
            allowed = ", ".join(map(str, sorted(self._ports)))
            raise TransportError(f"The port {origin.port} of {origin.host} is refused: use {allowed}")
        errors = load_httpx2()
        for address in await self._addresses(origin):
            try:
                return await self._carry(request, origin, address)
            except (errors.ConnectError, errors.ConnectTimeout):
                continue  # nothing was sent: the next address may be tried, even for a POST
            except errors.TransportError as error:
                raise TransportError(f"{origin.host} gave no answer: {type(error).__name__}") from None
        raise TransportError(f"{origin.host} cannot be reached, or shows no valid certificate")

    def _dial(self, _address: str) -> httpx2.AsyncBaseTransport:
        """Make the transport of one call; the address stands in its URL. Trust roots are loaded with the first."""
        self._context = self._context or ssl_context()
        return make_transport(self._context, max_connections=1, max_idle=0)

    async def _addresses(self, origin: Origin) -> Sequence[str]:
        try:
            addresses = await self._resolve(origin.host, origin.port)
        except OSError:
            raise TransportError(f"{origin.host} has no address; check the name") from None
        if not addresses:
            raise TransportError(f"{origin.host} has no address; check the name")
        if not all(is_public_address(address) for address in addresses):
            # the address stays out of the message: it would tell a module about the host's network
            raise TransportError(f"{origin.host} leads to an address that is not public, which is refused")
        return addresses[:MAX_ADDRESSES]

    async def _carry(self, request: TransportRequest, origin: Origin, address: str) -> TransportResponse:
        transport = self._connect(address)
        literal = f"[{address}]" if ":" in address else address
        try:
            return await exchange(
                transport,
                request,
                f"https://{literal}:{origin.port}",
                target=request.target,
                headers={"host": origin.netloc},
                extensions={"timeout": self._timeouts, "sni_hostname": origin.host},
            )
        finally:
            await transport.aclose()


async def _system_resolver(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
