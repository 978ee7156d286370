"""Calls outside: no test leaves this machine; names are resolved and connections made by the test."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, ExternalTransport
from plataforma_sdk.errors import TransportError

httpx2: Any = pytest.importorskip("httpx2")

Run = Callable[[Any], Any]
PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:4700:4700::1111"


class Network:
    """Plays resolver and network.

    Attributes:
        resolved: names asked for.
        connected: addresses connected to.
        requests: what was sent, as httpx2 requests.
    """

    def __init__(self, addresses: Sequence[str] = (PUBLIC,), answers: Sequence[Any] = ()) -> None:
        self.resolved: list[tuple[str, int]] = []
        self.connected: list[str] = []
        self.requests: list[Any] = []
        self.closed = 0
        self._addresses = addresses
        self._answers = list(answers)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.resolved.append((host, port))
        return self._addresses

    def connect(self, address: str) -> Any:
        self.connected.append(address)
        network = self

        class Recording(httpx2.MockTransport):  # type: ignore[misc]
            async def aclose(self) -> None:
                network.closed += 1

        return Recording(self._answer)

    def _answer(self, request: Any) -> Any:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else httpx2.Response(200, json={"ok": True})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> ApiClient:
        transport = ExternalTransport(resolver=self.resolve, connect=self.connect, **options)
        return ApiClient(transport, module_id="vendas", max_response_bytes=1_000)


def test_call_goes_to_the_checked_address_under_its_name(run: Run) -> None:
    network = Network()
    assert run(network.client().request("https://api.example.com/v1/x?a=b")) == {"ok": True}
    request = network.requests[0]
    assert (network.connected, str(request.url)) == ([PUBLIC], f"https://{PUBLIC}")
    assert request.headers["host"] == "api.example.com"
    assert request.extensions["sni_hostname"] == "api.example.com"
    assert request.extensions["target"] == b"/v1/x?a=b"


def test_name_is_resolved_once(run: Run) -> None:
    """DNS rebinding, CVE-2024-24759: a second answer would have no reader."""
    network = Network()
    run(network.client().request("https://api.example.com/"))
    assert network.resolved == [("api.example.com", 443)]


def test_address_of_version_six_stands_in_brackets(run: Run) -> None:
    network = Network([PUBLIC_V6])
    run(network.client().request("https://api.example.com/"))
    assert str(network.requests[0].url) == f"https://[{PUBLIC_V6}]"


def test_next_address_is_tried_when_nothing_was_sent(run: Run) -> None:
    network = Network([PUBLIC_V6, PUBLIC], [httpx2.ConnectError("no route")])
    assert run(network.client().request("https://api.example.com/", method="POST", json=1)) == {"ok": True}
    assert network.connected == [PUBLIC_V6, PUBLIC]


def test_other_failure_is_not_repeated(run: Run) -> None:
    network = Network([PUBLIC_V6, PUBLIC], [httpx2.ReadError("10.1.2.3 reset")])
    with pytest.raises(TransportError, match="gave no answer: ReadError") as caught:
        run(network.client().request("https://api.example.com/", method="POST", json=1))
    assert network.connected == [PUBLIC_V6]
    assert "10.1.2.3" not in str(caught.value)


def test_only_three_addresses_are_tried(run: Run) -> None:
    addresses = [f"93.184.215.{n}" for n in range(1, 9)]
    network = Network(addresses, [httpx2.ConnectTimeout("")] * 8)
    with pytest.raises(TransportError, match="cannot be reached"):
        run(network.client().request("https://api.example.com/"))
    assert network.connected == addresses[:3]


def test_every_connection_is_closed(run: Run) -> None:
    network = Network([PUBLIC, PUBLIC_V6], [httpx2.ConnectError("")])
    run(network.client().request("https://api.example.com/"))
    assert network.closed == 2


@pytest.mark.parametrize("addresses", [[], ["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:93.184.215.14"]], ids=repr)
def test_no_connection_without_public_addresses_alone(run: Run, addresses: list[str]) -> None:
    network = Network(addresses)
    with pytest.raises(TransportError) as caught:
        run(network.client().request("https://api.example.com/"))
    assert network.connected == []
    assert not [address for address in addresses if address in str(caught.value)]


def test_unknown_name_is_a_transport_error(run: Run) -> None:
    async def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(TransportError, match="has no address"):
        run(ApiClient(ExternalTransport(resolver=fail, connect=Network().connect)).request("https://api.example.com/"))


def test_other_port_is_refused_before_resolution(run: Run) -> None:
    network = Network()
    with pytest.raises(TransportError, match="8443"):
        run(network.client().request("https://api.example.com:8443/"))
    assert network.resolved == []


def test_host_may_open_other_ports(run: Run) -> None:
    network = Network()
    run(network.client(ports=(443, 8443)).request("https://api.example.com:8443/"))
    assert network.requests[0].headers["host"] == "api.example.com:8443"
    assert network.requests[0].url.port == 8443


def test_redirect_is_not_followed(run: Run) -> None:
    network = Network(answers=[httpx2.Response(302, headers={"location": "https://127.0.0.1/"})])
    with pytest.raises(TransportError, match="not followed"):
        run(network.client().request("https://api.example.com/"))
    assert len(network.connected) == 1


def test_large_answer_is_refused(run: Run) -> None:
    network = Network(answers=[httpx2.Response(200, content=b"x" * 1_001)])
    with pytest.raises(TransportError, match="larger than 1,000"):
        run(network.client().request("https://api.example.com/"))


def test_relative_path_has_no_base(run: Run) -> None:
    with pytest.raises(TransportError, match="not an absolute URL"):
        run(Network().client().request("/vendas/x"))


def test_system_resolver_finds_loopback_and_refuses_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lookup(_self: Any, host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", lookup)
    network = Network()
    with pytest.raises(TransportError, match="not public"):
        run(ApiClient(ExternalTransport(connect=network.connect)).request("https://localtest.example/"))
    assert network.connected == []


# The real network stack against loopback: only the last step, which address is dialled, is the test's.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for api.example.com, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=api.example.com", "-addext", "subjectAltName=DNS:api.example.com"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


async def over_tls(certificate: tuple[Path, Path], url: str) -> tuple[Any, list[str | None], list[bytes]]:
    cert, key = certificate
    names: list[str | None] = []
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    trusted = ssl.create_default_context(cafile=cert)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    class ToLoopback(httpx2.AsyncHTTPTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            assert request.url.host == PUBLIC
            request.url = request.url.copy_with(host="127.0.0.1", port=port)
            return await super().handle_async_request(request)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return [PUBLIC]

    transport = ExternalTransport(resolver=resolve, connect=lambda _: ToLoopback(verify=trusted, trust_env=False))
    async with server:
        return await ApiClient(transport).request(url), names, received


def test_name_stands_in_sni_and_host(run: Run, certificate: tuple[Path, Path]) -> None:
    value, names, received = run(over_tls(certificate, "https://api.example.com/v1?a=b"))
    assert (value, names) == ("ok", ["api.example.com"])
    lines = received[0].split(b"\r\n")
    assert lines[0] == b"GET /v1?a=b HTTP/1.1"
    assert b"Host: api.example.com" in [line.replace(b"host:", b"Host:") for line in lines]


def test_certificate_of_another_name_is_refused(run: Run, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(TransportError, match="no valid certificate"):
        run(over_tls(certificate, "https://other.example.com/"))
