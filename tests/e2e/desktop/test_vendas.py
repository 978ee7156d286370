"""The example `vendas` over Chinook: what the demo promises, and in what time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from plataforma_sdk import ModulePackage
from plataforma_sdk.cli._example import example_path, sales_api
from tests.e2e.desktop.data import CHINOOK
from tests.e2e.desktop.hosted import Hosted
from tests.e2e.desktop.people import Person
from tests.e2e.desktop.served import Desktop

WINDOW = "vendas/main"
RENDERED = f"""
() => {{
  const window = document.querySelector('[data-key="{WINDOW}"]');
  const picture = window?.querySelector('.pv-chart img:not([hidden])');
  return window?.querySelector('[role=table], table, [role=grid]') && picture?.complete && picture.naturalWidth > 0
    && performance.now();
}}
"""


@pytest.fixture(scope="module")
def sales(serve: Callable[..., Desktop]) -> Desktop:
    data = () if CHINOOK is None else ("--data", CHINOOK)
    return serve(example_path("vendas"), *data, "--yes")


def test_sales_are_on_the_screen(
    person: Callable[..., Person], sales: Desktop, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metrics, table, and the chart as a picture; the time from the page's load on is told, not asserted."""
    warm = person(sales)
    warm.page.wait_for_function(RENDERED)

    ana = person(sales)
    took_ms = float(ana.page.wait_for_function(RENDERED).json_value())
    _tell(capsys, record_property, "vendas_rendered_ms", took_ms)

    window = ana.window(WINDOW)
    expect(window.get_by_text("Receita", exact=True).first).to_be_visible()
    expect(window.get_by_role("figure", name="Receita por mês").get_by_role("img")).to_be_visible()
    if CHINOOK is not None:
        expect(window.get_by_text("US$\u00a02.328,60").first).to_be_visible()
        expect(window.get_by_text("412", exact=True).first).to_be_visible()


def test_country_filters_the_sales(person: Callable[..., Person], sales: Desktop) -> None:
    """A choice goes to the module, and metrics, chart and table come back for that country alone."""
    ana = person(sales)
    window = ana.window(WINDOW)
    field = window.get_by_label("País", exact=True)
    everything = window.get_by_role("figure", name="Receita por mês").get_by_role("img")
    before = everything.get_attribute("src")

    field.click()
    ana.page.keyboard.type("Bra")
    ana.page.get_by_role("option", name="Brazil").click()

    rows = window.get_by_role("grid", name="Vendas mais recentes")
    expect(rows.get_by_text("Brazil").first).to_be_visible()
    expect(rows.get_by_text("Germany")).to_have_count(0)
    expect(everything).not_to_have_attribute("src", str(before))
    field.click()
    ana.page.get_by_role("option", name="Todos os países").click()
    expect(everything).to_have_attribute("src", str(before))


def test_event_of_the_host_is_on_the_screen_at_once(
    person: Callable[..., Person],
    host_of: Callable[..., Hosted],
    record_property: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From `emit` on the host to the text in the page; the median of ten is told."""
    with sales_api(CHINOOK) as api:
        hosted = host_of(api=api, engine="wasm")
        package = ModulePackage.from_directory(example_path("vendas"))
        hosted.run(hosted.host.load(package, grants=tuple(package.manifest.permissions.required)))
        ana = person(hosted)
        expect(ana.window(WINDOW).get_by_text("Olá", exact=True)).to_be_visible()
        ana.page.evaluate(WATCH, WINDOW)

        took_ms = sorted(_time_of_a_greeting(ana, hosted, f"Pessoa {turn}") for turn in range(10))

        _tell(capsys, record_property, "event_to_screen_ms_median", took_ms[5])
        _tell(capsys, record_property, "event_to_screen_ms_worst", took_ms[-1])
        expect(ana.window(WINDOW).get_by_text("Olá, Pessoa 9")).to_be_visible()


WATCH = """
key => {
  const seen = (globalThis.seen = {});
  const window = document.querySelector(`[data-key="${key}"]`);
  new MutationObserver(() => {
    const found = /Olá, (Pessoa \\d)/.exec(window.textContent);
    if (found) seen[found[1]] ??= performance.timeOrigin + performance.now();
  }).observe(window, { subtree: true, childList: true, characterData: true });
}
"""


def _time_of_a_greeting(ana: Person, hosted: Hosted, name: str) -> float:
    async def emit() -> float:
        started = time.time()
        hosted.host.events.emit("user.login", {"nome": name})
        return started

    started = hosted.run(emit())
    seen = ana.page.wait_for_function("name => globalThis.seen[name]", arg=name).json_value()
    return float(seen) - started * 1e3


def _tell(capsys: pytest.CaptureFixture[str], record: Any, name: str, value: float) -> None:
    record(name, value)
    with capsys.disabled():
        sys.stdout.write(f"\n  {name}: {value:.0f}\n")
