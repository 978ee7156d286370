"""The host's API over HTTP: against a mock of httpx2, and against a socket that records the bytes."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, ExternalTransport, HttpTransport
from plataforma_sdk.errors import ApiStatusError, TransportError

httpx2 = pytest.importorskip("httpx2")

Run = Callable[[Any], Any]


class Server:
    """Answers every connection on loopback with the same bytes and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.received: list[bytes] = []
        self.connections = 0
        self._answer = answer

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        self.received.append(head + (await reader.readexactly(int(length[0].split(b":")[1])) if length else b""))
        writer.write(self._answer)
        await writer.drain()
        writer.close()


def http(body: bytes = b"", *lines: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def call(run: Run, server: Server, path: str, *, base: str = "", **options: Any) -> Any:
    async def main() -> Any:
        async with server, HttpTransport(f"http://127.0.0.1:{server.port}{base}") as transport:
            limit = options.pop("max_response_bytes", 1_000)
            client = ApiClient(transport, module_id="vendas", version="1.0.0", max_response_bytes=limit)
            return await client.request(path, **options)

    return run(main())


@pytest.mark.parametrize(
    ("base", "path", "line"),
    [
        ("", "/vendas/clientes", b"GET /vendas/clientes HTTP/1.1"),
        ("/api", "/vendas/clientes?a=b", b"GET /api/vendas/clientes?a=b HTTP/1.1"),
        ("/api/", "/vendas/x", b"GET /api/vendas/x HTTP/1.1"),
        ("", "/vendas/Jo%c3%a3o%20@a:b!$'()*,=", b"GET /vendas/Jo%C3%A3o%20%40a%3Ab%21%24%27%28%29%2A%2C%3D HTTP/1.1"),
        ("", "/vendas/what%3F?a=%2F%26%3d", b"GET /vendas/what%3F?a=%2F%26%3D HTTP/1.1"),
        ("", "/vendas/~x?a=~", b"GET /vendas/~x?a=~ HTTP/1.1"),
    ],
)
def test_exactly_the_checked_bytes_are_sent(run: Run, base: str, path: str, line: bytes) -> None:
    server = Server(http())
    call(run, server, path, base=base)
    assert server.received[0].split(b"\r\n")[0] == line


def test_request_carries_identity_and_body(run: Run) -> None:
    server = Server(http(b'{"id": 7}', "content-type: application/json"))
    assert call(run, server, "/vendas/x", method="POST", json={"a": 1}) == {"id": 7}
    head, body = server.received[0].lower().split(b"\r\n\r\n")
    assert {b"x-module-id: vendas", b"x-module-version: 1.0.0", b"content-type: application/json"} <= set(
        head.split(b"\r\n")
    )
    assert body == b'{"a":1}'


def test_redirect_never_leaves_the_origin(run: Run) -> None:
    server = Server(http(b"", "location: http://169.254.169.254/", status="302 Found"))
    with pytest.raises(TransportError, match="not followed"):
        call(run, server, "/vendas/x")
    assert server.connections == 1


def test_cookies_are_not_kept(run: Run) -> None:
    server = Server(http(b"1", "set-cookie: session=s3cret", "content-type: application/json"))

    async def main() -> None:
        async with server, HttpTransport(f"http://127.0.0.1:{server.port}") as transport:
            await ApiClient(transport).request("/vendas/x")
            await ApiClient(transport).request("/vendas/x")

    run(main())
    assert len(server.received) == 2
    assert b"cookie" not in server.received[1].lower()


def test_proxy_and_netrc_of_the_environment_are_not_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password s3cret")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = Server(http())
    call(run, server, "/vendas/x")
    assert b"authorization" not in server.received[0].lower()


def test_compressed_answer_is_read(run: Run) -> None:
    server = Server(http(gzip.compress(b'"abc"'), "content-encoding: gzip", "content-type: application/json"))
    assert call(run, server, "/vendas/x") == "abc"


@pytest.mark.parametrize(
    "answer",
    [
        http(b"x" * 1_001),
        http(gzip.compress(bytes(1_000_000)), "content-encoding: gzip"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"ff\r\n" + b"x" * 255 + b"\r\n" * 1
        + b"ff\r\n" + b"x" * 255 + b"\r\n" + b"2ff\r\n" + b"x" * 0x2FF + b"\r\n0\r\n\r\n",
    ],
    ids=["announced", "bomb", "chunked"],
)  # fmt: skip
def test_answer_over_the_limit_is_refused(run: Run, answer: bytes) -> None:
    with pytest.raises(TransportError, match="larger than 1,000 bytes"):
        call(run, Server(answer), "/vendas/x", max_response_bytes=1_000)


def test_answer_to_head_may_announce_anything(run: Run) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\nconnection: close\r\n\r\n"
    assert call(run, Server(answer), "/vendas/x", method="HEAD") is None


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"])
def test_broken_answer_is_a_transport_error(run: Run, answer: bytes) -> None:
    with pytest.raises(TransportError, match="got no answer"):
        call(run, Server(answer), "/vendas/x")


def test_refused_connection_does_not_tell_the_address(run: Run) -> None:
    async def main() -> None:
        async with Server(b"") as server:
            port = server.port
        async with HttpTransport(f"http://127.0.0.1:{port}") as transport:
            await ApiClient(transport).request("/vendas/x")

    with pytest.raises(TransportError) as caught:
        run(main())
    assert "127.0.0.1" not in str(caught.value)


def test_transport_of_httpx2_can_be_injected(run: Run) -> None:
    seen: list[Any] = []

    def answer(request: Any) -> Any:
        seen.append(request)
        return httpx2.Response(404, json={"error": "x"})

    transport = HttpTransport("https://intranet.example/api", transport=httpx2.MockTransport(answer))
    with pytest.raises(ApiStatusError) as caught:
        run(ApiClient(transport).request("/vendas/x"))
    assert (caught.value.status, caught.value.body) == (404, {"error": "x"})
    assert seen[0].url.host == "intranet.example"
    assert seen[0].extensions["target"] == b"/api/vendas/x"


def test_absolute_url_is_refused(run: Run) -> None:
    transport = HttpTransport("http://intranet.example", transport=httpx2.MockTransport(lambda _: None))
    with pytest.raises(TransportError, match="relative paths only"):
        run(ApiClient(transport).request("https://api.example.com/"))


@pytest.mark.parametrize(
    "base",
    ["ftp://x.example", "intranet.example", "https://", "https://u:p@x.example", "https://x.example?a=b",
     "https://x.example/#a", ""],
)  # fmt: skip
def test_base_url_is_one_plain_origin(base: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        HttpTransport(base)


@pytest.mark.parametrize("make", [lambda: HttpTransport("https://intranet.example"), ExternalTransport])
def test_missing_httpx2_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(TransportError, match=r"pip install 'plataforma-sdk\[http\]'"):
        make()


def test_httpx2_is_not_imported_before_the_first_call() -> None:
    """It takes 0.2 s, and most hosts never call over a network."""
    code = "import sys; from plataforma_sdk.api import *; HttpTransport('http://x.example'); ExternalTransport()"
    command = [sys.executable, "-c", f"{code}; sys.exit('httpx2' in sys.modules)"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, check=False, env=environment).returncode == 0
