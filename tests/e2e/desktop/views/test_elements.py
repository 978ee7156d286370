"""Every element is drawn, and tells what a person did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk import ui
from tests.e2e.desktop.views.view import View


def test_every_element_of_the_catalogue_is_drawn(open_view: Callable[..., View]) -> None:
    """Nothing of the gallery, in which each element stands, falls back to the box of an unknown one."""
    view = open_view("tree=gallery")

    assert view.page.locator(".pv-plugin").count() == 1  # the plugin's own
    assert (
        view.page.evaluate("new Set([...fake.view.records.values()].map(r => r.node.type)).size")
        >= len(ui.CATALOGUE) - 1
    )


@pytest.mark.parametrize(
    ("element", "act", "expected"),
    [
        pytest.param(
            ui.button("Ir", on_press=ui.action("ir", 1, 1.0, "x", None)),
            lambda page: page.get_by_role("button", name="Ir").click(),
            ("ir", [1, 1.0, "x", None], None),
            id="button",
        ),
        pytest.param(
            ui.card(ui.text("texto"), title="Abrir", on_press="ir"),
            lambda page: page.get_by_text("texto").click(),
            ("ir", [], None),
            id="card",
        ),
        pytest.param(
            ui.alert("Aviso", on_close="ir"),
            lambda page: page.get_by_role("button", name="Dispensar").click(),
            ("ir", [], None),
            id="alert",
        ),
        pytest.param(
            ui.modal(ui.text("dentro"), title="Diálogo", on_close="ir"),
            lambda page: page.keyboard.press("Escape"),
            ("ir", [], None),
            id="modal",
        ),
        pytest.param(
            ui.list("um", "dois", "três", on_select="ir"),
            lambda page: page.get_by_text("dois").click(),
            ("ir", [], 1),
            id="list",
        ),
        pytest.param(
            ui.tabs(ui.tab("A", "a"), ui.tab("B", "b"), ui.tab("C", "c"), on_select="ir"),
            lambda page: (page.get_by_role("tab", name="A").focus(), page.keyboard.press("ArrowLeft")),
            ("ir", [], 2),
            id="tabs",
        ),
        pytest.param(
            ui.table([{"id": 7, "nome": "Ana"}, {"id": 8, "nome": "Bia"}], row_key="id", on_select="ir"),
            lambda page: page.get_by_text("Bia").click(),
            ("ir", [], 8),
            id="table",
        ),
        pytest.param(
            ui.chart({"jan": 1, "fev": 2}, on_select="ir"),
            lambda page: page.get_by_text("fev").click(),
            ("ir", [], 1),
            id="chart",
        ),
        pytest.param(
            ui.text_field("nome", label="Nome", on_change="ir"),
            lambda page: page.get_by_label("Nome").fill("João"),
            ("ir", [], "João"),
            id="text_field",
        ),
        pytest.param(
            ui.text_field("nome", label="Nome", on_submit="ir"),
            lambda page: (page.get_by_label("Nome").fill("João"), page.keyboard.press("Enter")),
            ("ir", [], "João"),
            id="text_field-enter",
        ),
        pytest.param(
            ui.number_field("n", label="Quanto", on_change="ir"),
            lambda page: page.get_by_label("Quanto").fill("1.234,5"),
            ("ir", [], 1234.5),
            id="number_field",
        ),
        pytest.param(
            ui.checkbox_field("ok", label="Aceito", on_change="ir"),
            lambda page: page.get_by_label("Aceito").check(),
            ("ir", [], True),
            id="checkbox_field",
        ),
        pytest.param(
            ui.select_field("g", ["Rock", "Jazz"], label="Gênero", on_change="ir"),
            lambda page: page.get_by_label("Gênero").select_option(label="Jazz"),
            ("ir", [], "Jazz"),
            id="select_field",
        ),
        pytest.param(
            ui.select_field("g", [(1, "Um"), (2, "Dois")], label="Quais", multiple=True, value=[2], on_change="ir"),
            lambda page: page.get_by_label("Um").check(),
            ("ir", [], [1, 2]),
            id="select_field-multiple",
        ),
    ],
)
def test_element_tells_what_the_person_did(view: View, element: ui.Element, act: Any, expected: Any) -> None:
    """The handler, its arguments exactly as they stood in the tree, and the value."""
    view.show(element)
    if element.type == "modal":
        view.page.get_by_role("dialog").focus()

    act(view.page)

    assert repr(view.wait_for_events(1)) == repr([expected])
    view.check_values()


def test_date_field_sends_a_date(view: View) -> None:
    """A day, not a text: the host checks it as one."""
    view.show(ui.date_field("d", label="Dia", on_change="ir"))

    view.page.get_by_label("Dia").fill("2024-02-29")

    assert str(view.wait_for_events(1)[0][2]) == "2024-02-29"


@pytest.mark.parametrize("kind", ["text", "email", "url"])
def test_value_that_the_browser_tidies_is_no_change(view: View, kind: Any) -> None:
    """A field that is only passed through tells nothing."""
    view.show(ui.text_field("nome", label="Nome", kind=kind, value=" uma\nduas ", on_change="ir"))

    view.page.get_by_label("Nome").focus()
    view.page.get_by_label("Nome").blur()
    view.page.wait_for_timeout(400)

    assert view.events == []


def test_disabled_elements_tell_nothing(view: View) -> None:
    """The host would refuse it anyway."""
    view.show(
        ui.button("Ir", on_press="ir", disabled=True),
        ui.text_field("nome", label="Nome", disabled=True, on_change="ir"),
    )

    view.page.get_by_role("button", name="Ir").click(force=True)

    assert view.page.get_by_label("Nome").is_disabled()
    assert view.events == []


def test_button_tells_once_until_it_is_answered(open_view: Callable[..., View]) -> None:
    """A second click while the first is on its way does not order twice."""
    view = open_view("delay=400")
    view.show(ui.button("Comprar", on_press="comprar"))
    button = view.page.get_by_role("button", name="Comprar")

    button.click()
    button.click(force=True)
    view.page.locator("button[aria-busy=true]").wait_for()
    view.page.locator("button:not([aria-busy]):not([aria-disabled])").wait_for()

    assert view.events == [("comprar", [], None)]
