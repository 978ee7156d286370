"""Permission dialogs: what a module asks reaches the person, and what the person says reaches the module."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.desktop.hosted import Hosted
from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import MODULES

WINDOW = "pedinte/main"
NOTICES, CLIPBOARD = "system.notifications", "system.clipboard"


@pytest.fixture
def hosted(host_of: Callable[..., Hosted]) -> Hosted:
    return host_of("pedinte")


@pytest.fixture
def ana(person: Callable[..., Person], hosted: Hosted) -> Person:
    one = person(hosted)
    one.window(WINDOW).wait_for()
    return one


def expect_answer(ana: Person, text: str) -> None:
    """See what the module shows as the answer."""
    expect(ana.window(WINDOW).get_by_text(text, exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("word", "answer", "uses"),
    [
        ("once", "sim", ["usado", "recusado"]),
        ("session", "sim", ["usado", "usado"]),
        ("always", "sim", ["usado", "usado"]),
        ("no", "não", ["recusado"]),
        ("never", "não", ["recusado"]),
    ],
)
def test_answer_arrives_at_the_module_that_waits(ana: Person, word: str, answer: str, uses: list[str]) -> None:
    """And holds as long as it says: what was allowed once is over after its first use."""
    ana.press(WINDOW, "Pedir avisos")
    expect_answer(ana, f"{NOTICES}: esperando")

    ana.answer(word)

    expect_answer(ana, f"{NOTICES}: {answer}")
    expect(ana.prompt).to_have_count(0)
    for outcome in uses:
        ana.press(WINDOW, "Conferir")
        expect(ana.window(WINDOW).get_by_text("tem", exact=False)).to_be_visible()
        ana.press(WINDOW, "Usar")
        expect_answer(ana, f"{NOTICES}: {outcome}")


def test_dialog_says_who_wants_what_and_why(ana: Person) -> None:
    """In the platform's words, the reason quoted as the module's, with the mark of this installation."""
    ana.press(WINDOW, "Pedir avisos")

    prompt = ana.prompt
    expect(prompt.get_by_text("Pedinte", exact=True)).to_be_visible()
    expect(prompt.get_by_text("1.2.0")).to_be_visible()
    expect(prompt.get_by_text(NOTICES)).to_be_visible()
    expect(prompt.locator("blockquote")).to_have_text("Para avisar quando a importação termina")
    expect(prompt.locator(".pd-mark")).to_be_visible()
    assert ana.page.evaluate("document.querySelector('dialog.pd-prompt').matches(':modal')")
    ana.answer("no")


def test_dialog_takes_no_click_in_its_first_half_second(ana: Person) -> None:
    """A click that was meant for what lay there before answers nothing; time is the page's own."""
    ana.page.clock.install()
    ana.press(WINDOW, "Pedir avisos")
    always = ana.prompt.locator("[data-answer=always]")
    always.wait_for()
    box = always.bounding_box()
    assert box is not None

    ana.page.clock.run_for(450)
    ana.page.mouse.click(box["x"] + 5, box["y"] + 5)
    ana.page.keyboard.press("Escape")

    expect(always).to_be_disabled()
    expect(ana.prompt).to_be_visible()
    ana.page.clock.run_for(100)
    expect(always).to_be_enabled()
    always.click()
    expect_answer(ana, f"{NOTICES}: sim")


def test_nothing_below_the_dialog_can_be_used(ana: Person) -> None:
    """Neither windows nor the dock, by pointer or by Tab."""
    ana.press(WINDOW, "Pedir avisos")
    ana.prompt.locator("[data-answer=no]:enabled").wait_for()

    ana.page.mouse.click(30, 870)  # the launcher's button
    for _ in range(8):
        ana.page.keyboard.press("Tab")
        assert ana.page.evaluate("document.activeElement.closest('dialog.pd-prompt') !== null")

    expect(ana.page.get_by_role("dialog", name="Abrir um módulo")).to_have_count(0)
    ana.page.keyboard.press("Escape")
    expect_answer(ana, f"{NOTICES}: não")


