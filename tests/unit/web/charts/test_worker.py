"""The real drawing in its confined worker: what is admitted is drawn, and what gets past the list comes to nothing.

The hostile specifications go to the worker as they are: here the list of `ui.chart` is taken as broken.
"""

from __future__ import annotations

import datetime
import json
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.errors import ChartError
from plataforma_sdk.web.charts import ChartRenderer
from plataforma_sdk.web.charts._drawing import Drawers
from plataforma_sdk.web.charts._svg import checked_svg

from .chart_kit import DRAWS, node_of
from .test_spec import AUTHORED, DAYS, SALES

pytestmark = [DRAWS, pytest.mark.timeout(60)]

PATIENT_S = 20.0
"""For drawings that are not about time, on a machine that others use too."""

BARS: dict[str, Any] = {
    "data": {"values": [{"a": "x", "b": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}
KINDS = {
    "bar": ui.chart({"jan": 1200, "fev": 300}, x="mês", y="receita", format="currency", currency="BRL"),
    "lying bars": ui.chart({f"Uma categoria bem comprida {number}": number for number in range(9)}),
    "groups": ui.chart([{"m": "jan", "a": 1, "b": 2}, {"m": "fev", "a": 3, "b": None}]),
    "stack": ui.chart([{"m": "jan", "a": 1, "b": 2}], stacked=True),
    "line": ui.chart(DAYS, kind="line"),
    "area": ui.chart([{"ano": 2020 + n, "a": n, "b": n * n} for n in range(9)], kind="area", format="percent"),
    "pie": ui.chart({"a": 1, "b": 2}, kind="pie"),
    "nothing but None": ui.chart([("a", None)]),
    "dark letters": ui.chart({"日本 😀 العربية <&\"'>]]>": 1}),
}


def request(spec: dict[str, Any]) -> bytes:
    return json.dumps({"spec": spec, "numbers": "en-US", "times": "en-US"}).encode()


def test_every_kind_is_drawn_and_passes_the_check(run):
    async def main():
        drawers = Drawers(deadline_s=PATIENT_S)
        async with ChartRenderer(drawers=drawers) as charts:
            for element in [*KINDS.values(), *(ui.chart(SALES, vega=vega) for vega in AUTHORED.values())]:
                chart = charts.chart_of(node_of(element), locale="pt-BR", width=520)
                svg = await charts.svg(chart.digest, "light")
                if "vega" not in element.props:
                    assert f'width="{chart.width}" height="{chart.height}"'.encode() in svg

    run(main())


def test_numbers_and_dates_are_of_the_locale(run):
    async def main():
        async with ChartRenderer(drawers=Drawers(deadline_s=PATIENT_S)) as charts:
            drawn = []
            money = ui.chart({"jan": 1200, "fev": 300}, format="currency", currency="BRL")
            months = ui.chart([(datetime.date(2024, month, 1), month) for month in range(1, 13)], kind="line")
            for element, locale in ((money, "pt-BR"), (money, "en"), (months, "pt-BR")):
                chart = charts.chart_of(node_of(element), locale=locale, width=520)
                drawn.append((await charts.svg(chart.digest, "light")).decode().replace("\xa0", " "))
            return drawn

    brazilian, english, months = run(main())
    assert ">R$ 1.200<" in brazilian
    assert ">R$1,200<" in english
    assert ">abr 2024<" in months  # by the year's first days in UTC: January has not become December


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_nothing_is_fetched_read_or_run(run, listener, tmp_path):
    """Source: CWE-918 (data and images by address); CVE-2020-26296 and CVE-2025-59840 (code in expressions)."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nsegredo,1\n")
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    hostile = [
        {**BARS, "data": {"url": address}},
        {**BARS, "data": {"url": f"file://{secret}", "format": {"type": "csv"}}},
        {**BARS, "data": {"url": str(secret), "format": {"type": "csv"}}},
        {"data": {"values": [{"u": address}]}, "mark": "image", "encoding": {"url": {"field": "u", "type": "nominal"}}},
        {**BARS, "encoding": {**BARS["encoding"], "href": {"value": "javascript:alert(1)"}}},
        {
            **BARS,
            "usermeta": {"embedOptions": {"loader": {"target": "_blank"}}},
            "params": [{"name": "p", "expr": "1"}],
        },
        {
            **BARS,
            "transform": [
                {"calculate": "toString.constructor('return Deno')().readTextFileSync('/etc/passwd')", "as": "a"}
            ],
        },
    ]

    async def main():
        drawers = Drawers(deadline_s=PATIENT_S)
        shown = []
        for spec in hostile:
            try:
                shown.append(checked_svg(await drawers.draw(request(spec))))
            except ChartError:
                continue
        await drawers.aclose()
        return b"".join(shown)

    shown = run(main())
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert b"segredo" not in shown
    assert b"root:" not in shown


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_worker_has_given_up_everything_else(run):
    async def main():
        drawers = Drawers(deadline_s=PATIENT_S)
        await drawers.draw(request(BARS))
        worker, _ = drawers._idle[0]
        proc = Path(f"/proc/{worker.pid}")
        limits = {
            name: resource.prlimit(worker.pid, getattr(resource, f"RLIMIT_{name}"))
            for name in ("NOFILE", "FSIZE", "CORE", "NPROC", "DATA", "CPU")
        }
        highest = max(int(entry.name) for entry in (proc / "fd").iterdir() if int(entry.name) < limits["NOFILE"][0])
        status, environment = (proc / "status").read_text(), (proc / "environ").read_bytes()
        await drawers.aclose()
        return limits, highest, status, environment

    limits, highest, status, environment = run(main())
    assert limits["NOFILE"][1] == highest + 1
    assert limits["FSIZE"][1] == limits["CORE"][1] == limits["NPROC"][1] == 0
    assert limits["DATA"][1] < 2 << 30
    assert limits["CPU"][0] < 60
    assert "NoNewPrivs:\t1" in status
    assert b"PLATAFORMA" not in environment


def numbers(count: float) -> dict[str, Any]:
    data = {"sequence": {"start": 0, "stop": count, "step": 1}}
    return {"data": data, "mark": "point", "encoding": {"x": {"field": "data", "type": "quantitative"}}}


def test_one_that_eats_memory_ends_its_worker_and_the_next_is_drawn(run):
    async def main():
        drawers = Drawers(deadline_s=PATIENT_S)
        with pytest.raises(ChartError, match="too much memory or time"):
            await drawers.draw(request(numbers(1e8)))
        again = await drawers.draw(request(BARS))
        await drawers.aclose()
        return again

    assert b"<svg" in run(main())


def test_one_that_does_not_end_is_killed_in_time(run):
    async def main():
        drawers = Drawers(deadline_s=PATIENT_S)
        await drawers.draw(request(BARS))
        drawers._deadline_s = 0.3
        endless = {
            **BARS,
            "transform": [{"calculate": "length(replace(pad('', 3e7, 'a'), regexp('(a*)*b'), ''))", "as": "a"}],
        }
        with pytest.raises(ChartError, match="longer than"):
            await drawers.draw(request(endless))
        await drawers.aclose()

    run(main())
