"""The service as a process: slow clients, signals, and what is said where it cannot begin."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from uvicorn.server import ServerState

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import digest_of
from plataforma_sdk.web.registry import Scope, ServiceOptions, create_token, open_tokens, registry_app, serve
from plataforma_sdk.web.registry._protocol import PatientProtocol
from plataforma_sdk.web.registry._server import configured

HEAD = b"GET / HTTP/1.1\r\nHost: registry.test\r\n\r\n"


class Hasty(PatientProtocol):
    head_s = 0.05
    stuck_s = 0.05


async def answer(scope, receive, send):
    """Answer a little for /, and a lot for everything else."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"2" if scope["path"] == "/" else b"64000000")],
        }
    )
    await send({"type": "http.response.body", "body": b"ok" if scope["path"] == "/" else bytes(64_000_000)})


@contextlib.asynccontextmanager
async def connected():
    """Connect to a server that has little patience; `state.connections` are those that it holds."""
    config, state = configured(answer, grace_s=1), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hasty(config=config, server_state=state, app_state={}), "127.0.0.1")
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1 << 10)
    try:
        yield reader, writer, state
    finally:
        writer.close()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", HEAD[:-4]], ids=["nothing", "half a line", "half a head"])
def test_a_head_that_does_not_end_is_cut(run, begun):
    async def main():
        async with connected() as (reader, writer, _):
            writer.write(begun)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    run(main())


def test_a_head_that_comes_byte_by_byte_is_cut(run):
    """uvicorn's own time-out begins anew with every byte."""

    async def main():
        async with connected() as (_, writer, state):
            with contextlib.suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            assert not state.connections

    run(main())


def test_a_body_that_nobody_reads_is_cut(run):
    async def main():
        async with connected() as (reader, writer, state):
            writer.write(b"PUT / HTTP/1.1\r\nHost: registry.test\r\nContent-Length: 1000000\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            with contextlib.suppress(ConnectionError):
                while state.connections:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            assert not state.connections

    run(main())


def test_a_reader_that_takes_nothing_is_cut(run):
    async def main():
        async with connected() as (reader, writer, state):
            writer.write(HEAD.replace(b"/ ", b"/all ", 1))
            await reader.readline()
            while state.connections:
                await asyncio.sleep(0.01)

    run(main())


def test_one_request_follows_another(run):
    async def main():
        async with connected() as (reader, writer, _):
            for _ in range(3):
                writer.write(HEAD)
                while await reader.readline() != b"\r\n":
                    pass
                assert await reader.readexactly(2) == b"ok"
                await asyncio.sleep(0.02)

    run(main())


# --- as a process ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(directory: Path, *options: str):
    """Start the command, and wait until it says where it serves; its process, host and port."""
    command = [sys.executable, "-m", "plataforma_sdk.cli", "registry", "serve", str(directory), "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            found = re.fullmatch(r"Serving (.+) on http://(127\.0\.0\.1):(\d+)\n", process.stdout.readline())
            assert found is not None
            assert found[1] == str(directory)
            yield process, found[2], int(found[3])
        finally:
            process.kill()


def token_of(directory: Path) -> str:
    with contextlib.closing(open_tokens(directory)) as tokens:
        return create_token(tokens, "case", [Scope("publish")])[1]


async def begin_upload(directory: Path, host: str, port: int, content: bytes):
    """Send the half of a blob, and return when it has arrived."""
    reader, writer = await asyncio.open_connection(host, port)
    head = f"PUT /v1/blobs/{digest_of(content)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of(directory)}\r\n"
    writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[: len(content) // 2])
    await writer.drain()
    while not list((directory / "blobs" / "incoming").iterdir()):
        await asyncio.sleep(0.01)
    return reader, writer


posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@posix
def test_a_service_that_is_stopped_lets_an_upload_end(run, tmp_path):
    content = bytes(3_000_000)

    async def main(process, host, port):
        reader, writer = await begin_upload(tmp_path, host, port, content)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        writer.write(content[len(content) // 2 :])
        assert (await reader.readline()).startswith(b"HTTP/1.1 201")
        writer.close()

    with started(tmp_path) as (process, host, port):
        run(main(process, host, port))
        assert process.wait(10) == 0
        assert process.stdout.read() == "Stopped: nothing is under way.\n"
    (blob,) = [path for path in (tmp_path / "blobs" / "sha256").rglob("*") if path.is_file()]
    assert digest_of(blob.read_bytes()) == digest_of(content)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


@posix
def test_an_upload_that_does_not_end_in_time_leaves_nothing(run, tmp_path):
    async def main(process, host, port):
        _, writer = await begin_upload(tmp_path, host, port, bytes(3_000_000))
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 15)
        writer.close()

    with started(tmp_path, "--grace", "0") as (process, host, port):
        run(main(process, host, port))
        assert process.returncode == 0
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_a_port_that_is_taken_is_said(run, tmp_path):
    async def main():
        taken = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1")
        async with taken:
            port = taken.sockets[0].getsockname()[1]
            with pytest.raises(RegistryError, match=f"port {port} cannot be listened on .*take another --port"):
                await serve(ServiceOptions(directory=tmp_path), port=port)

    run(main())


def test_a_directory_that_is_none_is_said(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="cannot be used"):
        run(serve(ServiceOptions(directory=tmp_path / "file")))


def test_a_certificate_that_is_none_is_said(run, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text("no key")
    with pytest.raises(RegistryError, match=r"key\.pem .*are no certificate and its key"):
        run(serve(ServiceOptions(directory=tmp_path), certificate=str(path), key=str(path)))


@pytest.mark.parametrize("name", ["_app", "_server"])
def test_without_the_extra_the_advice_is_to_install_it(run, tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, f"plataforma_sdk.web.registry.{name}", None)
    options = ServiceOptions(directory=tmp_path)
    with pytest.raises(RegistryError, match=r"pip install 'plataforma-sdk\[web\]'"):
        registry_app(options) if name == "_app" else run(serve(options))


def test_an_application_opens_and_closes_its_registry(tmp_path):
    with TestClient(registry_app(ServiceOptions(directory=tmp_path / "registry"))) as client:
        assert (tmp_path / "registry" / "tokens.sqlite").exists()
        assert client.get("/ready").json() == {"is_ready": True, "detail": "0 modules in a directory"}
    assert not (tmp_path / "registry" / "registry.sqlite-wal").exists()
