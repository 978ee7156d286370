"""axe-core finds nothing serious on any main screen, light and dark, wide and small; and each is kept as a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from plataforma_sdk.cli._example import example_path
from tests.e2e.desktop.data import CHINOOK
from tests.e2e.desktop.hosted import Hosted
from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

AXE: Final = Path(os.environ.get("PLATAFORMA_AXE", "axe.min.js"))
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
WIDE, SMALL = (1440, 900), (390, 844)
LOOKS = pytest.mark.parametrize(
    ("theme", "size"),
    [("light", WIDE), ("dark", WIDE), ("light", SMALL), ("dark", SMALL)],
    ids=lambda value: str(value),
)


@pytest.fixture(scope="module")
def sales(serve: Callable[..., Desktop]) -> Desktop:
    data = () if CHINOOK is None else ("--data", CHINOOK)
    return serve(example_path("vendas"), "galeria", "contador", *data, "--engine", "restricted", "--yes")


@pytest.fixture
def check(shoot: Callable[[Page, str], None], request: pytest.FixtureRequest) -> Callable[[Person, str], None]:
    """Keep a picture, and let axe look at the page: scripts are let past the policy for it, in a page of its own."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install axe-core, and PLATAFORMA_AXE=.../axe.min.js")

    def look(one: Person, name: str) -> None:
        params = request.node.callspec.params
        shoot(one.page, f"{name}-{params['theme']}-{params['size'][0]}")
        one.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found: dict[str, Any] = one.page.evaluate(
            "tags => axe.run({ runOnly: tags, resultTypes: ['violations'] })", TAGS
        )
        serious = [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            if fault["impact"] in {"serious", "critical"}
            for node in fault["nodes"][:5]
        ]
        assert serious == []

    return look


@pytest.fixture
def sit(person: Callable[..., Person]) -> Callable[..., Person]:
    """Let a person sit where axe may run; motion is off, since it measures colours while things fade in."""

    def one(at: Desktop | Hosted, theme: str, size: tuple[int, int]) -> Person:
        return person(at, theme=theme, size=size, bypass_csp=True, reduced_motion="reduce")

    return one


@LOOKS
def test_desktop_with_sales(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """The window of the example, its chart drawn."""
    ana = sit(sales, theme, size)
    window = ana.front("vendas/main")
    expect(window.get_by_role("figure").first.get_by_role("img")).to_be_visible()
    ana.page.wait_for_function("[...document.images].every(image => image.complete)")

    check(ana, "vendas")


@LOOKS
def test_gallery_of_elements(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """Every element at once."""
    ana = sit(sales, theme, size)
    ana.front("galeria/main")

    check(ana, "gallery")


@LOOKS
def test_task_manager(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """With figures in it."""
    ana = sit(sales, theme, size)
    open_system(ana, "Gerenciador de tarefas", "tasks", size)
    expect(ana.window("system:tasks").get_by_role("rowheader", name="Vendas")).to_be_visible()
    ana.page.wait_for_timeout(2_500)  # until the lines are lines

    check(ana, "tasks")


@LOOKS
def test_settings(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """Language, theme, mark and decisions."""
    ana = sit(sales, theme, size)
    open_system(ana, "Configurações", "settings", size)
    expect(ana.window("system:settings").locator(".pd-entry").first).to_be_visible()

    check(ana, "settings")


@LOOKS
def test_launcher(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """All that there is to open."""
    ana = sit(sales, theme, size)
    ana.tool("launcher").click()
    expect(ana.page.get_by_role("combobox", name="Buscar")).to_be_focused()

    check(ana, "launcher")


@LOOKS
def test_permission_dialog(
    sit: Any, host_of: Callable[..., Hosted], check: Any, theme: str, size: tuple[int, int]
) -> None:
    """Armed, with a question that waits behind it."""
    ana = sit(host_of("pedinte"), theme, size)
    ana.front("pedinte/main")
    ana.press("pedinte/main", "Pedir duas")
    ana.prompt.locator("[data-answer=always]:enabled").wait_for()

    check(ana, "dialog")
    ana.answer("no")
    ana.answer("no")


@LOOKS
def test_notifications_and_empty_desk(sit: Any, sales: Desktop, check: Any, theme: str, size: tuple[int, int]) -> None:
    """A toast and the centre behind the bell; then nothing is open."""
    ana = sit(sales, theme, size)
    ana.front("contador/main")
    ana.press("contador/main", "Avisar")
    expect(ana.page.locator(".pd-toast")).to_be_visible()
    ana.tool("bell").click()
    expect(ana.page.get_by_role("dialog", name="Notificações")).to_be_visible()
    check(ana, "notifications")
    ana.page.keyboard.press("Escape")
    for key in ("contador/main", "galeria/main", "vendas/main"):
        ana.front(key)
        ana.press(key, "Minimizar")
    check(ana, "empty")


def open_system(ana: Person, label: str, name: str, size: tuple[int, int]) -> None:
    """Open a window of the platform: on a small screen behind one button."""
    if size == SMALL:
        ana.tool("more").click()
        ana.page.get_by_role("button", name=label).click()
    else:
        ana.tool(name).click()
