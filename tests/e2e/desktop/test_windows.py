"""Windows by pointer and keyboard: where they stand, which is in front, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

FORM, COUNTER = "cadastro/main", "contador/main"
PLACES = """
localStorage["plataforma.places"] ??= JSON.stringify([
  ["cadastro/main", { x: 300, y: 120, width: 520, height: 440, zone: "normal" }],
  ["contador/main", { x: 420, y: 60, width: 420, height: 300, zone: "normal" }],
]);
"""
"""Where both stand at first, with room on all sides."""


@pytest.fixture(scope="module")
def two(serve: Callable[..., Desktop]) -> Desktop:
    return serve("cadastro", "contador", "--engine", "restricted", "--yes")


@pytest.fixture
def ana(person: Callable[..., Person], two: Desktop) -> Person:
    one = person(two, script=PLACES)
    one.front(COUNTER)
    one.front(FORM)
    return one


def grip(ana: Person, key: str) -> tuple[float, float]:
    """Return a point of a title bar."""
    box = ana.window(key).locator(".pd-grip").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def desk(ana: Person) -> dict[str, float]:
    """Return the rectangle in which windows stand."""
    box = ana.page.locator(".pd-windows").bounding_box()
    assert box is not None
    return dict(box)


def test_window_is_dragged_by_its_bar(ana: Person) -> None:
    """It stands where it was let go, at its size, and there again after the page is loaded anew."""
    before = ana.place(FORM)
    x, y = grip(ana, FORM)

    ana.drag_to((x, y), (x + 140, y + 60))

    moved = before | {"x": before["x"] + 140, "y": before["y"] + 60}
    assert ana.place(FORM) == moved
    ana.page.reload()
    ana.front(FORM)
    assert ana.place(FORM) == moved


def test_window_is_never_dragged_out_of_reach(ana: Person) -> None:
    """Its bar stays on the desk."""
    x, y = grip(ana, FORM)

    ana.drag_to((x, y), (x, 895))

    bar = ana.window(FORM).locator(".pd-bar").bounding_box()
    room = desk(ana)
    assert bar is not None
    assert bar["y"] + bar["height"] <= room["y"] + room["height"] + 1


@pytest.mark.parametrize(
    ("edge", "dx", "dy", "change"),
    [
        ("e", 60, 0, {"width": 60}),
        ("s", 0, 50, {"height": 50}),
        ("se", 40, 30, {"width": 40, "height": 30}),
        ("nw", -40, -30, {"x": -40, "y": -30, "width": 40, "height": 30}),
    ],
)
def test_edge_stretches_a_window(ana: Person, edge: str, dx: int, dy: int, change: dict[str, int]) -> None:
    """The edges that are not pulled stay where they are."""
    before = ana.place(FORM)

    ana.drag(ana.window(FORM).locator(f".pd-edge-{edge}"), dx, dy)

    assert ana.place(FORM) == {name: value + change.get(name, 0) for name, value in before.items()}


def test_window_cannot_be_stretched_to_nothing(ana: Person) -> None:
    """It keeps a size at which it can be used."""
    ana.drag(ana.window(FORM).locator(".pd-edge-se"), -2_000, -2_000)

    place = ana.place(FORM)
    assert (place["width"], place["height"]) == (280, 160)


@pytest.mark.parametrize(
    ("to", "zone"),
    [((0, 0.5), "left"), ((1, 0.5), "right"), ((0.5, 0), "full"), ((0, 0.1), "top-left"), ((1, 0.9), "bottom-right")],
)
def test_window_snaps_at_the_edges(ana: Person, to: tuple[float, float], zone: str) -> None:
    """Halves at the sides, quarters at the corners, the whole at the top; the double click brings the size back."""
    before, room = ana.place(FORM), desk(ana)
    x = room["x"] + min(max(to[0] * room["width"], 2), room["width"] - 2)
    y = room["y"] + min(max(to[1] * room["height"], 2), room["height"] - 2)

    ana.drag_to(grip(ana, FORM), (x, y))

    window = ana.window(FORM)
    expect(window).to_have_attribute("data-zone", zone)
    shown = ana.place(FORM)
    assert shown["width"] == round(room["width"] if zone == "full" else room["width"] / 2)
    assert shown["height"] == round(room["height"] if zone in {"full", "left", "right"} else room["height"] / 2)
    if zone == "full":
        ana.press(FORM, "Restaurar")
        assert ana.place(FORM) == before


def test_escape_takes_a_drag_back(ana: Person) -> None:
    """As long as the button is held."""
    before = ana.place(FORM)
    ana.page.mouse.move(*grip(ana, FORM))
    ana.page.mouse.down()
    ana.page.mouse.move(300, 300, steps=4)

    ana.page.keyboard.press("Escape")
    ana.page.mouse.up()

    assert ana.place(FORM) == before


def test_window_is_maximised_minimised_and_brought_back(ana: Person) -> None:
    """By its buttons and by the dock; the content is the same all along."""
    window = ana.window(FORM)
    before = ana.place(FORM)
    window.get_by_role("textbox", name="Nome").fill("Ana Júlia")

    ana.press(FORM, "Maximizar")
    assert ana.place(FORM)["width"] == round(desk(ana)["width"])
    ana.press(FORM, "Minimizar")
    expect(window).to_be_hidden()
    ana.app("cadastro").click()
    expect(window).to_be_visible()
    ana.press(FORM, "Restaurar")

    assert ana.place(FORM) == before
    expect(window.get_by_role("textbox", name="Nome")).to_have_value("Ana Júlia")


def test_click_brings_a_window_to_the_front(ana: Person) -> None:
    """Above the others, and the dock says which it is."""
    x, y = grip(ana, COUNTER)
    ana.drag_to(grip(ana, FORM), (x + 250, y + 300))

    ana.window(COUNTER).locator(".pd-bar").click(position={"x": 20, "y": 10})

    order = ana.page.evaluate(
        'keys => keys.map(key => Number(document.querySelector(`[data-key="${key}"]`).style.zIndex))', [FORM, COUNTER]
    )
    assert order[1] > order[0]
    expect(ana.app("contador")).to_have_attribute("aria-current", "true")


def test_window_is_worked_by_keyboard_alone(ana: Person) -> None:
    """Moved, stretched, snapped, put away and brought back."""
    before = ana.place(FORM)
    press = ana.page.keyboard.press
    ana.window(FORM).get_by_role("button", name="Guardar").focus()

    for key in ("Alt+Shift+M", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Enter"):
        press(key)
    assert ana.place(FORM) == before | {"x": before["x"] + 80, "y": before["y"] + 16}

    for key in ("Alt+Shift+R", "ArrowRight", "ArrowDown", "Enter"):
        press(key)
    stretched = ana.place(FORM)
    assert (stretched["width"], stretched["height"]) == (before["width"] + 16, before["height"] + 16)

    for key in ("Alt+Shift+M", "ArrowRight", "Escape"):
        press(key)
    assert ana.place(FORM) == stretched

    press("Alt+Shift+ArrowLeft")
    expect(ana.window(FORM)).to_have_attribute("data-zone", "left")
    press("Alt+Shift+X")
    expect(ana.window(FORM)).to_have_attribute("data-zone", "full")
    press("Alt+Shift+N")
    expect(ana.window(FORM)).to_be_hidden()


def test_switcher_goes_to_the_window_before(ana: Person) -> None:
    """Alt+Shift+Q as often as it takes; letting go chooses."""
    ana.window(FORM).get_by_role("button", name="Guardar").focus()
    for key in ("Alt", "Shift"):
        ana.page.keyboard.down(key)
    ana.page.keyboard.press("q")
    expect(ana.page.get_by_role("dialog", name="Trocar de janela")).to_be_visible()
    for key in ("Shift", "Alt"):
        ana.page.keyboard.up(key)

    expect(ana.app("contador")).to_have_attribute("aria-current", "true")


def test_closed_window_is_gone_everywhere_and_the_launcher_brings_it_back(
    ana: Person, person: Callable[..., Person], two: Desktop
) -> None:
    """Closing is the module's window closing, not this page's alone."""
    bia = person(two)
    bia.window(FORM).wait_for(state="attached")

    ana.press(FORM, "Fechar")
    expect(ana.window(FORM)).to_have_count(0)
    expect(bia.window(FORM)).to_have_count(0)

    ana.page.keyboard.press("Control+k")
    ana.page.get_by_role("combobox", name="Buscar módulos, janelas e comandos").fill("cadastr")
    ana.page.keyboard.press("Enter")
    expect(ana.window(FORM)).to_be_visible()
    expect(bia.window(FORM)).to_have_count(1)
