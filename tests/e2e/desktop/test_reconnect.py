"""A connection that is lost comes back, and nothing of what the person did is gone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

FORM, COUNTER = "cadastro/main", "contador/main"
KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    window.sockets.push(this);
  }
};
"""
LOST = ("WebSocket connection to", "ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_RESET")


def test_page_comes_back_after_the_server_was_restarted(
    person: Callable[..., Person], desktop: Callable[..., Desktop]
) -> None:
    """Without a reload: typed text and the places of windows are as they were, and the windows work."""
    served = desktop("cadastro", "contador", "--engine", "restricted", "--yes")
    ana = person(served)
    ana.expected = LOST
    ana.front(FORM)
    ana.page.evaluate("window.same = true")
    ana.page.keyboard.press("Alt+Shift+M")
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        ana.page.keyboard.press(key)
    place = ana.place(FORM)
    name = ana.window(FORM).get_by_role("textbox", name="Nome")
    name.fill("Ana, ainda a escrever")

    served.stop()
    expect(ana.page.locator(".pd-state[data-state=reconnecting]")).to_be_attached()
    expect(ana.page.locator(".pd-banner")).to_be_visible()
    served.start()
    ana.wait_until_online()

    expect(ana.page.locator(".pd-banner")).to_be_hidden()
    assert ana.page.evaluate("window.same")
    assert ana.place(FORM) == place
    expect(name).to_have_value("Ana, ainda a escrever")
    ana.front(COUNTER)
    ana.press(COUNTER, "Contar")
    expect(ana.window(COUNTER).locator("dd").first).to_have_text("1")


def test_what_was_pressed_without_a_connection_is_done_once_it_is_back(
    person: Callable[..., Person], desktop: Callable[..., Desktop]
) -> None:
    """Exactly once: the network goes, the server does not."""
    ana = person(desktop("contador", "--engine", "restricted", "--yes"), script=KEEP_SOCKETS)
    ana.expected = LOST
    ana.front(COUNTER)
    ana.press(COUNTER, "Contar")
    number = ana.window(COUNTER).locator("dd").first
    expect(number).to_have_text("1")

    cut(ana)
    expect(ana.page.locator(".pd-state[data-state=reconnecting]")).to_be_attached()
    ana.press(COUNTER, "Contar")
    ana.context.set_offline(False)
    ana.wait_until_online()

    expect(number).to_have_text("2")
    ana.press(COUNTER, "Contar")
    expect(number).to_have_text("3")


def cut(ana: Person) -> None:
    """Take the network away; chromium leaves open sockets alone then, so the page's own is closed under it."""
    ana.context.set_offline(True)
    ana.page.evaluate("window.sockets.forEach(socket => socket.close())")


def test_session_of_another_server_ends_with_a_way_back(
    person: Callable[..., Person], desktop: Callable[..., Desktop]
) -> None:
    """Where the secret is another one, the page says so, instead of trying for ever."""
    served = desktop("contador", "--engine", "restricted", "--yes")
    ana = person(served)
    ana.expected = (*LOST, "401", "403")
    ana.front(COUNTER)

    served.stop()
    (served.state / "desktop.secret").unlink()
    served.start()

    expect(ana.page.get_by_role("dialog", name="Sua sessão terminou")).to_be_visible()
