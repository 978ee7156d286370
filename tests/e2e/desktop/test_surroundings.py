"""What stands around windows: dock, launcher, notifications, toasts, help, language, theme, and a small screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

FORM, COUNTER = "cadastro/main", "contador/main"


@pytest.fixture(scope="module")
def two(serve: Callable[..., Desktop]) -> Desktop:
    return serve("cadastro", "contador", "--engine", "restricted", "--yes")


@pytest.fixture
def ana(person: Callable[..., Person], two: Desktop) -> Person:
    one = person(two)
    one.front(COUNTER)
    one.front(FORM)
    return one


def launcher(ana: Person) -> Locator:
    """Open the launcher and return its field."""
    ana.tool("launcher").click()
    return ana.page.get_by_role("combobox", name="Buscar módulos, janelas e comandos")


def test_form_goes_through_the_server(ana: Person) -> None:
    """What was gathered arrives, and what the module drew of it comes back."""
    window = ana.window(FORM)
    window.get_by_role("textbox", name="Nome").fill("Ana <b>Júlia</b>")
    window.get_by_label("Idade", exact=True).fill("42")
    window.get_by_label("Quero novidades").check()

    window.get_by_role("button", name="Guardar").click()

    expect(window.get_by_text("Ana <b>Júlia</b> 42 Livre True")).to_be_visible()


def test_fault_of_a_handler_is_a_toast(ana: Person) -> None:
    """It names the module and what was raised, and the window works on."""
    ana.press(FORM, "Falhar")

    toast = ana.page.locator(".pd-toast")
    expect(toast.get_by_text("Este botão sempre falha")).to_be_visible()
    expect(toast.get_by_text("Cadastro", exact=True)).to_be_visible()
    toast.get_by_role("button", name="Dispensar").click()
    expect(toast).to_have_count(0)


def test_launcher_finds_by_parts_of_words_without_accents(ana: Person) -> None:
    """By name, description and id; what is found can be chosen by arrows."""
    field = launcher(ana)
    field.fill("formulario")
    found = ana.page.get_by_role("listbox", name="Resultados").get_by_role("option")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Cadastro")

    field.fill("conta")
    field.press("Enter")
    expect(ana.page.get_by_role("dialog", name="Abrir um módulo")).to_have_count(0)
    expect(ana.app("contador")).to_have_attribute("aria-current", "true")


def test_launcher_says_that_there_is_nothing(ana: Person) -> None:
    """And Escape leaves it."""
    field = launcher(ana)
    field.fill("zzz")

    expect(ana.page.get_by_text("Nada aqui tem esse nome")).to_be_visible()
    field.press("Escape")
    expect(field).to_have_count(0)


def test_notification_comes_in_passing_and_stays_behind_the_bell(ana: Person) -> None:
    """With the module's name, as the platform knows it; reading them empties the count."""
    ana.front(COUNTER)
    ana.press(COUNTER, "Avisar")

    expect(ana.page.locator(".pd-toast").get_by_text("apertos até agora")).to_be_visible()
    bell = ana.tool("bell")
    expect(bell).to_have_accessible_name("Notificações, 1 não lida")
    bell.click()
    expect(ana.page.locator(".pd-toast")).to_have_count(0)  # it would lie over what it says
    centre = ana.page.get_by_role("dialog", name="Notificações")
    expect(centre.get_by_text("Contagem", exact=True)).to_be_visible()
    expect(centre.get_by_text("Contador", exact=True)).to_be_visible()
    centre.get_by_role("button", name="Limpar tudo").click()
    expect(centre.get_by_text("Nenhuma notificação")).to_be_visible()
    ana.page.keyboard.press("Escape")
    expect(centre).to_have_count(0)


def test_question_mark_lists_the_keys(ana: Person) -> None:
    """Outside of fields; inside of one it is a character."""
    name = ana.window(FORM).get_by_role("textbox", name="Nome")
    name.focus()
    ana.page.keyboard.press("?")
    expect(name).to_have_value("?")

    ana.window(FORM).get_by_role("button", name="Guardar").focus()
    ana.page.keyboard.press("?")

    expect(ana.page.get_by_role("dialog", name="Atalhos de teclado")).to_be_visible()


def test_language_is_switched_and_remembered(ana: Person) -> None:
    """The page's own words and those inside of windows; what a module says is its own."""
    ana.tool("language").click()

    expect(ana.tool("settings")).to_have_accessible_name("Settings")
    expect(ana.window(FORM).get_by_role("button", name="Minimise")).to_be_visible()
    expect(ana.page.locator("html")).to_have_attribute("lang", "en")
    ana.page.reload()
    ana.wait_until_online()
    expect(ana.tool("settings")).to_have_accessible_name("Settings")


def test_theme_follows_the_system_until_it_is_chosen(ana: Person) -> None:
    """And what was chosen is there again after a reload."""
    root = ana.page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    ana.page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")

    ana.tool("theme").click()

    expect(root).to_have_attribute("data-theme", "light")
    ana.page.reload()
    ana.wait_until_online()
    expect(root).to_have_attribute("data-theme", "light")


def test_two_browsers_show_the_same_host(ana: Person, person: Callable[..., Person], two: Desktop) -> None:
    """What one does, the other sees."""
    bia = person(two, locale="en-US")
    ana.front(COUNTER)
    bia.front(COUNTER)
    before = int(bia.window(COUNTER).locator("dd").first.inner_text())

    ana.press(COUNTER, "Contar")
    expect(bia.window(COUNTER).locator("dd").first).to_have_text(str(before + 1))
    bia.press(COUNTER, "Contar")
    expect(ana.window(COUNTER).locator("dd").first).to_have_text(str(before + 2))


def test_small_screen_shows_one_window_at_a_time(person: Callable[..., Person], two: Desktop) -> None:
    """Over the whole of it; the dock goes from one to the next, the rest lies behind one button."""
    ana = person(two, size=(390, 844), has_touch=True, is_mobile=True)
    ana.front(FORM)
    ana.app("contador").tap()
    expect(ana.window(COUNTER)).to_be_visible()
    assert ana.place(COUNTER)["width"] == 390
    expect(ana.window(FORM)).to_be_hidden()

    ana.tool("more").tap()
    ana.page.get_by_role("button", name="Gerenciador de tarefas").tap()
    expect(ana.window("system:tasks").get_by_text("Contador")).to_be_visible()
    assert ana.page.evaluate("document.documentElement.scrollWidth") == 390


def test_page_without_a_session_says_how_to_come_in(person: Callable[..., Person], two: Desktop) -> None:
    """A token works once: the address that was used already opens nothing more."""
    person(two)
    stranger = person("about:blank")
    stranger.expected = ("401",)

    stranger.page.goto(two.url)

    expect(stranger.page.get_by_text("Each address works once")).to_be_visible()
    assert stranger.context.cookies() == []
