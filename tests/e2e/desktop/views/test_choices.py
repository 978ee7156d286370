"""A long choice is searched, by the ARIA pattern."""

from __future__ import annotations

from plataforma_sdk import ui
from tests.e2e.desktop.views.view import View

COUNTRIES = ["África do Sul", "Alemanha", "Brasil", "Áustria", *(f"País {place}" for place in range(300))]


def test_long_choice_is_searched_without_accents(view: View) -> None:
    """By the ARIA pattern: the input keeps the focus, the option is active, Enter takes it."""
    view.show(ui.select_field("p", COUNTRIES, label="País", on_change="ir"))
    field = view.page.get_by_role("combobox", name="País")

    field.click()
    field.fill("austria")
    active = field.get_attribute("aria-activedescendant")
    view.page.keyboard.press("Enter")

    assert active
    assert view.wait_for_events(1) == [("ir", [], "Áustria")]
    assert field.input_value() == "Áustria"
    assert field.get_attribute("aria-expanded") == "false"


def test_escape_leaves_a_long_choice_as_it_was(view: View) -> None:
    """It closes the list and nothing else."""
    view.show(ui.modal(ui.select_field("p", COUNTRIES, label="País", value="Brasil"), title="D", on_close="fechar"))
    field = view.page.get_by_role("combobox", name="País")

    field.click()
    field.fill("ale")
    view.page.keyboard.press("Escape")

    assert field.input_value() == "Brasil"
    assert view.events == []


def test_several_of_a_long_choice_are_chips(view: View) -> None:
    """Chosen by typing, taken away by their button; values in the order of the options."""
    view.show(ui.select_field("p", COUNTRIES, label="Países", value=["Brasil"], multiple=True, on_change="ir"))
    field = view.page.get_by_role("combobox", name="Países")

    field.click()
    field.fill("alemanha")
    view.page.keyboard.press("Enter")
    view.wait_for_events(1)
    view.page.get_by_role("button", name="Remover Brasil").click()

    assert [value for _, _, value in view.wait_for_events(2)] == [["Alemanha", "Brasil"], ["Alemanha"]]


def test_open_choice_stays_inside_its_window(view: View) -> None:
    """A list at the lower edge opens upwards."""
    view.show(*(ui.text(f"linha {place}") for place in range(17)), ui.select_field("p", COUNTRIES, label="País"))

    view.page.get_by_role("combobox", name="País").click()

    box, window = (view.page.locator(name).bounding_box() for name in (".pv-popup", ".pv-view"))
    assert box is not None
    assert window is not None
    assert box["y"] >= window["y"]
    assert box["y"] + box["height"] <= window["y"] + window["height"]
