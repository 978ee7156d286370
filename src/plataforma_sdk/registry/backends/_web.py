"""A client for registries over HTTP: repeats what may be repeated, resumes what was cut, believes nothing.

The transports of httpx2 are used without its client: no cookies, no proxies, no redirects but those of a download.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import attrs

from plataforma_sdk.api._httpx import USER_AGENT, load_httpx2, make_transport, require_httpx2, ssl_context
from plataforma_sdk.errors import IntegrityError, RegistryError, TransportError
from plataforma_sdk.registry.backends._urls import origin_of

if TYPE_CHECKING:
    import httpx2

__all__ = ["Answer", "Authorize", "WebClient", "WebOptions"]

Authorize = Callable[[str, str | None], Awaitable[str | None]]
"""(scope, challenge of a 401 or None) -> the Authorization header for the registry's own origin, or None."""

_REPEATED: Final = frozenset({429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK, _PARTIAL, _UNAUTHORIZED = 200, 206, 401
_BODILESS: Final = frozenset({204, 304})
_MAX_REDIRECTS: Final = 3
_MAX_WAIT_S: Final = 30.0
_MAX_REFUSAL_BYTES: Final = 1 << 16
_SLOWEST_BYTES_PER_S: Final = 16_384
_PROGRESS_BYTES: Final = 1 << 20
_POOL: Final = 16


@attrs.frozen(kw_only=True)
class WebOptions:
    """How patient a client is, and what it stands on.

    Attributes:
        timeout_s: for an answer, and for each piece of a download; large bodies get a second more for each 16 KiB.
        max_tries: how often a request is sent that fails by its connection or by 429, 500, 502, 503 or 504.
        first_wait_s: before the second try; doubled before each one after it, varied by half.
        transport: takes the place of the real network.
        sleep: waits, in seconds.
    """

    timeout_s: float = 30.0
    max_tries: int = 4
    first_wait_s: float = 0.2
    transport: httpx2.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@attrs.frozen(kw_only=True)
class Answer:
    """What a registry answered.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: read whole, within its cap.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class _CutError(Exception):
    """An answer that ended before the length that it announced."""


class _BusyError(Exception):
    """An answer that may be another one in a moment."""

    def __init__(self, refusal: RegistryError, retry_after: str) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.retry_after = retry_after


class WebClient:
    """Talks to a registry. A request may arrive twice, so all that is sent must bear that."""

    def __init__(
        self,
        origin: str,
        options: WebOptions | None,
        *,
        explain: Callable[[Answer], RegistryError],
        authorize: Authorize,
    ) -> None:
        """Take the one origin that credentials go to, and how a refusal reads.

        Raises:
            RegistryError: httpx2 is not installed.
        """
        self.origin = origin
        self._options = options or WebOptions()
        self._explain = explain
        self._authorize = authorize
        self._transport = self._options.transport
        if self._transport is None:
            try:
                require_httpx2()
            except TransportError:
                advice = "pip install 'plataforma-sdk[http]'"
                raise RegistryError(f"The registry {origin} is reached by httpx2: {advice}") from None

    async def request(
        self,
        method: str,
        url: str,
        *,
        expect: Collection[int],
        max_bytes: int = _MAX_REFUSAL_BYTES,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        scope: str = "",
    ) -> Answer:
        """Send a request as often as it takes, and read its answer.

        Raises:
            IntegrityError: the answer has more than `max_bytes`.
            RegistryError: no answer, or one of a status that is not expected, as it is explained.
        """
        tries = _Tries(self.origin, self._options)
        deadline_s = self._options.timeout_s + (len(body) + max_bytes) / _SLOWEST_BYTES_PER_S
        while True:
            try:
                async with (
                    asyncio.timeout(deadline_s),
                    self._open(method, url, headers or {}, body=body, scope=scope) as response,
                ):
                    answer = await self._read(response, max_bytes, is_head=method == "HEAD")
                self._check(answer, expect)
            except _passing() as error:
                await tries.again(error)
            else:
                return answer

    async def download(self, url: str, *, size: int, scope: str = "") -> AsyncGenerator[bytes, None]:
        """Yield a body in pieces, resumed where it was cut, until `size` bytes or more have come.

        Raises:
            IntegrityError: it resumes elsewhere than it was asked to.
            RegistryError: no answer, one that does not get on, or a refusal as it is explained.
        """
        tries, received, milestone = _Tries(self.origin, self._options), 0, _PROGRESS_BYTES
        while True:
            try:
                async with contextlib.aclosing(self._download_from(url, received, scope)) as pieces:
                    async for piece in pieces:
                        received += len(piece)
                        yield piece
                if received >= size:
                    return
                raise _CutError(f"{received:,} of {size:,} bytes came")
            except _passing() as error:
                if received and received >= size:  # cut behind the last byte
                    return
                if received >= milestone:  # a long download may be cut often, as long as it gets on
                    tries, milestone = _Tries(self.origin, self._options), received + _PROGRESS_BYTES
                await tries.again(error)

    async def aclose(self) -> None:
        """Close all connections; a later request would open new ones."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _download_from(self, url: str, start: int, scope: str) -> AsyncGenerator[bytes, None]:
        """Yield what one answer brings from `start`."""
        headers = {"range": f"bytes={start}-"} if start else {}
        async with self._open("GET", url, headers, scope=scope, redirects=_MAX_REDIRECTS) as response:
            if response.status_code not in (_OK, _PARTIAL):
                self._check(await self._read(response, _MAX_REFUSAL_BYTES), expect=())
            skip = start
            if response.status_code == _PARTIAL:
                skip = 0
                if not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
                    raise IntegrityError(f"{self.origin} answered another part of a blob than bytes {start:,} onwards")
            async for piece in self._pieces(response):
                if len(piece) > skip:
                    yield piece[skip:]
                skip = max(0, skip - len(piece))

    def _check(self, answer: Answer, expect: Collection[int]) -> None:
        if answer.status in expect:
            return
        refusal = self._explain(answer)
        if answer.status in _REPEATED:
            raise _BusyError(refusal, answer.headers.get("retry-after", ""))
        raise refusal

    @contextlib.asynccontextmanager
    async def _open(
        self, method: str, url: str, headers: Mapping[str, str], *, body: bytes = b"", scope: str, redirects: int = 0
    ) -> AsyncIterator[httpx2.Response]:
        """Send a request, with a fresh authorization where the registry asks for one, and follow a download."""
        challenge: str | None = None
        while True:
            response = await self._send(method, url, headers, body, await self._credentials(url, scope, challenge))
            asked = response.headers.get("www-authenticate") if response.status_code == _UNAUTHORIZED else None
            target = response.headers.get("location") if response.status_code in _REDIRECTS else None
            if asked and challenge is None:
                challenge = asked
            elif target and redirects:
                redirects, url = redirects - 1, self._redirected(url, target)
            else:
                break
            await response.aclose()
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, credentials: Mapping[str, str]
    ) -> httpx2.Response:
        if self._transport is None:  # opened late: the trust roots take 0.2 s to load
            self._transport = make_transport(ssl_context(), max_connections=_POOL, max_idle=_POOL)
        sent = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers, **credentials}
        times = dict.fromkeys(("connect", "read", "write", "pool"), self._options.timeout_s)
        httpx2 = load_httpx2()
        request = httpx2.Request(method, url, headers=sent, content=body or None, extensions={"timeout": times})
        return await self._transport.handle_async_request(request)

    async def _credentials(self, url: str, scope: str, challenge: str | None) -> Mapping[str, str]:
        header = await self._authorize(scope, challenge) if origin_of(url) == self.origin else None
        return {"authorization": header} if header else {}

    def _redirected(self, url: str, target: str) -> str:
        """Return where a download goes on: encrypted, or at the registry itself; the bytes are verified anyway."""
        where = urljoin(url, target)
        if not where.startswith("https://") and origin_of(where) != self.origin:
            raise RegistryError(f"{self.origin} sends a download to {origin_of(where)}, which is not encrypted")
        return where

    async def _read(self, response: httpx2.Response, max_bytes: int, *, is_head: bool = False) -> Answer:
        data = bytearray()
        if not is_head and response.status_code not in _BODILESS:  # which may announce the length of what they spare
            async for piece in self._pieces(response):
                data += piece
                if len(data) > max_bytes:
                    raise IntegrityError(
                        f"{self.origin} answered more than {max_bytes:,} bytes; nothing of it was used"
                    )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=bytes(data))

    async def _pieces(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield the body as it was sent, each piece within the time-out, and all of what was announced."""
        stream, length = aiter(response.stream), 0  # type: ignore[arg-type]
        while True:
            try:
                async with asyncio.timeout(self._options.timeout_s):
                    piece = await anext(stream)
            except StopAsyncIteration:
                break
            length += len(piece)
            yield piece
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and length < int(announced):
            raise _CutError(f"the answer ended after {length:,} of {int(announced):,} bytes")


class _Tries:
    """Counts the tries of one request, and waits between them."""

    def __init__(self, origin: str, options: WebOptions) -> None:
        self._origin = origin
        self._options = options
        self._made = 1

    async def again(self, error: Exception) -> None:
        """Wait for the next try, or raise what the last one ended with."""
        seconds = self._options.first_wait_s * 2 ** (self._made - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        if isinstance(error, _BusyError):
            failure = error.refusal
            seconds = float(error.retry_after) if error.retry_after.isdecimal() else seconds
        else:
            problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            failure = RegistryError(
                f"{self._origin} gave no whole answer in {self._made} tries ({problem}): see to the connection, "
                "and repeat the command; what arrived is not done twice"
            )
        if self._made >= self._options.max_tries or seconds > _MAX_WAIT_S:
            raise failure from error
        self._made += 1
        await self._options.sleep(seconds)


def _passing() -> tuple[type[Exception], ...]:
    return (TimeoutError, _CutError, _BusyError, load_httpx2().TransportError)
