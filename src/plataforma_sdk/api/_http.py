"""Calls to the host's API over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from plataforma_sdk.api._httpx import exchange, load_httpx2, make_transport, require_httpx2, ssl_context
from plataforma_sdk.api._transport import TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["HttpTransport"]


class HttpTransport:
    """Serves the host's API from one HTTP origin, which no call can leave; needs the extra ``http``.

    The origin is the host's choice and may be internal. Redirects are not followed, cookies not kept, proxies and
    ``.netrc`` of the environment not read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 10.0,
        context: ssl.SSLContext | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Bind to `base_url`, ``"https://intranet.example/api"``; `transport` takes the place of the real network.

        Raises:
            ValueError: the base is not http or https, or has a user, query or fragment.
            TransportError: httpx2 is not installed.
        """
        self._origin, self._prefix = _check_base(base_url)
        self._timeouts = {"connect": timeout_s, "read": timeout_s, "write": timeout_s, "pool": timeout_s}
        if transport is None:
            require_httpx2()
        self._transport = transport
        self._context = context

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Carry the call to the base origin.

        Raises:
            TransportError: an absolute URL, no connection, a broken answer, or one that is too large.
        """
        if request.origin is not None:
            raise TransportError("The host's API serves relative paths only")
        try:
            return await exchange(
                self._open(),
                request,
                self._origin,
                target=self._prefix + request.target,
                headers={},
                extensions={"timeout": self._timeouts},
            )
        except load_httpx2().TransportError as error:
            # the text of the error may name internal hosts
            raise TransportError(f"{request.path} got no answer from the host's API: {type(error).__name__}") from None

    async def aclose(self) -> None:
        """Close all connections; a later call would open new ones."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    def _open(self) -> httpx2.AsyncBaseTransport:
        """Open the pool with the first call: httpx2 and the trust roots take 0.2 s to load."""
        if self._transport is None:
            context = self._context or ssl_context()
            self._transport = make_transport(context, max_connections=100, max_idle=20)
        return self._transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _check_base(base_url: str) -> tuple[str, bytes]:
    """Split the base into its origin and the path before every call, without a last slash."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"base_url must be http or https with a host, not {base_url!r}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("base_url must have no user, query or fragment; attach credentials with api_auth")
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/").encode("ascii")
