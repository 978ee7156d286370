"""Messages that no honest page sends, through a socket of the page's own or another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

COUNTER = "contador/main"
FORGE = """
async ({ token, messages, wait }) => {
  const socket = new WebSocket(new URL("socket", document.baseURI.replace("http", "ws")), "plataforma.desktop.v1");
  const heard = [];
  const closed = new Promise(resolve => (socket.onclose = ({ code }) => resolve(code)));
  socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
  await new Promise(resolve => ((socket.onopen = resolve), (socket.onerror = resolve)));
  const own = document.querySelector("meta[name=plataforma-token]")?.content;
  const look = { locale: "pt-BR", theme: "light" };
  const hello = { type: "hello", token: token ?? own, resume: null, last_seq: 0, seen: {}, ...look };
  if (socket.readyState === 1) socket.send(JSON.stringify(hello));
  for (let turn = 0; turn < 40 && !heard.some(({ type }) => type === "window"); turn += 1) {
    if (socket.readyState !== 1) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  for (const message of messages) if (socket.readyState === 1) socket.send(JSON.stringify(message));
  const code = await Promise.race([closed, new Promise(resolve => setTimeout(() => resolve(null), wait))]);
  if (code === null) socket.close();
  return { heard: heard.filter(({ type }) => ["ack", "bye", "toast"].includes(type)), code };
}
"""


@pytest.fixture(scope="module")
def served(serve: Callable[..., Desktop]) -> Desktop:
    return serve("contador", "--engine", "restricted", "--yes")


@pytest.fixture
def ana(person: Callable[..., Person], served: Desktop) -> Person:
    one = person(served)
    one.front(COUNTER)
    one.expected = ("WebSocket connection to",)
    return one


def forge(ana: Person, *messages: Any, token: str | None = None, wait: int = 600) -> dict[str, Any]:
    """Send messages through a second socket of the page, and return what came back."""
    given = {"messages": list(messages), "token": token, "wait": wait}
    return dict(ana.page.evaluate(FORGE, given))


def an_event(**changes: Any) -> dict[str, Any]:
    """Make an event as the page would, but for what is changed."""
    event = {
        "window_id": "main",
        "revision": 1,
        "element_key": "0.2.0",
        "handler": "apertar",
        "arguments": [],
        "value": None,
    }
    return {"type": "event", "seq": 1, "module": "contador", "event": event | changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"handler": "on_unload"},
        {"handler": "__init__"},
        {"handler": "constructor"},
        {"arguments": [10**9]},
        {"element_key": "0.99"},
        {"element_key": "__proto__"},
        {"revision": 10**6},
        {"window_id": "other"},
        {"value": {"__proto__": {"x": 1}}},
    ],
    ids=lambda changes: next(iter(changes)) + " " + str(next(iter(changes.values())))[:12],
)
def test_event_that_no_tree_holds_is_refused(ana: Person, changes: dict[str, Any]) -> None:
    """The module hears nothing of it, and the answer says why."""
    number = ana.window(COUNTER).locator("dd").first
    before = number.inner_text()

    answer = forge(ana, an_event(**changes))

    acks = [message for message in answer["heard"] if message["type"] == "ack"]
    assert [ack["ok"] for ack in acks] == [False]
    assert number.inner_text() == before
    assert ana.page.evaluate("({}).x") is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "answer", "seq": 1, "prompt": "none", "answer": "always"},
        {"type": "permission", "seq": 1, "module": "contador", "permission": "*", "action": "grant"},
        {"type": "permission", "seq": 1, "module": "contador", "permission": "database.read", "action": "grant"},
        {"type": "task", "seq": 1, "module": "contador", "action": "limits", "limits": {"__proto__": 1}},
        {"type": "task", "seq": 1, "module": "no-such", "action": "unload"},
        {"type": "show", "seq": 1, "module": "../../etc/passwd"},
    ],
    ids=lambda message: " ".join(str(value)[:12] for value in list(message.values())[2:]),
)
def test_order_that_makes_no_sense_is_refused(ana: Person, message: dict[str, Any]) -> None:
    """Whoever may write to the socket still gives nothing that a module did not declare."""
    answer = forge(ana, message)

    assert [ack["ok"] for ack in answer["heard"] if ack["type"] == "ack"] == [False]
    ana.press(COUNTER, "Contar")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nonsense"},
        {"no": "type"},
        [],
        {"type": "hello", "token": "again"},
        {"type": "event", "seq": "one", "module": "contador"},
        {"type": "event", "seq": 1, "module": {"a": 1}, "event": 7},
    ],
    ids=str,
)
def test_frame_out_of_protocol_ends_that_connection_alone(ana: Person, message: Any) -> None:
    """The socket that sent it is closed; the page beside it goes on."""
    answer = forge(ana, message, wait=3_000)

    assert answer["code"] == 1008
    before = int(ana.window(COUNTER).locator("dd").first.inner_text())
    ana.press(COUNTER, "Contar")
    expect(ana.window(COUNTER).locator("dd").first).to_have_text(str(before + 1))


def test_socket_without_the_token_of_the_page_is_closed(ana: Person) -> None:
    """The cookie alone is not enough."""
    answer = forge(ana, token="0" * 64, wait=3_000)

    assert answer["code"] == 1008
    assert [message["reason"] for message in answer["heard"] if message["type"] == "bye"] == ["unauthorized"]


def test_page_of_another_origin_gets_no_socket(ana: Person, served: Desktop) -> None:
    """Not even in the same browser, with the same cookie: the origin is not the page's own."""
    page = ana.context.new_page()
    page.route("http://elsewhere.test/", lambda route: route.fulfill(body="<p>elsewhere", content_type="text/html"))
    page.goto("http://elsewhere.test/")
    opened = page.evaluate(
        """
        url => new Promise(resolve => {
          const socket = new WebSocket(url, "plataforma.desktop.v1");
          socket.onopen = () => resolve(true);
          socket.onclose = () => resolve(false);
        })
        """,
        served.base.replace("http", "ws") + "socket",
    )

    assert opened is False
