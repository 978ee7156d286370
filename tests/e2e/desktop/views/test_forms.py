"""Forms check, gather and say; figures are exact."""

from __future__ import annotations

import pytest

from plataforma_sdk import codec, ui
from tests.e2e.desktop.views.view import View


def test_form_gathers_its_fields_by_name(view: View) -> None:
    """At any depth, without the disabled ones, in values of their types."""
    view.show(
        ui.form(
            ui.row(ui.text_field("nome", label="Nome"), ui.number_field("idade", label="Idade", integer=True)),
            ui.card(ui.checkbox_field("ok", label="Aceito")),
            ui.text_field("fixo", value="x", disabled=True),
            ui.select_field("g", ["Rock", "Jazz"], label="Gênero", value="Jazz"),
            on_submit="salvar",
        )
    )

    view.page.get_by_label("Nome").fill("Ana")
    view.page.get_by_label("Idade").fill("42")
    view.page.get_by_label("Aceito").check()
    view.page.get_by_label("Nome").press("Enter")

    assert view.wait_for_events(1) == [("salvar", [], {"nome": "Ana", "idade": 42, "ok": True, "g": "Jazz"})]
    view.check_values()


def test_form_with_faults_is_not_sent_and_says_why(view: View) -> None:
    """The message stands under its field, is announced with it, and goes once it is mended."""
    view.show(
        ui.form(
            ui.text_field("nome", label="Nome", required=True),
            ui.number_field("idade", label="Idade", maximum=120, value=30),
            on_submit="salvar",
        )
    )
    name, age = view.page.get_by_label("Nome"), view.page.get_by_label("Idade")

    age.fill("130")
    view.page.get_by_role("button", name="Enviar").click()

    assert view.events == []
    assert name.evaluate("field => field === document.activeElement")
    assert name.get_attribute("aria-invalid") == "true"
    told = name.evaluate("field => document.getElementById(field.getAttribute('aria-describedby')).textContent")
    assert told == "Preencha este campo."
    assert view.page.get_by_text("No máximo 120.").is_visible()

    name.fill("Ana")
    assert name.get_attribute("aria-invalid") is None


def test_form_says_that_it_was_refused(view: View) -> None:
    """What the person wrote stays."""
    view.show(ui.form(ui.text_field("nome", label="Nome"), on_submit="salvar"))
    view.page.evaluate("fake.ack = {ok: false, error: {code: 'x', text: 'O nome já existe.'}}")

    view.page.get_by_label("Nome").fill("Ana")
    view.page.get_by_role("button", name="Enviar").click()

    assert view.page.get_by_role("alert").get_by_text("O nome já existe.").is_visible()
    assert view.page.get_by_label("Nome").input_value() == "Ana"


@pytest.mark.parametrize(
    ("typed", "sent", "shown"),
    [("1.500", "1500", "1500"), ("0,1", "0.1", "0,1"), ("12.5", "12.5", "12,5")],
)
def test_decimal_field_is_exact(view: View, typed: str, sent: str, shown: str) -> None:
    """A field whose own numbers are decimals sends decimals, and shows what it understood."""
    view.show(ui.number_field("preco", label="Preço", step=codec.decode('{"$t":"decimal","v":"0.05"}'), on_change="ir"))
    price = view.page.get_by_label("Preço")

    price.fill(typed)
    price.blur()

    assert repr(view.wait_for_events(1)[0][2]) == f"Decimal('{sent}')"
    assert price.input_value() == shown


def test_arrows_step_exactly(view: View) -> None:
    """Three steps of 0.1 are 0.3, and the range holds."""
    step = codec.decode('{"$t":"decimal","v":"0.1"}')
    view.show(
        ui.number_field("n", label="N", step=step, minimum=0, maximum=codec.decode('{"$t":"decimal","v":"0.35"}'))
    )
    field = view.page.get_by_label("N", exact=True)
    field.focus()

    for _ in range(4):
        view.page.keyboard.press("ArrowUp")
    stepped = field.input_value()
    view.page.keyboard.press("ArrowUp")

    assert (stepped, field.input_value()) == ("0,3", "0,35")
