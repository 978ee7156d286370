"""The desktop in a real browser, against a scripted server: windows, dock, dialogs, settings and task manager."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from tests.e2e.fake.desk_server import make_server

pytestmark = pytest.mark.timeout(60)

MAIN, ORDER, CLIENTS = "vendas/main", "vendas/pedido", "clientes/main"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with make_server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@attrs.define
class Desk:
    """A page with the desktop, and what the scripted server says and is told."""

    page: Any

    def say(self, kind: str, **fields: Any) -> None:
        self.page.evaluate("message => fake.say(message)", {"type": kind, **fields})

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return list(self.page.evaluate("kind => fake.of(kind)", kind))

    def ask(self, **more: Any) -> None:
        """Put a permission to the person."""
        self.page.evaluate("more => fake.say(fake.data.prompt(more))", more)

    def box(self, key: str) -> tuple[int, int, int, int]:
        found = self.window(key).bounding_box()
        assert found is not None
        return round(found["x"]), round(found["y"]), round(found["width"]), round(found["height"])

    def window(self, key: str) -> Any:
        return self.page.locator(f'[data-key="{key}"]')

    def zone(self, key: str) -> str:
        return str(self.window(key).get_attribute("data-zone"))

    def front(self) -> str | None:
        return self.page.evaluate("fake.desktop.windows.active?.key ?? null")  # type: ignore[no-any-return]

    def drag(self, x: float, y: float, dx: float, dy: float, *, release: bool = True) -> None:
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + dx / 2, y + dy / 2)
        mouse.move(x + dx, y + dy)
        self.page.evaluate("new Promise(requestAnimationFrame)")
        if release:
            mouse.up()

    def grip(self, key: str) -> tuple[float, float]:
        x, y, width, _ = self.box(key)
        return x + width / 2, y + 20

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def desk(person: Callable[..., Any], address: str) -> Callable[..., Desk]:
    """Open a desktop with three windows: ``desk(size=(390, 844))``; it waits for what opens to have come to rest."""

    def sit(query: str = "?open", **settings: Any) -> Desk:
        one = Desk(person(address + query, reduced_motion="reduce", **settings).page)
        one.page.wait_for_selector("[data-ready]")
        return one

    return sit


# --- windows ---------------------------------------------------------------------------------------------------------


def test_a_window_is_moved_by_its_title_bar(desk):
    page = desk()
    x, y, width, height = page.box(CLIENTS)
    page.drag(*page.grip(CLIENTS), 120, 60)
    assert page.box(CLIENTS) == (x + 120, y + 60, width, height)


def test_escape_takes_a_drag_back(desk):
    page = desk()
    before = page.box(CLIENTS)
    page.drag(*page.grip(CLIENTS), 120, 60, release=False)
    assert page.box(CLIENTS) != before
    page.press("Escape")
    assert page.box(CLIENTS) == before


@pytest.mark.parametrize("edge", ["n", "ne", "e", "se", "s", "sw", "w", "nw"])
def test_a_window_is_stretched_at_each_edge(desk, edge):
    page = desk()
    page.page.evaluate("""() => {
        const { windows } = fake.desktop;
        windows.setPlace(windows.frames.get("clientes/main"), {x: 300, y: 200, width: 500, height: 300});
    }""")
    handle = page.window(CLIENTS).locator(f".pd-edge-{edge}").bounding_box()
    page.drag(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2, -30, -20)
    left, top = ("w" in edge) * -30, ("n" in edge) * -20
    wide = {"e": -30, "w": 30}.get(edge[-1], 0)
    high = {"s": -20, "n": 20}.get(edge[0], 0)
    assert page.box(CLIENTS) == (300 + left, 200 + top, 500 + wide, 300 + high)


@pytest.mark.parametrize(
    ("where", "zone"),
    [((2, 400), "left"), ((1438, 400), "right"), ((700, 2), "full"), ((2, 30), "top-left"), ((1438, 830), "bottom-right")],
    ids=str,
)
def test_a_window_that_is_dragged_to_an_edge_snaps_and_comes_back(desk, where, zone):
    page = desk()
    _, _, *size = page.box(CLIENTS)
    x, y = page.grip(CLIENTS)
    page.drag(x, y, where[0] - x, where[1] - y)
    assert page.zone(CLIENTS) == zone
    page.drag(*page.grip(CLIENTS), 5 if where[0] < 700 else -5, 90)
    assert (page.zone(CLIENTS), *page.box(CLIENTS)[2:]) == ("normal", *size)


def test_a_double_click_maximises_and_restores(desk):
    page = desk()
    before = page.box(CLIENTS)
    page.page.mouse.dblclick(*page.grip(CLIENTS))
    assert page.zone(CLIENTS) == "full"
    assert page.box(CLIENTS)[2] == 1440
    page.page.mouse.dblclick(*page.grip(CLIENTS))
    assert page.box(CLIENTS) == before


def test_a_window_stands_where_it_stood_last_time(desk):
    page = desk()
    page.drag(*page.grip(CLIENTS), -90, 70)
    before = page.box(CLIENTS)
    page.page.reload()
    page.page.wait_for_selector("[data-ready]")
    assert page.box(CLIENTS) == before


def test_windows_stay_on_a_desk_that_becomes_smaller(desk):
    page = desk()
    page.page.set_viewport_size({"width": 800, "height": 600})
    page.page.wait_for_function("document.querySelector('[data-key=\"vendas/main\"]').getBoundingClientRect().right <= 800")
    for key in (MAIN, ORDER, CLIENTS):
        x, y, width, height = page.box(key)
        assert min(x, y) >= 0
        assert x + width <= 800
        assert y + height <= 600


def test_everything_about_a_window_goes_by_keyboard(desk):
    page = desk()
    page.page.evaluate("document.activeElement.blur()")
    seen = []
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.press(f"Alt+Shift+{key}")
        seen.append(page.zone(CLIENTS))
    page.press("Alt+Shift+N")
    assert seen == ["left", "top-left", "top-right", "right", "normal", "right", "top-right", "right"]
    assert page.window(CLIENTS).is_hidden()
    assert page.front() != CLIENTS


def test_arrows_move_and_resize_in_a_mode(desk):
    page = desk()
    x, y, width, height = before = page.box(CLIENTS)
    page.press("Alt+Shift+M", "ArrowLeft", "Shift+ArrowDown", "Enter")
    assert page.box(CLIENTS) == (x - 16, y + 64, width, height)
    page.press("Alt+Shift+M", "ArrowRight", "Shift+ArrowUp", "Enter", "Alt+Shift+R", "ArrowLeft", "Escape")
    assert page.box(CLIENTS) == before


def test_the_switcher_brings_the_window_before_to_the_front(desk):
    page = desk()
    keyboard = page.page.keyboard
    for name in ("Alt", "Shift"):
        keyboard.down(name)
    keyboard.press("q")
    assert page.page.locator(".pd-switcher [aria-selected=true]").inner_text().startswith("Pedido 1042")
    keyboard.up("Shift")
    keyboard.up("Alt")
    assert page.front() == ORDER


def test_a_modal_window_blocks_the_others_of_its_module_alone(desk):
    page = desk()
    message = page.page.evaluate("fake.data.windows[1]")
    message["window"] |= {"id": "apagar", "title": "Apagar?", "modal": True}
    page.page.evaluate("message => fake.say(message)", message)
    blocked = {key: page.window(key).locator(".pd-body").evaluate("body => body.inert") for key in (MAIN, CLIENTS)}
    assert blocked == {MAIN: True, CLIENTS: False}
    page.page.evaluate("fake.desktop.windows.activate(fake.desktop.windows.frames.get('vendas/main'))")
    assert page.front() == "vendas/apagar"
    page.press("Escape")
    assert page.sent("close") == [{"type": "close", "module": "vendas", "window": "apagar"}]
    assert page.window(MAIN).locator(".pd-body").evaluate("body => body.inert") is False


def test_a_window_that_the_host_keeps_open_comes_back(desk):
    page = desk()
    page.page.evaluate("fake.acks.close = {ok: false, error: {code: 'x', text: 'Ainda está gravando', advice: ''}}")
    page.window(CLIENTS).get_by_role("button", name="Fechar").click()
    page.page.get_by_text("Ainda está gravando").first.wait_for()
    assert page.window(CLIENTS).is_visible()


def test_a_title_does_not_take_the_place_of_the_modules_name(desk):
    page = desk()
    settings = {"id": "main", "title": "Sistema · Permissões <b>x</b>", "width": 480, "height": 360, "modal": False}
    page.say("settings", module="clientes", window=settings)
    bar = page.window(CLIENTS)
    assert bar.locator(".pd-chip").inner_text() == "Clientes"
    assert bar.locator(".pd-title").inner_text() == settings["title"]
    assert "pd-system" not in bar.get_attribute("class")


def test_a_module_window_that_opens_takes_no_focus_from_one_who_types(desk):
    page = desk()
    page.window(CLIENTS).get_by_label("Buscar cliente").click()
    message = page.page.evaluate("fake.data.windows[1]")
    message["window"]["id"] = "novo"
    page.page.evaluate("message => fake.say(message)", message)
    page.page.keyboard.type("abc")
    assert page.window(CLIENTS).get_by_label("Buscar cliente").input_value() == "abc"


# --- permission dialogs ----------------------------------------------------------------------------------------------


def test_a_question_is_answered_once_it_could_be_read(desk):
    page = desk()
    page.ask()
    dialog = page.page.get_by_role("dialog", name="Um módulo pede uma permissão")
    assert dialog.locator("button:disabled").count() == 5
    dialog.locator("button:enabled").first.wait_for()
    dialog.get_by_role("button", name="Nesta sessão").click()
    dialog.wait_for(state="detached")
    assert page.sent("answer") == [{"type": "answer", "prompt": "p1", "answer": "session"}]


def test_enter_and_space_do_not_answer_by_accident(desk):
    page = desk()
    page.ask()
    page.press("Enter", "Space")
    page.page.locator(".pd-choice:enabled").first.wait_for()
    page.press("Enter", "Space")
    assert page.page.evaluate("document.activeElement.tagName") == "H2"
    assert page.sent("answer") == []


def test_escape_says_no_and_only_once_armed(desk):
    page = desk()
    page.ask()
    page.press("Escape")
    assert page.sent("answer") == []
    page.page.locator(".pd-choice:enabled").first.wait_for()
    page.press("Escape")
    assert [each["answer"] for each in page.sent("answer")] == ["no"]


def test_the_tab_key_stays_in_the_dialog_and_nothing_else_can_be_used(desk):
    page = desk()
    page.ask()
    page.page.locator(".pd-choice:enabled").first.wait_for()
    seen = []
    for _ in range(7):
        page.press("Tab")
        seen.append(page.page.evaluate("document.activeElement.dataset.answer"))
    assert seen == ["no", "never", "once", "session", "always", "no", "never"]
    page.page.mouse.click(*page.grip(MAIN))
    page.press("Control+k", "Alt+Shift+W", "F6")
    assert page.sent("answer") == page.sent("close") == []
    assert page.page.locator("dialog[open]").count() == 1


def test_a_page_that_was_left_is_armed_anew(desk):
    page = desk()
    page.ask()
    page.page.locator(".pd-choice:enabled").first.wait_for()
    page.page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert page.page.locator(".pd-choice:enabled").count() == 0


def test_the_mark_stands_in_the_dialog_and_in_no_window(desk):
    page = desk()
    page.page.evaluate("fake.desktop.openSystem('settings')")
    page.ask()
    assert "Girassol 27" in page.page.locator(".pd-prompt").inner_text()
    assert "Girassol" not in page.page.locator(".pd-room").inner_text()


def test_the_words_of_a_module_are_quoted_as_text(desk):
    page = desk()
    page.ask(reason="</blockquote><img src=x onerror=alert(1)> Clique em Sempre")
    quote = page.page.locator(".pd-prompt blockquote")
    assert quote.inner_text() == "</blockquote><img src=x onerror=alert(1)> Clique em Sempre"
    assert page.page.locator(".pd-prompt img").count() == 0


def test_questions_wait_for_each_other_and_an_update_does_not_disarm(desk):
    page = desk()
    page.ask(waiting=0)
    page.ask(id="p2", permission="system.clipboard", waiting=0)
    page.page.locator(".pd-choice:enabled").first.wait_for()
    page.ask(waiting=3)
    assert page.page.locator(".pd-prompt-queue").inner_text() == "Mais 3 pedidos esperam"
    assert page.page.locator(".pd-choice:enabled").count() == 5
    page.say("prompt-closed", id="p1", outcome="timed out")
    assert page.page.locator(".pd-prompt-permission code").inner_text() == "system.clipboard"
    assert page.page.locator(".pd-choice:enabled").count() == 0


def test_an_answer_that_is_refused_is_said_in_the_dialog(desk):
    page = desk()
    page.page.evaluate("fake.acks.answer = {ok: false, error: {code: 'x', text: 'Rápido demais', advice: ''}}")
    page.ask()
    page.page.get_by_role("button", name="Sempre").click()
    assert page.page.locator(".pd-prompt").get_by_role("alert").inner_text() == "Rápido demais"


# --- messages, dock, launcher ----------------------------------------------------------------------------------------


def test_a_fault_that_repeats_is_counted_and_few_are_shown(desk):
    page = desk()
    for text in ("a", "a", "a", "b", "c", "d"):
        page.say("toast", level="error", module="vendas", code="x", text=text, advice="")
    shown = page.page.locator(".pd-toast")
    assert shown.count() == 4
    assert shown.first.locator(".pd-toast-count").inner_text() == "×3"
    page.say("toast", level="error", module="vendas", code="x", text="e", advice="")
    assert shown.count() == 4
    assert page.page.locator(".pd-toasts [role=alert]").inner_text() == "Vendas. e"


def test_notifications_are_counted_kept_and_cleared(desk):
    page = desk()
    for number in (1, 2, 2):
        page.say("notification", id=number, module="vendas", title=f"Pedido {number}", body="", at=1_700_000_000)
    bell = page.page.get_by_role("button", name="Notificações, 2 não lidas")
    bell.click()
    assert page.page.locator(".pd-notice-title").all_inner_texts() == ["Pedido 2", "Pedido 1"]
    page.page.get_by_role("button", name="Limpar tudo").click()
    page.page.get_by_text("Nenhuma notificação").wait_for()
    page.press("Escape")
    assert page.page.locator(".pd-panel").count() == 0


def test_the_launcher_finds_without_accents_and_opens(desk):
    page = desk()
    page.press("Control+k")
    page.page.keyboard.type("RELATORIOS")
    assert page.page.get_by_role("option").all_inner_texts() == ["Relatórios\nRelatórios mensais em PDF\nnão carregado"]
    page.press("Enter")
    assert page.sent("show") == [{"type": "show", "module": "relatorios"}]
    page.press("Control+k")
    page.page.keyboard.type("xyz")
    page.page.get_by_text("Nada aqui tem esse nome").wait_for()
    page.press("Escape")
    assert page.page.locator("dialog[open]").count() == 0


def test_the_dock_minimises_and_restores(desk):
    page = desk()
    app = page.page.locator('[data-app="clientes"]')
    app.click()
    assert (page.window(CLIENTS).is_hidden(), app.get_attribute("data-state")) == (True, "minimised")
    app.click()
    assert page.front() == CLIENTS


def test_language_and_theme_change_everywhere_and_stay(desk):
    page = desk()
    page.page.locator("[data-tool=language]").click()
    page.page.locator("[data-tool=theme]").click()
    page.page.locator("[data-tool=theme]").click()
    assert page.window(CLIENTS).get_by_role("button", name="Minimise").is_visible()
    assert (page.sent("locale")[-1]["locale"], page.sent("theme")[-1]["theme"]) == ("en", "dark")
    page.page.reload()
    page.page.wait_for_selector("[data-ready]")
    root = page.page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("data-theme")) == ("en", "dark")


# --- settings and tasks ----------------------------------------------------------------------------------------------


def test_a_permission_is_revoked_and_the_view_follows_live(desk):
    page = desk()
    page.press("Alt+Shift+S")
    revoke = page.page.get_by_role("button", name="Revogar: api.clientes[GET], Vendas")
    revoke.click()
    assert page.sent("permission") == [
        {"type": "permission", "module": "vendas", "permission": "api.clientes[GET]", "action": "revoke"}
    ]
    page.page.evaluate("""() => {
        const message = fake.data.permissions();
        Object.assign(message.modules[0].entries[1], {state: "denied", kind: "forever"});
        fake.say(message);
    }""")
    page.page.get_by_role("button", name="Retirar a negação: api.clientes[GET], Vendas").wait_for()
    page.press("Alt+Shift+W")
    assert page.sent("watch") == [
        {"type": "watch", "topic": "permissions", "on": True},
        {"type": "watch", "topic": "permissions", "on": False},
    ]


def test_the_task_manager_sorts_and_keeps_the_focus_through_updates(desk):
    page = desk()
    page.press("Alt+Shift+G")
    page.page.get_by_role("button", name="CPU").click()
    names = page.page.locator(".pd-task-name bdi")
    assert names.all_inner_texts() == ["Laço infinito", "Vendas", "Clientes", "Estoque"]
    restart = page.page.get_by_role("button", name="Reiniciar: Laço infinito")
    restart.focus()
    page.page.evaluate("fake.say(fake.data.tasks())")
    restart.press("Enter")
    assert page.sent("task") == [{"type": "task", "module": "laco", "action": "restart"}]
    assert page.page.get_by_role("button", name="Estacionar: Estoque").is_disabled()


def test_unloading_asks_first_and_enter_does_not_do_it(desk):
    page = desk()
    page.press("Alt+Shift+G")
    unload = page.page.get_by_role("button", name="Descarregar: Vendas")
    unload.click()
    page.press("Enter")
    assert page.sent("task") == []
    unload.click()
    page.page.get_by_role("dialog", name="Descarregar Vendas?").get_by_role("button", name="Descarregar").click()
    page.page.wait_for_function("fake.of('task').length === 1")
    assert page.sent("task") == [{"type": "task", "module": "vendas", "action": "unload"}]


def test_only_limits_that_were_changed_are_sent(desk):
    page = desk()
    page.press("Alt+Shift+G")
    page.page.get_by_role("button", name="Mudar limites: Vendas").click()
    memory = page.page.get_by_label("Memória")
    memory.fill("256")
    page.press("Enter")
    page.page.get_by_text("Digite um número acima de zero").first.wait_for()
    memory.fill("64")
    page.press("Enter")
    page.page.locator(".pd-limits-dialog").wait_for(state="detached")
    assert page.sent("task") == [
        {"type": "task", "module": "vendas", "action": "limits", "limits": {"max_memory_bytes": 67_108_864}}
    ]


# --- the connection --------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_said_and_goes_away_again(desk):
    page = desk()
    page.page.evaluate("fake.say({type: 'bye', reason: 'shutdown'}); fake.become('reconnecting', {retryInMs: 9_000})")
    banner = page.page.locator(".pd-banner")
    banner.get_by_text("O servidor foi encerrado.").wait_for()
    banner.get_by_role("button", name="Tentar agora").click()
    assert page.page.evaluate("fake.connection.retries") == 1
    page.page.evaluate("fake.become('online')")
    assert banner.is_hidden()


def test_a_session_that_ended_tells_how_to_come_back(desk):
    page = desk()
    page.ask()
    page.page.evaluate("fake.become('ended', {reason: 'unauthorized'})")
    page.page.get_by_role("heading", name="Sua sessão terminou").wait_for()
    page.press("Escape", "Escape")
    assert page.page.locator("dialog[open]").count() == 1


def test_windows_that_the_server_no_longer_has_go_with_its_welcome(desk):
    page = desk()
    page.page.evaluate("fake.welcome({modules: [{...fake.data.modules[0], windows: ['main']}]})")
    assert page.page.evaluate("[...fake.desktop.windows.frames.keys()]") == [MAIN]


# --- a small screen --------------------------------------------------------------------------------------------------


def test_a_phone_shows_one_window_over_the_whole_screen(desk):
    page = desk(size=(390, 844))
    assert [page.window(key).is_visible() for key in (MAIN, ORDER, CLIENTS)] == [False, False, True]
    assert page.box(CLIENTS)[:3] == (0, 0, 390)
    page.page.locator('[data-app="vendas"]').click()
    page.page.get_by_role("dialog", name="Janelas de Vendas").get_by_role("button", name="Painel de vendas").click()
    assert page.window(MAIN).is_visible()
    page.window(MAIN).get_by_role("button", name="Minimizar").click()
    page.page.get_by_role("button", name="Abrir um módulo").last.wait_for()
    assert [page.window(key).is_visible() for key in (MAIN, ORDER, CLIENTS)] == [False, False, False]
