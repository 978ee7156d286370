"""One window's tree in a real browser, against a scripted host: every element renders and acts, and patches leave the
person where they are.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plataforma_sdk import codec, ui
from tests.e2e.fake.view_server import make_server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("PLATAFORMA_CHROMIUM") or shutil.which("chromium")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.timeout(60),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with make_server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class View:
    """A page with one window, and what the scripted host was told."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def show(self, *children: ui.Element, charts: dict[str, Any] | None = None) -> None:
        """Show a column of elements, its key "0", as the window's tree."""
        self.show_data(ui.to_data(ui.column(*children)), charts)

    def show_data(self, tree: dict[str, Any], charts: dict[str, Any] | None = None) -> bool:
        self.tree = tree
        return bool(self.page.evaluate("([text, charts]) => fake.replace(text, charts)", [codec.encode(tree), charts]))

    def patch(self, *ops: dict[str, Any]) -> bool:
        return bool(self.page.evaluate("text => fake.apply(text)", codec.encode(list(ops))))

    def check_values(self) -> None:
        """See that the host would take what was told, as it stands."""
        for text in self.page.evaluate("fake.events()"):
            event = codec.decode(text)
            element = ui.find_element(self.tree, event["element_key"])
            assert element is not None
            ui.check_value(element, event["value"])

    @property
    def events(self) -> list[tuple[str, list[Any], Any]]:
        """What was told so far: handler, arguments, value."""
        told = [codec.decode(text) for text in self.page.evaluate("fake.events()")]
        return [(event["handler"], event["arguments"], event["value"]) for event in told]

    def wait_for_events(self, count: int) -> list[tuple[str, list[Any], Any]]:
        for _ in range(100):
            if len(self.events) >= count:
                break
            self.page.wait_for_timeout(20)
        return self.events


@pytest.fixture
def open_view(browser: Any, address: str) -> Iterator[Callable[..., View]]:
    """Open a page with a window; an error on its console fails the test."""
    contexts, faults = [], []

    def open_one(query: str = "", **options: Any) -> View:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.on("console", lambda message: message.type in {"error", "warning"} and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}?{query}")
        page.locator("html[data-ready]").wait_for()
        return View(page)

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def view(open_view: Callable[..., View]) -> View:
    """A window without a tree."""
    return open_view()


# --- every element --------------------------------------------------------------------------------------------------


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


# --- forms ----------------------------------------------------------------------------------------------------------


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


# --- the searchable choice --------------------------------------------------------------------------------------------


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


# --- patches --------------------------------------------------------------------------------------------------------


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

    assert kept == "B!"
    assert view.page.get_by_role("tab", selected=True).text_content() == "c"


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


# --- tables ---------------------------------------------------------------------------------------------------------


def test_ten_thousand_rows_are_scrolled_by_keyboard(open_view: Callable[..., View]) -> None:
    """Only what is seen is in the document; each key goes where it says; Enter chooses."""
    view = open_view("tree=big_table")
    grid = view.page.get_by_role("grid", name="Vendas")
    seen = []

    grid.focus()
    for key in ("End", "ArrowUp", "PageUp", "Home", "ArrowDown"):
        view.page.keyboard.press(key)
        seen.append(
            view.page.evaluate(
                "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).cells[0].textContent"
            )
        )
    view.page.keyboard.press("Enter")

    assert [seen[0], seen[1], seen[3], seen[4]] == ["12.000", "11.999", "1", "2"]
    assert int(seen[2].replace(".", "")) < 11_999 - 5
    assert view.wait_for_events(1) == [("linha", [], 2)]
    assert view.page.locator("tbody tr").count() < 80
    assert grid.get_attribute("aria-rowcount") == "12001"


def test_table_sorts_filters_and_keeps_both_through_a_patch(open_view: Callable[..., View]) -> None:
    """Order, search, choice and place are the person's; a row that changes moves where it belongs."""
    view = open_view("tree=big_table")
    first = view.page.locator("tbody:not(.pv-spacer) tr").first

    view.page.get_by_role("button", name="Nº").click()
    view.page.get_by_role("button", name="Nº").click()
    view.page.get_by_role("searchbox").fill("ARAUJO joao")
    view.page.get_by_text("400 linhas (de 12.000)").wait_for()
    sort = view.page.get_by_role("columnheader", name="Nº").get_attribute("aria-sort")
    before = first.text_content()
    row = {"id": 20_000, "data": None, "cliente": "João Araújo", "pais": "Brasil", "total": None}
    view.patch({"op": "rows", "key": "0.t", "prop": "rows", "splice": [[5, 0, [row]]]})

    assert sort == "descending"
    assert before != first.text_content()
    assert "João Araújo" in (first.text_content() or "")


def test_rows_that_come_above_do_not_move_what_is_read(open_view: Callable[..., View]) -> None:
    """The row at the upper edge stays there."""
    view = open_view("tree=big_table")
    scroller = view.page.locator(".pv-table-scroll")
    scroller.evaluate("box => { box.scrollTop = 36 * 500; }")
    top = """box => {
        const {x, y} = box.getBoundingClientRect();
        return document.elementFromPoint(x + 40, y + 60).parentElement.textContent;
    }"""
    view.page.wait_for_timeout(50)
    before = scroller.evaluate(top)
    rows = [{"id": 50_000 + place, "cliente": "novo"} for place in range(7)]

    view.patch({"op": "rows", "key": "0.t", "prop": "rows", "splice": [[0, 0, rows]]})

    assert scroller.evaluate(top) == before


