"""A browser without a network: cookies, pages and sockets, in the loop of the application."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

from plataforma_sdk import codec
from plataforma_sdk.web.desktop._protocol import SUBPROTOCOL

PATIENCE_S = 10.0


@attrs.frozen
class Answer:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Refused(Exception):
    """A socket was not opened."""


@attrs.define(eq=False)
class Browser:
    """Asks an application, keeps its cookies, and opens its sockets."""

    app: Any
    origin: str = "http://127.0.0.1:8000"
    root: str = ""
    cookies: dict[str, str] = attrs.field(factory=dict)
    page_token: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.origin).netloc

    def _scope(self, kind: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        target = urlsplit(path)
        scheme = urlsplit(self.origin).scheme
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"host": self.host, **({"cookie": cookie} if cookie else {}), **headers}
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": scheme.replace("http", "ws") if kind == "websocket" else scheme,
            "path": f"{self.root}/{target.path}",
            "raw_path": f"{self.root}/{target.path}".encode(),
            "root_path": "",
            "query_string": target.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }

    async def get(self, path: str = "", **headers: str) -> Answer:
        """Ask for something below the root."""
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        names = {name.replace("_", "-"): value for name, value in headers.items()}
        await self.app(self._scope("http", path, names), receive, send)
        fields = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        for name, morsel in SimpleCookie(fields.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        return Answer(sent[0]["status"], fields, b"".join(part.get("body", b"") for part in sent[1:]))

    async def enter(self, address: str) -> Self:
        """Follow an address with a token, and read the page."""
        answer = await self.get(f"?{urlsplit(address).query}")
        assert answer.status == 303, answer.text
        return await self.read_page()

    async def read_page(self) -> Self:
        answer = await self.get()
        assert answer.status == 200, answer.text
        self.page_token = re.findall(r'plataforma-token" content="([^"]+)"', answer.text)[0]
        return self

    async def open(self, *, protocols: Iterable[str] = (SUBPROTOCOL,), **headers: str) -> Page:
        """Open a socket, without a word said on it."""
        scope = self._scope("websocket", "socket", {"origin": self.origin, **headers})
        page = Page(self, {**scope, "subprotocols": list(protocols)})
        await page.start()
        return page

    async def join(self, *, resume: str | None = None, **fields: Any) -> Page:
        """Open a socket and say hello."""
        page = await self.open()
        await page.hello(resume=resume, **fields)
        page.welcome = await page.take("welcome")
        return page


class Page:
    """A socket of a page. Reads at once, unless `may_read` is cleared."""

    def __init__(self, browser: Browser, scope: dict[str, Any]) -> None:
        self._browser = browser
        self._scope = scope
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.received: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.close_code: int | None = None
        self.is_accepted = False
        self.welcome: dict[str, Any] = {}
        self._seq = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._browser.app(self._scope, self._to_app.get, self._take_in))
        while not self.is_accepted:
            await self._next_news()
            if self.close_code is not None:
                raise Refused(self.close_code)

    async def _take_in(self, message: dict[str, Any]) -> None:
        await self.may_read.wait()
        if message["type"] == "websocket.send":
            self.texts.append(message["text"])
            self.received.append(codec.decode(message["text"]))
        elif message["type"] == "websocket.close":
            self.close_code = message["code"]
        self.is_accepted |= message["type"] == "websocket.accept"
        self._news.set()

    async def _next_news(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._news.wait()
        self._news.clear()

    def say(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message as it is given."""
        self.say(codec.encode({"type": kind, **fields}))

    def ask(self, kind: str, **fields: Any) -> int:
        """Send a message with the next number."""
        self._seq += 1
        self.tell(kind, seq=self._seq, **fields)
        return self._seq

    async def answer_to(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a message and wait for its acknowledgement."""
        seq = self.ask(kind, **fields)
        return await self.take("ack", lambda ack: ack["seq"] == seq)

    async def hello(self, **fields: Any) -> None:
        said = {"token": self._browser.page_token, "resume": None, "last_seq": 0, "seen": {}, "locale": "pt-BR"}
        self.tell("hello", **{**said, "theme": "light", **fields})

    async def take(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Wait for a message and take it out of `received`."""
        while True:
            for message in self.received:
                if message["type"] == kind and fits(message):
                    self.received.remove(message)
                    return message
            assert self.close_code is None, f"closed with {self.close_code}, while {kind} was waited for"
            await self._next_news()

    async def closed(self) -> str:
        """Wait for the end and return the reason that was told, an empty one where none was."""
        while self.close_code is None:
            await self._next_news()
        return next((message["reason"] for message in self.received if message["type"] == "bye"), "")

    async def leave(self) -> None:
        """Break the connection."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})
        assert self._task is not None
        async with asyncio.timeout(PATIENCE_S):
            await self._task


def event(window: dict[str, Any], key: str, handler: str, *arguments: Any, value: Any = None) -> dict[str, Any]:
    """Write what a person did in a window that was received."""
    return {
        "window_id": window["window"]["id"],
        "revision": window["revision"],
        "element_key": key,
        "handler": handler,
        "arguments": list(arguments),
        "value": value,
    }


def kinds(page: Page) -> list[str]:
    """Return the types of what was received, for messages of failed tests too."""
    return [json.loads(text)["type"] for text in page.texts]
