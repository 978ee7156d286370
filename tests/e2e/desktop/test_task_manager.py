"""The task manager: what each module costs, seen live, and what a person does about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

COUNTER, SPINNER = "contador/main", "giro/main"


@pytest.fixture(scope="module")
def three(serve: Callable[..., Desktop]) -> Desktop:
    return serve("contador", "giro", "cadastro", "--engine", "wasm", "--yes")


@pytest.fixture
def ana(person: Callable[..., Person], three: Desktop) -> Person:
    """Ana, with the task manager open."""
    one = person(three)
    one.tool("tasks").click()
    row(one, "Contador").wait_for()
    return one


def row(ana: Person, name: str) -> Locator:
    """Find a module's line."""
    return ana.window("system:tasks").get_by_role("row").filter(has=ana.page.get_by_role("rowheader", name=name))


def act(ana: Person, name: str, action: str) -> None:
    """Press one of a module's four buttons."""
    row(ana, name).locator(f"[data-action={action}]").click()


def figure(ana: Person, name: str, label: str) -> str:
    """Read one figure of a module."""
    return row(ana, name).locator(f'[data-label="{label}"]').inner_text()


def presses(ana: Person) -> Locator:
    """Find the number that the counter shows."""
    return ana.window(COUNTER).locator("dd").first


def show_side_by_side(ana: Person, left: str, right: str) -> None:
    """Snap two windows, so that both are in sight."""
    for key, arrow in ((left, "ArrowLeft"), (right, "ArrowRight")):
        ana.front(key).locator(".pd-bar-button").last.focus()
        if ana.window(key).get_attribute("data-zone") == "normal":
            ana.page.keyboard.press(f"Alt+Shift+{arrow}")


def test_figures_move_by_themselves(ana: Person) -> None:
    """A module whose timer beats is seen to be called; its lines grow."""
    spark = row(ana, "Contador").locator(".pd-series-calls svg")
    before = spark.inner_html()

    expect(row(ana, "Contador").get_by_text("em execução")).to_be_visible()
    expect(row(ana, "Contador").locator('[data-label="Chamadas/s"]')).not_to_have_text("0")
    expect(row(ana, "Contador").locator('[data-label="Memória"]')).to_contain_text("MiB")
    ana.page.wait_for_function("([spark, before]) => spark.innerHTML !== before", arg=[spark.element_handle(), before])


def test_module_that_spins_is_stopped_while_another_stays_smooth(
    ana: Person, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The limit of a step ends it, the person is told, and the figures show it; the other's clicks are answered."""
    restarts = int(figure(ana, "Giro", "Reinícios"))
    show_side_by_side(ana, SPINNER, COUNTER)
    at_rest = [click_to_screen_ms(ana) for _ in range(6)]

    ana.press(SPINNER, "Girar")
    spinning = [click_to_screen_ms(ana) for _ in range(6)]

    expect(ana.page.locator(".pd-toast", has_text="Giro").first).to_be_visible()
    ana.tool("tasks")
    ana.front("system:tasks")
    expect(row(ana, "Giro").locator('[data-label="Reinícios"]')).to_have_text(str(restarts + 1))
    expect(row(ana, "Giro").get_by_text("em execução")).to_be_visible()
    for name, all_ms in (("at_rest", at_rest), ("spinning", spinning)):
        record_property(f"click_to_screen_{name}_ms", all_ms)
        with capsys.disabled():
            sys.stdout.write(f"\n  click to screen {name}: {' '.join(f'{ms:.0f}' for ms in all_ms)} ms\n")


def click_to_screen_ms(ana: Person) -> float:
    """Press the counter's button, and measure in the page until the number has changed."""
    return float(
        ana.page.evaluate(
            """
            key => new Promise(resolve => {
              const window = document.querySelector(`[data-key="${key}"]`);
              const number = window.querySelector("dd");
              const before = number.textContent;
              const started = performance.now();
              const observer = new MutationObserver(() => {
                if (number.textContent === before) return;
                observer.disconnect();
                resolve(performance.now() - started);
              });
              observer.observe(window, { subtree: true, childList: true, characterData: true });
              [...window.querySelectorAll("button")].find(each => each.textContent === "Contar").click();
            })
            """,
            COUNTER,
        )
    )


def test_module_that_never_ends_is_restarted_by_hand(ana: Person) -> None:
    """It takes processor time politely, which no step's limit ends; the person does."""
    ana.front(SPINNER)
    ana.press(SPINNER, "Girar aos poucos")
    ana.front("system:tasks")
    cpu = row(ana, "Giro").locator('[data-label="CPU"]')
    expect(cpu).not_to_have_text("0 %")
    restarts = int(figure(ana, "Giro", "Reinícios"))
    started = time.monotonic()

    act(ana, "Giro", "restart")

    expect(row(ana, "Giro").locator('[data-label="Reinícios"]')).to_have_text(str(restarts + 1))
    expect(cpu).to_contain_text("0 %")
    assert time.monotonic() - started < 15
    expect(ana.window(SPINNER)).to_have_count(1)


def test_module_is_parked_and_wakes_up_at_a_click(ana: Person) -> None:
    """Its memory is put away, its window stays; what it held is there again."""
    show_side_by_side(ana, "cadastro/main", "system:tasks")
    ana.front("system:tasks")

    act(ana, "Cadastro", "park")
    expect(row(ana, "Cadastro").get_by_text("estacionado")).to_be_visible()
    window = ana.front("cadastro/main")
    window.get_by_role("textbox", name="Nome").fill("Bia")
    window.get_by_label("Idade", exact=True).fill("30")
    window.get_by_role("button", name="Guardar").click()

    expect(window.get_by_text("Bia 30 Livre False")).to_be_visible()
    expect(row(ana, "Cadastro").get_by_text("em execução")).to_be_visible()


def test_limits_are_lowered_and_hold(ana: Person) -> None:
    """More than the host gives is refused in the form; what was lowered is shown there again."""
    act(ana, "Contador", "limits")
    dialog = ana.page.get_by_role("dialog", name="Limites de Contador")
    field = dialog.get_by_label("Elementos numa janela")
    field.fill("99999999")
    dialog.get_by_role("button", name="Mudar limites").click()
    expect(dialog.get_by_text("Digite um número acima de zero").first).to_be_visible()

    field.fill("5000")
    dialog.get_by_role("button", name="Mudar limites").click()

    expect(dialog).to_have_count(0)
    act(ana, "Contador", "limits")
    expect(dialog.get_by_label("Elementos numa janela")).to_have_value("5000")
    ana.page.keyboard.press("Escape")


def test_unloaded_module_is_gone_with_its_windows_and_comes_back(ana: Person) -> None:
    """The person is asked first."""
    ana.window("cadastro/main").wait_for(state="attached")
    act(ana, "Cadastro", "unload")
    dialog = ana.page.get_by_role("dialog", name="Descarregar Cadastro?")
    dialog.get_by_role("button", name="Descarregar").click()

    expect(row(ana, "Cadastro")).to_have_count(0)
    expect(ana.window("cadastro/main")).to_have_count(0)

    ana.page.keyboard.press("Control+k")
    ana.page.get_by_role("combobox", name="Buscar módulos, janelas e comandos").fill("cadastro")
    ana.page.keyboard.press("Enter")
    expect(ana.window("cadastro/main")).to_have_count(1)
    expect(row(ana, "Cadastro").get_by_text("em execução")).to_be_visible()