def test_two_questions_of_a_module_come_one_after_the_other(ana: Person) -> None:
    """Each with its own half second, each answer at its own question."""
    ana.press(WINDOW, "Pedir duas")
    ana.prompt.wait_for()
    first = ana.prompt.locator("code").first.inner_text()
    ana.answer("session")
    other = CLIPBOARD if first == NOTICES else NOTICES
    expect(ana.prompt.locator("code").first).to_have_text(other)
    ana.answer("no")

    expect_answer(ana, f"{first}: sim")
    expect_answer(ana, f"{other}: não")


def test_questions_of_two_modules_queue(ana: Person, hosted: Hosted, tmp_path: Path) -> None:
    """The dialog says that another waits, and answers go to the module that asked."""
    other = shutil.copytree(MODULES / "pedinte", tmp_path / "outro")
    manifest = other / "module.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"pedinte"', '"outro"'), encoding="utf-8")
    hosted.run(hosted.host.load(other, grants=("window.create",)))
    ana.window("outro/main").wait_for(state="attached")
    ana.front(WINDOW)
    ana.press(WINDOW, "Pedir avisos")
    ana.prompt.wait_for()

    asked = asyncio.run_coroutine_threadsafe(hosted.host.modules["outro"].call("pedir", CLIPBOARD), hosted.loop)
    expect(ana.prompt.get_by_text("Mais 1 pedido espera")).to_be_visible()
    ana.answer("session")
    expect(ana.prompt.get_by_text("outro", exact=True)).to_be_visible()
    ana.answer("no")

    asked.result(10)
    expect_answer(ana, f"{NOTICES}: sim")
    expect(ana.window("outro/main").get_by_text(f"{CLIPBOARD}: não", exact=True)).to_have_count(1)


def test_first_answer_closes_the_dialog_of_the_other_page(
    ana: Person, person: Callable[..., Person], hosted: Hosted
) -> None:
    """Of the same person; the other page says what happened."""
    bia = person(hosted)
    bia.window(WINDOW).wait_for()
    ana.press(WINDOW, "Pedir avisos")
    expect(bia.prompt).to_be_visible()

    ana.answer("session")

    expect(bia.prompt).to_have_count(0)
    expect(bia.page.get_by_text("O pedido foi respondido em outra página: Nesta sessão.").first).to_be_visible()
    expect_answer(bia, f"{NOTICES}: sim")


def test_no_answer_is_a_denial(ana: Person, hosted: Hosted) -> None:
    """The time is up, the dialog goes, and the module hears no."""
    hosted.soon(lambda: setattr(hosted.host.modules["pedinte"].permissions._dialog, "timeout_s", 1.0))
    ana.press(WINDOW, "Pedir avisos")
    expect(ana.prompt).to_be_visible()

    expect_answer(ana, f"{NOTICES}: não")
    expect(ana.prompt).to_have_count(0)


def test_question_waits_for_a_page_that_is_loaded_anew(ana: Person) -> None:
    """A reload is no answer."""
    ana.press(WINDOW, "Pedir avisos")
    expect(ana.prompt).to_be_visible()

    ana.page.reload()

    expect(ana.prompt).to_be_visible()
    ana.answer("session")
    expect_answer(ana, f"{NOTICES}: sim")


def test_revocation_is_seen_at_the_next_check(ana: Person) -> None:
    """From the settings window, live; and what is taken back can be allowed again."""
    ana.press(WINDOW, "Pedir avisos")
    ana.answer("always")
    expect_answer(ana, f"{NOTICES}: sim")
    ana.tool("settings").click()
    settings = ana.window("system:settings")
    entry = settings.locator(".pd-entry", has_text=NOTICES)
    expect(entry.get_by_text("Permitida", exact=True)).to_be_visible()
    expect(entry.get_by_text("sempre")).to_be_visible()

    entry.get_by_role("button", name="Revogar").click()

    expect(entry.get_by_text("Permitida", exact=True)).to_have_count(0)
    ana.front(WINDOW)
    ana.press(WINDOW, "Conferir")
    expect_answer(ana, f"{NOTICES}: não tem")

    ana.front("system:settings")
    entry.get_by_role("button", name="Permitir").click()
    ana.front(WINDOW)
    ana.press(WINDOW, "Conferir")
    expect_answer(ana, f"{NOTICES}: tem")
