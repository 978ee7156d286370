"""A module that wants to be more than its windows: nothing outside of them changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

MAIN, SYSTEM, COUNTER = "hostil/main", "hostil/system", "contador/main"


@pytest.fixture(scope="module")
def served(serve: Callable[..., Desktop]) -> Desktop:
    return serve("hostil", "cadastro", "--engine", "restricted", "--grant", "window.create", "--grant", "window.modal")


@pytest.fixture
def ana(person: Callable[..., Person], served: Desktop) -> Person:
    one = person(served)
    one.front(MAIN)
    return one


def test_markup_is_text_everywhere(ana: Person) -> None:
    """In titles, names, labels, cells, options, tooltips and pictures' words: no element of it exists."""
    window = ana.window(MAIN)
    expect(window.get_by_text('<img src=x onerror="window.invadido=1">').first).to_be_visible()
    ana.tool("launcher").click()
    expect(ana.page.get_by_role("option", name="<b>Plataforma</b> Sistema").first).to_be_visible()
    ana.page.keyboard.press("Escape")

    assert ana.page.evaluate("window.invadido") is None
    assert ana.page.evaluate("document.querySelectorAll('script, style, img[src=x], body b').length") == 1
    assert ana.page.evaluate("document.scripts[0].src").endswith("/static/js/main.js")
    assert ana.page.evaluate("({}).x === undefined && Object.keys(Object.prototype).length === 0")


def test_title_of_the_system_does_not_make_a_system_window(ana: Person) -> None:
    """The chip beside it is the platform's and names the module; system windows look otherwise."""
    for key in (MAIN, SYSTEM):
        window = ana.window(key)
        expect(window.locator(".pd-chip")).to_contain_text("Plataforma")
        expect(window.locator(".pd-chip")).to_have_attribute("title", "hostil")
        assert "pd-system" not in str(window.get_attribute("class")).split()
    ana.tool("settings").click()
    expect(ana.window("system:settings").locator(".pd-chip")).to_have_text("Sistema")


def test_window_never_leaves_the_desk(ana: Person) -> None:
    """However large it says to be, and however long its words: the dock stays in reach and the page does not grow."""
    ana.front(SYSTEM)
    for key in (MAIN, SYSTEM):
        place = ana.place(key)
        assert min(place["x"], place["y"]) >= 0
        assert place["x"] + place["width"] <= 1440
        assert place["y"] + place["height"] <= 900 - 40
    assert ana.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        1440,
        900,
    ]
    ana.tool("tasks").click()
    expect(ana.window("system:tasks")).to_be_visible()


def test_content_is_cut_at_the_window(ana: Person) -> None:
    """What lies at any point outside of a window belongs to no module."""
    outside = ana.page.evaluate(
        """
        key => {
          const window = document.querySelector(`[data-key="${key}"]`);
          const box = window.getBoundingClientRect();
          const points = [];
          for (let x = 2; x < innerWidth; x += 40) for (let y = 2; y < innerHeight; y += 40) points.push([x, y]);
          const isOutside = ([x, y]) => x < box.left - 8 || x > box.right + 8 || y < box.top - 8 || y > box.bottom + 8;
          return points.filter(isOutside).filter(([x, y]) => window.contains(document.elementFromPoint(x, y))).length;
        }
        """,
        MAIN,
    )

    assert outside == 0


def test_reason_of_a_request_is_quoted_and_cannot_turn_the_text_around(ana: Person) -> None:
    """In the dialog it stands as the module's words, cleaned and cut."""
    ana.front(MAIN)
    ana.press(MAIN, "Pedir")

    quote = ana.prompt.locator("blockquote")
    expect(quote).to_contain_text("<img src=x onerror")
    text = quote.inner_text()
    assert len(text) <= 200
    assert not set(text) & {"\u202e", "\x07"}
    expect(ana.prompt.get_by_text("O módulo diz:")).to_be_visible()
    assert ana.page.evaluate("window.invadido") is None
    ana.answer("no")


def test_tree_that_is_too_large_is_refused_and_said(ana: Person) -> None:
    """The last good one stays; the rest of the desktop works on."""
    ana.press(MAIN, "Crescer")

    expect(ana.page.locator(".pd-toast").first).to_be_visible()
    window = ana.front("cadastro/main")
    window.get_by_role("textbox", name="Nome").fill("Ana")
    window.get_by_role("button", name="Guardar").click()
    expect(window.get_by_text("1 guardados")).to_be_visible()


@pytest.mark.parametrize("attack", ["script", "handler", "style", "address"])
def test_policy_of_the_page_stops_what_was_injected(ana: Person, attack: str) -> None:
    """Were there a hole, the browser would still not run it."""
    ana.expected = ("Content Security Policy",)
    injected: dict[str, Any] = {
        "script": "const s = document.createElement('script'); s.textContent = 'window.invadido = 1'; body.append(s)",
        "handler": "body.insertAdjacentHTML('beforeend', '<button id=bad onclick=\"window.invadido=1\">x</button>');"
        "document.getElementById('bad').click()",
        "style": "body.insertAdjacentHTML('beforeend', '<style>body{display:none}</style>');"
        "if (getComputedStyle(body).display === 'none') window.invadido = 1",
        "address": "const a = document.createElement('a'); a.href = 'javascript:window.invadido=1';"
        "body.append(a); a.click()",
    }

    ana.page.evaluate(f"() => {{ const {{ body }} = document; {injected[attack]} }}")
    ana.page.wait_for_timeout(100)

    assert ana.page.evaluate("window.invadido") is None
    assert any("Content Security Policy" in fault for fault in ana.faults)
