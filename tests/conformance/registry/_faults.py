"""Faults for the two ways that backends reach their stores: transports of HTTP, and stores of objects."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import attrs
import httpx2


@attrs.define
class Fault:
    """One fault at one moment.

    Attributes:
        kind: what happens.
        at: to which of the requests that follow, from 1.
        is_lasting: whether to all after it as well.
        seed: decides which byte.
        fired: how often it has happened.
    """

    kind: str
    at: int
    is_lasting: bool = False
    seed: int = 0
    fired: int = 0
    _seen: int = 0

    def is_due(self) -> bool:
        """Count a request; whether the fault happens to it."""
        self._seen += 1
        return self._seen == self.at or (self.is_lasting and self._seen > self.at)

    def damage(self, data: bytes, others: list[bytes]) -> bytes:
        """Return other bytes than those given, where that can be."""
        damaged = self._damage(data, others)
        self.fired += damaged != data
        return damaged

    def _damage(self, data: bytes, others: list[bytes]) -> bytes:
        draw = random.Random(f"{self.seed} {self.fired}")
        if self.kind == "swap":
            return draw.choice([other for other in others if other != data] or [data])
        if not data:
            return data
        place = draw.randrange(len(data))
        if self.kind == "truncate":
            return data[:place]
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]


NO_FAULT: Final = Fault("none", 0)

DAMAGES: Final = ("flip", "truncate", "swap")
HTTP_FAULTS: Final = (*DAMAGES, "flip-sent", "replay", "status", "cut", "lost", "refused", "slow")
STORE_FAULTS: Final = (*DAMAGES, "replay", "status", "lost")


class FaultyTransport(httpx2.AsyncBaseTransport):
    """Passes requests on, and spoils the one that its fault says."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, patience_s: float) -> None:
        self.inner = inner
        self.fault = NO_FAULT
        self.patience_s = patience_s
        self.bodies: list[bytes] = []
        self.answers: dict[tuple[str, str], list[tuple[int, dict[str, str], bytes]]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Serve one request."""
        fault = self.fault if self.fault.is_due() else NO_FAULT
        fault.fired += fault.kind in ("refused", "status", "slow", "lost", "cut")
        match fault.kind:
            case "refused":
                raise httpx2.ConnectError("refused")
            case "status":
                return httpx2.Response(random.Random(fault.seed).choice((429, 500, 502, 503)), content=b"oops")
            case "slow":
                await asyncio.sleep(self.patience_s * 3)
            case "flip-sent":
                request = self._flipped(request, fault)
        status, headers, body = await self._pass_on(request)
        key = request.method, str(request.url)
        earlier = self.answers.setdefault(key, [])
        if fault.kind == "lost":
            raise httpx2.ReadError("lost")
        if fault.kind == "replay" and earlier:
            fault.fired += earlier[0] != (status, headers, body)
            status, headers, body = earlier[0]
        else:
            earlier.append((status, headers, body))
        if fault.kind == "cut":
            return httpx2.Response(status, headers=headers, stream=_Cut(body))
        if fault.kind in DAMAGES:
            body = fault.damage(body, self.bodies)
            headers = {name: value for name, value in headers.items() if name != "content-length"}
        self.bodies.append(body)
        return httpx2.Response(status, headers=headers, content=body)

    async def _pass_on(self, request: httpx2.Request) -> tuple[int, dict[str, str], bytes]:
        response = await self.inner.handle_async_request(request)
        body = b"".join([piece async for piece in response.stream])
        await response.aclose()
        return response.status_code, dict(response.headers), body

    def _flipped(self, request: httpx2.Request, fault: Fault) -> httpx2.Request:
        body = request.content if hasattr(request, "_content") else b""
        return httpx2.Request(
            request.method, request.url, headers=request.headers, content=fault.damage(body, []) or None
        )


class _Cut(httpx2.AsyncByteStream):
    """A body whose connection breaks in the middle."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx2.ReadError("cut")


class FaultyStore:
    """A store of objects that spoils the call that its fault says."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.fault = NO_FAULT
        self.bodies: list[bytes] = []
        self.lists: dict[str | None, list[Any]] = {}

    def get(self, path: str) -> Any:
        """Read."""
        return self._read(lambda: bytes(self.inner.get(path).bytes()), _Content)

    def get_range(self, path: str, *, start: int, length: int) -> Any:
        """Read a part."""
        return self._read(lambda: bytes(self.inner.get_range(path, start=start, length=length)), bytes)

    def list(self, prefix: str | None = None) -> Iterator[Any]:
        """List, or answer an older list."""
        fault = self._begin()
        pages = [list(page) for page in self.inner.list(prefix)]
        self._end(fault)
        earlier = self.lists.setdefault(prefix, pages)
        fault.fired += fault.kind == "replay" and earlier != pages
        yield from earlier if fault.kind == "replay" else pages

    def put(self, path: str, file: Any, *, mode: Any = None) -> Any:
        """Write; what arrives damaged is refused by the store's own checksum, so only the call can fail."""
        fault = self._begin()
        result = self.inner.put(path, file, mode=mode)
        self._end(fault)
        return result

    def _read(self, read: Callable[[], bytes], wrap: Callable[[bytes], Any]) -> Any:
        fault = self._begin()
        data = read()
        self._end(fault)
        if fault.kind in DAMAGES:
            data = fault.damage(data, self.bodies)
        self.bodies.append(data)
        return wrap(data)

    def _begin(self) -> Fault:
        fault = self.fault if self.fault.is_due() else NO_FAULT
        fault.fired += fault.kind in ("status", "lost")
        if fault.kind == "status":
            raise _store_error("500 Internal Server Error")
        return fault

    def _end(self, fault: Fault) -> None:
        if fault.kind == "lost":
            raise _store_error("the connection was reset")


@attrs.frozen
class _Content:
    content: bytes

    def bytes(self) -> bytes:
        return self.content


def _store_error(text: str) -> Exception:
    from obstore.exceptions import GenericError

    return GenericError(text)
