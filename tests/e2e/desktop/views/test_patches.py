"""Patches leave the person where they are."""

from __future__ import annotations

from plataforma_sdk import ui
from tests.e2e.desktop.views.view import View


def test_patch_leaves_focus_text_and_selection(view: View) -> None:
    """Elements come and go around a field in which the person types."""
    view.show(ui.text("a", key="a"), ui.text_field("nome", label="Nome", key="n"), ui.text("b", key="b"))
    field = view.page.get_by_label("Nome")
    field.fill("João Souza")
    field.evaluate("field => field.setSelectionRange(2, 5)")

    done = view.patch(
        {"op": "props", "key": "0.n", "set": {"label": "Seu nome", "help": "inteiro"}},
        {"op": "remove", "key": "0.a"},
        {"op": "insert", "key": "0", "at": 0, "node": ui.to_data(ui.heading("Novo")) | {"key": "0.h"}},
        {"op": "move", "key": "0.n", "at": 2},
    )

    field = view.page.get_by_label("Seu nome")
    assert done
    assert field.input_value() == "João Souza"
    assert field.evaluate("field => [document.activeElement === field, field.selectionStart, field.selectionEnd]") == [
        True,
        2,
        5,
    ]


def test_whole_tree_keeps_what_is_in_both(view: View) -> None:
    """A window whose tree is sent anew does not begin anew."""
    fields = [ui.text_field(name, label=name, key=name) for name in ("um", "dois")]
    view.show(*fields, ui.text("x"))
    view.page.get_by_label("um").fill("escrito")

    view.show(ui.heading("Antes"), *reversed(fields))

    assert view.page.get_by_label("um").input_value() == "escrito"
    assert view.page.get_by_label("um").evaluate("field => field === document.activeElement")
    assert view.page.get_by_text("x", exact=True).count() == 0


def test_own_text_that_comes_back_does_not_overwrite_what_was_typed_since(view: View) -> None:
    """The module stores what it is told and shows it again; the person is further by then."""
    view.show(ui.text_field("nome", label="Nome", on_change="ir", key="n"))
    field = view.page.get_by_label("Nome")
    field.press_sequentially("Jo")
    view.wait_for_events(1)
    field.press_sequentially("ana")

    view.patch({"op": "props", "key": "0.n", "set": {"value": "Jo"}})

    assert field.input_value() == "Joana"


def test_value_that_the_module_changes_is_shown(view: View) -> None:
    """A module that corrects what it was told has the last word, and the cursor stays."""
    view.show(ui.text_field("nome", label="Nome", value="ana", on_change="ir", key="n"))
    field = view.page.get_by_label("Nome")
    field.press_sequentially("b")
    view.wait_for_events(1)

    view.patch({"op": "props", "key": "0.n", "set": {"value": "ANAB"}})

    assert field.input_value() == "ANAB"


def test_patch_that_does_not_fit_is_said_and_the_next_tree_mends_it(view: View) -> None:
    """The desktop then asks for the whole tree."""
    view.show(ui.text("um", key="a"))

    assert not view.patch({"op": "props", "key": "0.a", "set": {"value": "dois"}}, {"op": "remove", "key": "0.none"})

    view.show(ui.text("três", key="a"))
    assert view.page.locator(".pv-text").all_text_contents() == ["três"]


def test_selected_tab_is_the_persons_until_the_module_asks_for_another(view: View) -> None:
    """What they chose stays when labels change or pages come before it."""
    pages = [ui.tab(name, f"página {name}", key=name) for name in ("a", "b", "c")]
    view.show(ui.tabs(*pages, selected=0, key="t"))
    view.page.get_by_role("tab", name="b").click()

    view.patch({"op": "props", "key": "0.t.b", "set": {"label": "B!"}})
    view.patch(
        {"op": "insert", "key": "0.t", "at": 0, "node": ui.to_data(ui.tab("z", "z", key="z")) | {"key": "0.t.z"}}
    )
    kept = view.page.get_by_role("tab", selected=True).text_content()
    view.patch({"op": "props", "key": "0.t", "set": {"selected": 3}})
    asked = view.page.get_by_role("tab", selected=True).text_content()
    page = ui.to_data(ui.tab("y", "y", key="y")) | {"key": "0.t.y"}
    view.patch(
        {"op": "props", "key": "0.t", "set": {"selected": 4}}, {"op": "insert", "key": "0.t", "at": 4, "node": page}
    )

    assert (kept, asked) == ("B!", "c")
    assert view.page.get_by_role("tab", selected=True).text_content() == "y"


def test_focus_of_an_element_that_goes_falls_to_the_window(view: View) -> None:
    """And not to the page, where the keyboard would be lost."""
    view.show(ui.button("Ir", on_press="ir", key="b"), ui.text("fica"))
    view.page.get_by_role("button", name="Ir").focus()

    view.patch({"op": "remove", "key": "0.b"})

    assert view.page.evaluate("document.activeElement.className") == "pv-content"


def test_modal_holds_the_focus_of_its_window_and_gives_it_back(view: View) -> None:
    """What lies below is inert for as long as it stands in the tree."""
    view.show(ui.button("Abrir", on_press="abrir", key="b"), ui.text_field("nome", label="Nome"))
    view.page.get_by_role("button", name="Abrir").click()
    modal = ui.to_data(ui.modal(ui.text_field("x", label="Dentro"), title="Diálogo", on_close="fechar"))

    view.patch({"op": "insert", "key": "0", "at": 2, "node": modal | {"key": "0.m"}})
    in_dialog = view.page.evaluate("document.activeElement.getAttribute('role')")
    is_inert = view.page.evaluate("document.querySelector('.pv-content').inert")
    view.patch({"op": "remove", "key": "0.m"})

    assert (in_dialog, is_inert) == ("dialog", True)
    assert view.page.evaluate("[document.activeElement.textContent, document.querySelector('.pv-content').inert]") == [
        "Abrir",
        False,
    ]
