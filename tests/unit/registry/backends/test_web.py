"""A client that repeats, resumes, and keeps its credentials to itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.registry.backends._web import Answer, WebClient, WebOptions

ORIGIN = "https://registry.test"
BLOB = bytes(range(256)) * 10
Step = httpx2.Response | Exception | Callable[[httpx2.Request], Any]


class Script(httpx2.AsyncBaseTransport):
    """Answers each request with the next step, the last one again and again, and remembers the requests."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step


class Cut(httpx2.AsyncByteStream):
    """A body that breaks after some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data
        raise httpx2.ReadError("cut")


class Trickle(httpx2.AsyncByteStream):
    """A body that never comes."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"1"
        await asyncio.sleep(60)
        yield b"2"


class Waits(list[float]):
    """Remembers how long was waited."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


def client(script: Script, waits: Waits | None = None, **options: Any) -> WebClient:
    async def authorize(scope: str, challenge: str | None) -> str | None:
        return f"Bearer {challenge or 'first'}"

    def explain(answer: Answer) -> RegistryError:
        return (PackageNotFoundError if answer.status == 404 else RegistryError)(f"explained {answer.status}")

    chosen = WebOptions(transport=script, sleep=(waits if waits is not None else Waits()).sleep, **options)
    return WebClient(ORIGIN, chosen, explain=explain, authorize=authorize)


def get(web: WebClient, **kwargs: Any) -> Answer:
    return asyncio.run(web.request("GET", f"{ORIGIN}/x", expect=(200,), **kwargs))


def download(web: WebClient, size: int = len(BLOB)) -> bytes:
    async def main() -> bytes:
        return b"".join([piece async for piece in web.download(f"{ORIGIN}/blob", size=size)])

    return asyncio.run(main())


def resumed(request: httpx2.Request) -> httpx2.Response:
    start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
    headers = {"content-range": f"bytes {start}-{len(BLOB) - 1}/{len(BLOB)}"}
    return httpx2.Response(206, headers=headers, content=BLOB[start:])


@pytest.mark.parametrize(
    "trouble",
    [httpx2.ConnectError("no"), httpx2.ReadTimeout("slow"), *map(httpx2.Response, (429, 500, 502, 503, 504))],
    ids=["connect", "time-out", "429", "500", "502", "503", "504"],
)
def test_what_may_pass_is_tried_again(trouble):
    script = Script(trouble, httpx2.Response(200, content=b"ok"))
    assert get(client(script)).body == b"ok"
    assert len(script.requests) == 2


def test_waits_double_and_vary_by_half():
    waits = Waits()
    with pytest.raises(RegistryError, match=r"gave no whole answer in 4 tries \(ConnectError: refused\)"):
        get(client(Script(httpx2.ConnectError("refused")), waits))
    assert len(waits) == 3
    for wait, middle in zip(waits, (0.2, 0.4, 0.8), strict=True):
        assert middle / 2 <= wait <= middle * 1.5


def test_a_refusal_that_lasts_is_explained():
    with pytest.raises(RegistryError, match="explained 503"):
        get(client(Script(httpx2.Response(503))))


def test_the_registry_says_how_long_to_wait():
    waits = Waits()
    get(client(Script(httpx2.Response(429, headers={"retry-after": "7"}), httpx2.Response(200)), waits))
    assert waits == [7.0]


def test_a_wait_that_is_too_long_is_reported_at_once():
    waits = Waits()
    with pytest.raises(RegistryError, match="explained 429"):
        get(client(Script(httpx2.Response(429, headers={"retry-after": "31"})), waits))
    assert waits == []


def test_what_will_not_pass_is_not_repeated():
    script = Script(httpx2.Response(404))
    with pytest.raises(PackageNotFoundError):
        get(client(script))
    assert len(script.requests) == 1


def test_an_answer_that_is_too_large_is_not_read():
    with pytest.raises(IntegrityError, match="more than 10 bytes"):
        get(client(Script(httpx2.Response(200, content=b"x" * 11))), max_bytes=10)


def test_an_answer_that_does_not_come_is_given_up():
    script = Script(lambda _: httpx2.Response(200, stream=Trickle()))
    with pytest.raises(RegistryError, match="TimeoutError"):
        get(client(script, timeout_s=0.01, max_tries=2))
    assert len(script.requests) == 2


def test_a_download_that_is_cut_goes_on_where_it_was():
    script = Script(httpx2.Response(200, stream=Cut(BLOB[:1000])), resumed)
    assert download(client(script)) == BLOB
    assert [request.headers.get("range") for request in script.requests] == [None, "bytes=1000-"]


def test_a_registry_without_ranges_begins_again_and_nothing_comes_twice():
    script = Script(httpx2.Response(200, stream=Cut(BLOB[:1000])), httpx2.Response(200, content=BLOB))
    assert download(client(script)) == BLOB


def test_another_part_than_was_asked_for_is_refused():
    other = httpx2.Response(206, headers={"content-range": "bytes 0-9/10"}, content=BLOB)
    with pytest.raises(IntegrityError, match="another part"):
        download(client(Script(httpx2.Response(200, stream=Cut(BLOB[:1000])), other)))


def test_a_download_that_does_not_get_on_is_given_up():
    script = Script(lambda _: httpx2.Response(200, content=b"short"))
    with pytest.raises(RegistryError, match=r"5 of 2,560 bytes came"):
        download(client(script))
    assert len(script.requests) == 4


def test_a_long_download_may_be_cut_often():
    blob = bytes(8 << 20)

    def part(request: httpx2.Request) -> httpx2.Response:
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        headers = {"content-range": f"bytes {start}-{len(blob) - 1}/{len(blob)}"}
        return httpx2.Response(206 if start else 200, headers=headers, stream=Cut(blob[start : start + (1 << 20)]))

    script = Script(part)
    assert download(client(script, max_tries=2), size=len(blob)) == blob


def test_an_empty_download_is_one_request():
    script = Script(httpx2.Response(200))
    assert download(client(script), size=0) == b""
    assert len(script.requests) == 1


def test_a_challenge_is_answered_once():
    refused = httpx2.Response(401, headers={"www-authenticate": "again"})
    script = Script(refused, httpx2.Response(200))
    get(client(script))
    assert [request.headers["authorization"] for request in script.requests] == ["Bearer first", "Bearer again"]
    with pytest.raises(RegistryError, match="explained 401"):
        get(client(Script(refused)))


def test_a_download_follows_to_where_no_credentials_go():
    elsewhere = httpx2.Response(307, headers={"location": "https://cdn.test/blob"})
    script = Script(elsewhere, httpx2.Response(200, content=BLOB))
    assert download(client(script)) == BLOB
    assert [request.url.host for request in script.requests] == ["registry.test", "cdn.test"]
    assert "authorization" in script.requests[0].headers
    assert "authorization" not in script.requests[1].headers


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        pytest.param("http://cdn.test/blob", "which is not encrypted", id="plain"),
        pytest.param("http://127.0.0.1/blob", "which is not encrypted", id="this machine"),
        pytest.param("file:///etc/passwd", "which is not encrypted", id="file"),
        pytest.param("/blob", "explained 302", id="in circles"),
    ],
)
def test_a_download_is_not_led_astray(target, problem):
    script = Script(httpx2.Response(302, headers={"location": target}))
    with pytest.raises(RegistryError, match=problem):
        download(client(script))
    assert len(script.requests) <= 4


def test_only_downloads_follow():
    script = Script(httpx2.Response(302, headers={"location": "https://cdn.test/x"}))
    with pytest.raises(RegistryError, match="explained 302"):
        get(client(script))
    assert len(script.requests) == 1
