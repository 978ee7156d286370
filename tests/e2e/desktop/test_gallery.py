"""Every element, through the server: what a person does arrives at the module, and what it draws comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

WINDOW = "galeria/main"


@pytest.fixture(scope="module")
def gallery(serve: Callable[..., Desktop]) -> Desktop:
    return serve("galeria", "--engine", "restricted", "--yes")


@pytest.fixture(scope="module")
def ana(sitting: Callable[..., Person], gallery: Desktop) -> Person:
    one = sitting(gallery)
    one.window(WINDOW).wait_for()
    return one


ACTS: dict[str, tuple[Callable[[Locator], object], str]] = {
    "button": (lambda w: w.get_by_role("button", name="Apertar").click(), "botão = NoneType None"),
    "card": (lambda w: w.get_by_text("Cartão", exact=True).click(), "cartão = NoneType None"),
    "tabs": (lambda w: w.get_by_role("tab", name="Segunda").click(), "aba = int 1"),
    "list": (lambda w: w.get_by_text("outro item").click(), "item = int 1"),
    "table": (lambda w: w.get_by_role("grid", name="Pessoas").get_by_text("Bruno").click(), "linha = int 8"),
    "text_field": (lambda w: _write(w, "Texto", "olá <b>"), "texto = str olá <b>"),
    "number_field": (lambda w: _write(w, "Preço", "10,50"), "número = Decimal 10.50"),
    "select_field": (lambda w: w.get_by_label("País").select_option("Chile"), "país = str Chile"),
    "checkbox_field": (lambda w: w.get_by_label("Aceito").check(), "marca = bool True"),
    "date_field": (lambda w: _write(w, "Dia", "2024-02-29"), "dia = date 2024-02-29"),
    "alert": (lambda w: w.get_by_role("button", name="Dispensar").click(), "aviso = NoneType None"),
}


def _write(window: Locator, label: str, text: str) -> None:
    field = window.get_by_label(label, exact=True)
    field.fill(text)
    field.blur()


@pytest.mark.parametrize("element", ACTS)
def test_what_a_person_does_arrives_at_the_module(ana: Person, element: str) -> None:
    """Typed as the module meant it, and the answer is drawn."""
    act, arrived = ACTS[element]
    window = ana.window(WINDOW)

    act(window)

    expect(window.get_by_text(arrived, exact=True)).to_be_visible()


def test_what_is_only_shown_is_shown(ana: Person) -> None:
    """By role and name, as somebody who does not see the screen finds it; values in the language of the page."""
    window = ana.window(WINDOW)

    expect(window.get_by_role("heading", name="Figuras")).to_be_visible()
    expect(window.get_by_role("img", name="Um ponto")).to_be_visible()
    expect(window.get_by_role("img", name="Estrela")).to_be_visible()
    expect(window.get_by_role("progressbar", name="Progresso")).to_be_visible()
    expect(window.get_by_role("separator")).to_be_visible()
    expect(window.get_by_text("selo", exact=True)).to_be_visible()
    expect(window.get_by_text("R$\u00a01.234,50")).to_be_visible()
    expect(window.get_by_text("29/02/2024")).to_be_visible()
    expect(window.get_by_role("figure", name="Receita").get_by_role("img")).to_be_visible()


def test_modal_of_a_module_closes_where_it_says(ana: Person) -> None:
    """The module hears of it, and takes the modal out of its tree."""
    window = ana.window(WINDOW)
    window.get_by_role("button", name="Abrir modal").click()

    window.get_by_role("dialog", name="Um modal").press("Escape")

    expect(window.get_by_text("modal fechado", exact=True)).to_be_visible()
    expect(window.get_by_role("dialog", name="Um modal")).to_have_count(0)


def test_disabled_button_says_nothing(ana: Person) -> None:
    """Neither by pointer nor by keyboard."""
    button = ana.window(WINDOW).get_by_role("button", name="Desativado")

    expect(button).to_be_disabled()
