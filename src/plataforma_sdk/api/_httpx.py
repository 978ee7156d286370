"""What the two network transports share: httpx2, imported at first use, and one bounded exchange.

The transports of httpx2 are used without its client: no cookies, no redirects, no proxies from the environment, no
credentials from ``.netrc`` and no re-encoding of the request target.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plataforma_sdk.api._body import BodyReader
from plataforma_sdk.api._transport import TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["exchange", "load_httpx2", "make_transport", "require_httpx2", "ssl_context"]

USER_AGENT = "plataforma-sdk"


def load_httpx2() -> ModuleType:
    """Import httpx2.

    Raises:
        TransportError: it is not installed; the message says how to get it.
    """
    try:
        import httpx2
    except ImportError:
        raise _missing() from None
    return httpx2


def require_httpx2() -> None:
    """Make sure that httpx2 is there without importing it: most hosts make a transport that is never used.

    Raises:
        TransportError: it is not installed.
    """
    # sys.modules first: find_spec raises where it holds None, which means "not to be imported"
    is_there = sys.modules["httpx2"] if "httpx2" in sys.modules else importlib.util.find_spec("httpx2")
    if is_there is None:
        raise _missing()


def _missing() -> TransportError:
    return TransportError("Calls over a network need httpx2: pip install 'plataforma-sdk[http]'")


def ssl_context() -> ssl.SSLContext:
    """Make the context of the machine's own trust store, whatever ``SSL_CERT_FILE`` says."""
    context: ssl.SSLContext = load_httpx2().create_ssl_context(trust_env=False)
    return context


def make_transport(context: ssl.SSLContext, *, max_connections: int, max_idle: int) -> httpx2.AsyncBaseTransport:
    """Open a pool; `max_idle` 0 closes every connection after its answer."""
    limits = load_httpx2().Limits(max_connections=max_connections, max_keepalive_connections=max_idle)
    transport: httpx2.AsyncBaseTransport = load_httpx2().AsyncHTTPTransport(
        verify=context, trust_env=False, limits=limits
    )
    return transport


async def exchange(
    transport: httpx2.AsyncBaseTransport,
    request: TransportRequest,
    url: str,
    *,
    target: bytes,
    headers: dict[str, str],
    extensions: dict[str, Any],
) -> TransportResponse:
    """Send one request with exactly `target` on its request line, and read the answer within its cap.

    Raises:
        httpx2.TransportError: connection, time-out or protocol; the caller words it.
        TransportError: the answer is too large or its compression broken.
    """
    sent = {"user-agent": USER_AGENT, "accept-encoding": "gzip", **request.headers, **headers}
    call = load_httpx2().Request(
        request.method, url, headers=sent, content=request.body or None, extensions={**extensions, "target": target}
    )
    response = await transport.handle_async_request(call)
    try:
        return TransportResponse(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=await _read(response, request),
        )
    finally:
        await response.aclose()


async def _read(response: httpx2.Response, request: TransportRequest) -> bytes:
    if request.method == "HEAD":
        return b""
    reader = BodyReader(response.headers, limit=request.max_response_bytes)
    # the stream itself, not aiter_bytes(): the reader inflates within the cap
    async for chunk in response.stream:  # type: ignore[union-attr]
        reader.feed(chunk)
    return reader.finish()