def test_pages_are_turned(open_view: Callable[..., View]) -> None:
    """And counted in the person's language."""
    view = open_view("tree=vendas")

    view.page.get_by_role("button", name="Próxima página").click()

    assert view.page.get_by_text("21–40 de 412 linhas").is_visible()
    assert view.page.locator(".pv-grid:visible tbody:not(.pv-spacer) tr").count() == 20


# --- charts and images ----------------------------------------------------------------------------------------------


def test_chart_is_a_picture_with_its_figures_at_hand(open_view: Callable[..., View]) -> None:
    """The picture says what it shows; the figures are one press away."""
    view = open_view("tree=vendas&theme=dark")
    picture = view.page.get_by_role("img", name="Receita por mês: de 30 a 42 mil")

    view.page.get_by_role("button", name="Mostrar números").click()

    assert picture.get_attribute("src") == "charts/0123abcd.svg?theme=dark"
    assert view.page.get_by_role("figure").first.get_by_role("grid").get_by_text("2024-12").is_visible()


def test_chart_whose_picture_fails_is_a_table(view: View) -> None:
    """As where nobody draws charts."""
    view.page.route("**/charts/**", lambda route: route.fulfill(status=200, content_type="image/svg+xml", body="no"))

    view.show(ui.chart({"jan": 1}, key="c"), charts={"0.c": {"digest": "abc", "alt": "x", "width": 9, "height": 9}})

    view.page.get_by_role("grid").get_by_text("jan").wait_for()


def test_texts_follow_the_language(view: View) -> None:
    """Figures, dates and our own words, at once and in place."""
    view.show(ui.text(codec.decode('{"$t":"decimal","v":"1234.50"}'), format="number"), ui.form(on_submit="x"))

    view.page.evaluate("fake.setLocale('en')")

    assert view.page.locator(".pv-text").text_content() == "1,234.50"
    assert view.page.get_by_role("button", name="Send").is_visible()


# --- what a hostile module may try ------------------------------------------------------------------------------------


def hostile_tree() -> dict[str, Any]:
    markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    rtl = "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe\N{RIGHT-TO-LEFT EMBEDDING}"

    def node(key: str, type_: str, props: dict[str, Any], *children: dict[str, Any]) -> dict[str, Any]:
        return {"type": type_, "key": key, "props": props, "children": list(children)}

    deep = node("deep26", "text", {"value": "fundo"})
    for level in range(25, 0, -1):
        deep = node(f"deep{level}", "column", {}, deep)
    return node(
        "__proto__",
        "column",
        {"gap": markup, "__proto__": {"polluted": True}},
        node("a", markup, {"onclick": "document.title=3"}, node("a0", "text", {"value": markup})),
        node("b", "constructor", {}),
        node("c", "image", {"src": "javascript:document.title=4", "alt": markup}),
        node("d", "image", {"src": "data:image/svg+xml,<svg onload='document.title=5'/>", "alt": ""}),
        node("e", "text", {"value": "x" * 100_000}),
        node("f", "text", {"value": rtl}),
        node("g", "icon", {"name": "__proto__", "label": markup}),
        node("h", "button", {"label": markup, "tone": "x pv-overlay"}),
        node("i", "text_field", {"name": "__proto__", "label": rtl, "kind": "file", "value": markup}),
        node(
            "j",
            "table",
            {"rows": [{"constructor": markup}], "columns": [{"name": "constructor"}, {"name": "toString"}]},
        ),
        node("k", "form", {}, node("k0", "text_field", {"name": "n"}), node("k1", "text_field", {"name": "n"})),
        node("l", "chart", {"data": [], "kind": "bar", "x": "x", "y": ["y"], "title": markup}),
        node("m", "modal", {"title": markup, "size": "x"}),
        deep,
    )


def test_hostile_tree_changes_nothing_outside_its_window(view: View) -> None:
    """Markup is text, addresses that are no images are not loaded, and nothing is drawn beyond the window."""
    outside = (
        "[document.title, document.head.outerHTML, document.body.children.length, document.body.lastChild.nodeName]"
    )
    before = view.page.evaluate(outside)

    view.show_data(hostile_tree(), {"l": {"digest": "../../x", "alt": "", "width": "9px;}", "height": "1"}})
    view.page.wait_for_timeout(200)

    assert view.page.evaluate(outside) == before
    assert (
        view.page.evaluate(
            "document.querySelectorAll('.pv-view :is(script, iframe, style, a, [onclick], [style*=url])').length"
        )
        == 0
    )
    assert (
        view.page.evaluate("document.querySelectorAll('.pv-view img').length") == 1
    )  # the chart's, without an address
    assert view.page.evaluate("document.querySelector('.pv-view img').src") == ""
    assert view.page.evaluate("({}).polluted") is None
    assert view.page.evaluate(
        "(page => page.scrollWidth <= innerWidth && page.scrollHeight <= innerHeight)(document.documentElement)"
    )
    assert view.page.evaluate("getComputedStyle(document.querySelector('.pv-view')).contain") == "strict"
    cell = view.page.locator("td").all_text_contents()
    assert json.dumps(cell).count("function") == 0


def test_events_of_a_prototype_are_none(view: View) -> None:
    """A property that a node inherits is not its action."""
    view.show_data({"type": "button", "key": "0", "props": {"label": "Ir"}, "children": []})

    view.page.get_by_role("button", name="Ir").click()

    assert view.events == []
