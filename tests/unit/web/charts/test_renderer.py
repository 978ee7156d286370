"""Charts are named without being drawn, drawn once when they are asked for, and kept."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import ChartError
from plataforma_sdk.web.charts import Chart, ChartRenderer, _renderer

from .chart_kit import DRAWS, SVG, FakeDrawers, node_of

NODE = node_of(ui.chart({"jan": 10, "fev": 20}, x="mês", y="receita", title="Vendas"))


def chart_of(charts: ChartRenderer, node=NODE, locale="pt-BR", width=640, owner="vendas") -> Chart:
    chart = charts.chart_of(node, locale=locale, width=width, owner=owner)
    assert chart is not None
    return chart


def test_a_chart_is_named_without_being_drawn(run):
    async def main():
        drawers = FakeDrawers()
        async with ChartRenderer(drawers=drawers) as charts:
            chart = chart_of(charts)
            assert (drawers.requests, drawers.warmed) == ([], 1)
            return chart

    chart = run(main())
    assert re.fullmatch("[0-9a-f]{32}", chart.digest)
    assert chart.alt.startswith('Gráfico de barras "Vendas", receita por mês: 2 pontos')
    assert (chart.width, chart.height) == (640, 300)


def test_the_digest_holds_while_the_drawing_would_be_the_same(run):
    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as charts:
            renamed = node_of(ui.chart({"jan": 10, "fev": 20}, x="mês", y="receita", title="Outro título"))
            other = node_of(ui.chart({"jan": 10, "fev": 21}, x="mês", y="receita"))
            same = {chart_of(charts).digest, chart_of(charts, width=700).digest, chart_of(charts, renamed).digest}
            others = {
                chart_of(charts, other).digest,
                chart_of(charts, locale="en").digest,
                chart_of(charts, width=1_400).digest,
                chart_of(charts, owner="outro").digest,
            }
            assert (len(same), len(others - same)) == (1, 4)

    run(main())


@pytest.mark.parametrize(
    ("tree", "widths"),
    [
        (ui.chart({"a": 1}, key="a"), [880]),
        (ui.column(ui.chart({"a": 1}), ui.card(ui.chart({"a": 2}))), [880, 800]),
        (ui.row(ui.chart({"a": 1}), ui.chart({"a": 2})), [400, 400]),
        (ui.row(ui.button("x", on_press="x"), ui.metric("m", 1), ui.chart({"a": 1})), [880]),
        (ui.row(ui.column(ui.chart({"a": 1})), ui.table([]), ui.card(ui.chart({"a": 2}))), [240, 240]),
        (ui.row(*(ui.chart({"a": number}) for number in range(9))), [240] * 9),
        (ui.tabs(ui.tab("t", ui.text("x"), ui.chart({"a": 1}))), [800]),
    ],
)
def test_charts_of_a_tree_are_as_wide_as_their_places(run, tree, widths):
    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as charts:
            return charts.charts_of(node_of(tree), locale="en", width=960, owner="vendas")

    found = run(main())
    assert [chart.width for chart in found.values()] == widths
    assert all(ui.find_element(node_of(tree), key)["type"] == "chart" for key in found)


@pytest.mark.parametrize(("width", "drawn"), [(0, 240), (239, 240), (399.5, 320), (400, 400), (5_000, 1_200)])
def test_drawings_have_few_widths(run, width, drawn):
    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as charts:
            return chart_of(charts, width=width).width

    assert run(main()) == drawn


def test_the_digest_tells_nothing_of_the_data(run):
    """Who knows what a chart may hold could otherwise find out by asking."""

    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as one, ChartRenderer(drawers=FakeDrawers()) as another:
            assert chart_of(one).digest != chart_of(another).digest
            assert await another.svg(chart_of(one).digest, "light") is None

    run(main())


def test_a_drawing_is_made_once_for_each_theme(run):
    async def main():
        drawers = FakeDrawers()
        async with ChartRenderer(drawers=drawers) as charts:
            digest = chart_of(charts).digest
            for theme in ("light", "dark", "light", "dark"):
                assert await charts.svg(digest, theme) == SVG
        return [json.loads(request)["spec"]["config"]["axis"]["labelColor"] for request in drawers.requests]

    colours = run(main())
    assert len(set(colours)) == len(colours) == 2


def test_those_who_ask_at_once_wait_for_one_drawing(run):
    async def main():
        drawers = FakeDrawers()
        drawers.gate = asyncio.Event()
        async with ChartRenderer(drawers=drawers) as charts, asyncio.TaskGroup() as group:
            digest = chart_of(charts).digest
            asked = [group.create_task(charts.svg(digest, "light")) for _ in range(5)]
            while not drawers.requests:
                await asyncio.sleep(0)
            asked[0].cancel()  # whoever draws may go away: the next one draws
            drawers.gate.set()
            await asyncio.gather(*asked[1:])
            return [await task for task in asked[1:]], len(drawers.requests)

    assert run(main()) == ([SVG] * 4, 2)


def test_what_is_not_known_is_none(run):
    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as charts:
            assert await charts.svg("0" * 32, "light") is None
            assert await charts.svg(chart_of(charts).digest, "sepia") is None

    run(main())


def test_an_empty_chart_is_a_table(run):
    async def main():
        async with ChartRenderer(drawers=FakeDrawers()) as charts:
            return charts.chart_of(node_of(ui.chart([])), locale="en", width=640)

    assert run(main()) is None


def test_a_failure_is_told_and_not_tried_again_at_once(run, caplog):
    async def main():
        drawers = FakeDrawers(ChartError("The chart took longer than 2 s"))
        async with ChartRenderer(drawers=drawers) as charts:
            digest = chart_of(charts).digest
            for _ in range(3):
                with pytest.raises(ChartError, match="longer than 2 s"):
                    await charts.svg(digest, "light")
        return len(drawers.requests)

    assert run(main()) == 1
    assert caplog.messages == ["A chart of 'vendas' is shown as a table: The chart took longer than 2 s"]


def test_a_module_whose_charts_keep_failing_is_passed_over(run):
    async def main():
        drawers = FakeDrawers(ChartError("killed"))
        async with ChartRenderer(drawers=drawers) as charts:
            digests = [chart_of(charts, node_of(ui.chart({"a": number}))).digest for number in range(5)]
            for digest in digests:
                with pytest.raises(ChartError):
                    await charts.svg(digest, "light")
            assert len(drawers.requests) == 3
            assert charts.chart_of(NODE, locale="en", width=640, owner="vendas") is None
            drawers.reply = SVG
            assert await charts.svg(chart_of(charts, owner="outro").digest, "light") == SVG

    run(main())


def test_a_drawing_that_holds_more_than_shapes_is_not_shown(run):
    async def main():
        drawers = FakeDrawers(SVG.replace(b"<rect", b"<script"))
        async with ChartRenderer(drawers=drawers) as charts:
            with pytest.raises(ChartError, match="script"):
                await charts.svg(chart_of(charts).digest, "light")

    run(main())


def test_the_cache_is_bounded_by_bytes(run):
    async def main():
        drawers = FakeDrawers()
        async with ChartRenderer(drawers=drawers, max_cache_bytes=len(SVG) * 2) as charts:
            digests = [chart_of(charts, node_of(ui.chart({"a": number}))).digest for number in range(3)]
            for digest in [*digests, *digests]:
                assert await charts.svg(digest, "light") == SVG
        return len(drawers.requests)

    assert run(main()) == 6  # the oldest of three had to go each time


def test_where_nothing_can_draw_there_are_tables_and_one_hint(run, monkeypatch, caplog):
    monkeypatch.setattr(_renderer, "can_draw", lambda: False)

    async def main():
        async with ChartRenderer() as charts:
            return [charts.chart_of(NODE, locale="en", width=640) for _ in range(3)]

    with caplog.at_level(logging.WARNING):
        assert run(main()) == [None, None, None]
    assert len(caplog.messages) == 1
    assert "plataforma-sdk[charts]" in caplog.messages[0]


WATCHED = """
import asyncio, sys
from plataforma_sdk import ui
from plataforma_sdk.web.charts import ChartRenderer

async def main():
    async with ChartRenderer() as charts:
        chart = charts.chart_of(ui.to_data(ui.chart({"a": 1})), locale="en", width=640)
        assert b"<svg" in await charts.svg(chart.digest, "light")

asyncio.run(main())
print(sorted(name for name in sys.modules if "vl_convert" in name))
"""


@DRAWS
def test_the_host_never_imports_the_javascript_engine():
    path = [entry for entry in sys.path if entry]
    code = f"import sys; sys.path[:0] = {path!r}\n{WATCHED}"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (seen.stdout.strip(), seen.stderr) == ("[]", "")
