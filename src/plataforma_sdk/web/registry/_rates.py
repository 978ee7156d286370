"""How many requests a client may send: a bucket of tokens for each address."""

from __future__ import annotations

import ipaddress
import math
from typing import Final

from cachetools import LRUCache
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from plataforma_sdk.registry._json import to_json
from plataforma_sdk.types import Clock, SystemClock
from plataforma_sdk.web.registry._metrics import Counter

__all__ = ["Buckets", "LimitRates"]

_MAX_CLIENTS: Final = 65_536
_AT_ONCE: Final = 10
_FREE: Final = frozenset({"/health", "/ready", "/metrics"})


class Buckets:
    """What each client has left; those seen last, 65,536 of them.

    >>> buckets = Buckets(0.5)
    >>> [buckets.wait_s("192.0.2.1") == 0 for _ in range(6)]
    [True, True, True, True, True, False]
    """

    def __init__(self, requests_per_s: float, clock: Clock | None = None) -> None:
        self._rate = requests_per_s
        self._size = max(1.0, requests_per_s * _AT_ONCE)
        self._clock = clock or SystemClock()
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(_MAX_CLIENTS)

    def wait_s(self, address: str) -> float:
        """Take one request from a client's bucket: 0, or the seconds after which there is one again."""
        client, now = client_of(address), self._clock.monotonic()
        left, at = self._left.get(client, (self._size, now))
        left = min(self._size, left + (now - at) * self._rate)
        if left < 1:
            self._left[client] = left, now
            return (1 - left) / self._rate
        self._left[client] = left - 1, now
        return 0.0


def client_of(address: str) -> str:
    """Return whose address this is: of IPv6 its network of 64 bits, which is what one client is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))


class LimitRates:
    """Refuses what is too much; lets health and metrics pass."""

    def __init__(self, app: ASGIApp, requests_per_s: float, limited: Counter) -> None:
        self._app = app
        self._buckets = Buckets(requests_per_s) if requests_per_s else None
        self._limited = limited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http" and self._buckets and scope["path"] not in _FREE:
            wait_s = math.ceil(self._buckets.wait_s((scope.get("client") or ("",))[0]))
            if wait_s:
                self._limited.add()
                message = f"too many requests: go on in {wait_s} s"
                body = to_json({"error": {"code": "RegistryError", "message": message}})
                headers = {"retry-after": str(wait_s)}
                await Response(body, 429, headers, media_type="application/json")(scope, receive, send)
                return
        await self._app(scope, receive, send)
