"""Ten thousand rows through the server: filtered, sorted, scrolled, chosen from and changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

WINDOW = "tabelao/main"
KEEP_FRAMES = """
window.frames_ = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => window.frames_.push(data));
  }
};
"""
TO_THE_END = """
table => {
  let box = table;
  const isLong = each => each.scrollHeight > each.clientHeight + 1;
  const scrolls = each => isLong(each) && /auto|scroll/.test(getComputedStyle(each).overflowY);
  while (!scrolls(box)) box = box.parentElement;
  box.scrollTop = box.scrollHeight;
}
"""


@pytest.fixture(scope="module")
def served(serve: Callable[..., Desktop]) -> Desktop:
    return serve("tabelao", "--engine", "restricted", "--yes")


@pytest.fixture
def ana(person: Callable[..., Person], served: Desktop) -> Person:
    one = person(served, script=KEEP_FRAMES)
    grid(one).get_by_text("Cliente 0", exact=True).wait_for()
    return one


def grid(ana: Person) -> Locator:
    """Find the table."""
    return ana.window(WINDOW).get_by_role("grid", name="Clientes")


def test_only_rows_near_the_screen_exist(ana: Person) -> None:
    """The table says how many there are; the page holds few of them, also after a long way down."""
    rows = grid(ana).get_by_role("row")
    expect(grid(ana)).to_have_attribute("aria-rowcount", "10001")
    assert rows.count() < 200

    grid(ana).evaluate(TO_THE_END)

    expect(grid(ana).get_by_text("Cliente 0", exact=True)).to_have_count(0)
    assert 5 < rows.count() < 200


def test_filtered_row_is_chosen_by_its_own_key(ana: Person) -> None:
    """Not by its place on the screen."""
    ana.window(WINDOW).get_by_label("Filtrar Clientes").fill("cliente 8123")
    grid(ana).get_by_text("Cliente 8123", exact=True).click()

    expect(ana.window(WINDOW).get_by_text("escolhida: 8123")).to_be_visible()


def test_change_of_one_row_is_a_small_message(ana: Person) -> None:
    """Under 2,000 bytes, and the row is drawn."""
    ana.press(WINDOW, "Mudar uma linha")
    expect(grid(ana).get_by_text("Cliente mudado")).to_be_visible()

    told = ana.page.evaluate("() => window.frames_.filter(text => text.includes('Cliente mudado'))")
    patches = [text for text in told if '"type":"patch"' in text]
    assert patches, "the change came as a whole tree"
    assert all(len(text.encode()) < 2_000 for text in patches)
