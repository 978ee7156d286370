"""The desktop behind a real server, with a client that is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from plataforma_sdk import codec
from plataforma_sdk.web.desktop import WireLimits
from plataforma_sdk.web.desktop._protocol import SUBPROTOCOL
from plataforma_sdk.web.desktop._serving import server_of
from tests.unit.web.desktop.desk import Case, Open


@attrs.define(eq=False)
class Served:
    """A desktop on a port."""

    case: Case
    url: str
    cookie: str = ""
    token: str = ""

    async def enter(self) -> None:
        await asyncio.to_thread(self._enter)

    def _enter(self) -> None:
        jar = urllib.request.HTTPCookieProcessor()
        with urllib.request.build_opener(jar).open(self.case.desktop.address(self.url)) as page:
            self.token = page.read().decode().partition('content="')[2].partition('"')[0]
        (cookie,) = jar.cookiejar
        self.cookie = f"{cookie.name}={cookie.value}"

    def socket(self, **options: Any) -> connect:
        address = f"{self.url.replace('http', 'ws')}/socket"
        headers = {"Cookie": self.cookie}
        given = {"origin": self.url, "subprotocols": [Subprotocol(SUBPROTOCOL)], "additional_headers": headers}
        return connect(address, proxy=None, **{**given, **options})

    async def hello(self, client: ClientConnection) -> dict[str, Any]:
        said = {"type": "hello", "token": self.token, "resume": None, "last_seq": 0, "seen": {}, "locale": "en"}
        await client.send(codec.encode(said))
        return await take(client, "welcome")


async def take(client: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = codec.decode(await client.recv())
            if message["type"] == kind:
                return message


@contextlib.asynccontextmanager
async def served(case: Case) -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(case.app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server._serve([listener]))  # `serve` would take the signals of the tests
            while not server.started:
                await asyncio.sleep(0.01)
            try:
                yield Served(case, f"http://127.0.0.1:{listener.getsockname()[1]}")
            finally:
                await case.desktop.aclose()
                server.should_exit = True


def test_a_window_crosses_a_real_socket(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case, served(case) as desk:
            await desk.enter()
            async with desk.socket() as client:
                assert not (await desk.hello(client))["resumed"]
                assert (await take(client, "window"))["module"] == "counter"
                await case.host.modules["counter"].call("change_row", 0, "x")
                assert (await take(client, "patch"))["ops"][0]["op"] == "rows"

    run(main())


def test_a_foreign_page_is_refused_before_the_handshake_ends(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case, served(case) as desk:
            await desk.enter()
            for options in ({"origin": "https://evil.example"}, {"origin": None}, {"additional_headers": {}}):
                with pytest.raises(InvalidStatus) as refused:
                    await desk.socket(**options)
                assert refused.value.response.status_code == 403

    run(main())


def test_a_client_that_stops_reading_is_cut_off_and_the_others_go_on(run: Any, open_case: Open) -> None:
    limits = WireLimits(send_timeout_s=0.2)

    async def main() -> None:
        async with open_case(limits=limits) as case, served(case) as desk:
            await desk.enter()
            async with desk.socket(max_queue=1, compression=None) as stuck, desk.socket() as client:
                await desk.hello(client)
                welcome = await desk.hello(stuck)
                session = next(session for session in case.desktop.sessions if session.id == welcome["session"])
                while session.connection is not None:  # more than what the kernel and the client hold
                    session.send({"type": "notification", "body": "x" * 100_000}, replaces="flood")
                    await asyncio.sleep(0)
                await case.host.modules["counter"].call("change_row", 0, "x")
                assert (await take(client, "patch"))["module"] == "counter"
                with pytest.raises(ConnectionClosed):
                    await take(stuck, "never")

    run(main())


def test_the_command_says_goodbye_before_its_server_closes_the_sockets(run: Any, open_case: Open) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with open_case() as case, asyncio.TaskGroup() as tasks:
                server = server_of(case.app, case.desktop.aclose)
                desk = Served(case, f"http://127.0.0.1:{listener.getsockname()[1]}")
                tasks.create_task(server._serve([listener]))  # `serve` would take the signals of the tests
                while not server.started:
                    await asyncio.sleep(0.01)
                await desk.enter()
                async with desk.socket() as client:
                    await desk.hello(client)
                    server.handle_exit(signal.SIGTERM, None)
                    assert (await take(client, "bye"))["reason"] == "shutdown"

    run(main())


def test_the_end_of_the_server_is_said(run: Any, open_case: Open) -> None:
    async def main() -> None:
        async with open_case() as case, served(case) as desk:
            await desk.enter()
            async with desk.socket() as client:
                await desk.hello(client)
                await case.desktop.aclose()
                assert (await take(client, "bye"))["reason"] == "shutdown"
                with pytest.raises(ConnectionClosed):
                    await client.recv()
                assert client.close_code == 1001

    run(main())
