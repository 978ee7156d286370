"""Spans and measurements, as the real SDK of OpenTelemetry receives them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from plataforma_sdk import GuestError, ModuleHost, ModulePackage, PermissionDeniedError
from plataforma_sdk.runtime._tracing import tracing_observer

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class M(ModuleFramework):
    async def on_load(self):
        pass
    def render(self):
        return ui.text("x")
    async def save(self):
        self.log("info", "not a span")
        await self.storage.set("a", 1)
    def fail(self):
        return 1 // 0
    async def read(self):
        return await self.clipboard.read()
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    yield reader
    provider.shutdown()


async def use(tier: str, *methods: str) -> None:
    package = ModulePackage.from_source(SOURCE, id="m", permissions=["system.storage"])
    async with ModuleHost(engine=tier, subject="ana", grants=["system.storage"]) as host:
        m = await host.load(package)
        for method in methods:
            try:
                await m.call(method)
            except (GuestError, PermissionDeniedError):
                continue


@pytest.mark.parametrize("tier", ["trusted", "restricted", "wasm"])
def test_a_call_is_a_span_of_its_caller_and_host_calls_are_its_children(
    run: Any, tier: str, exporter: InMemorySpanExporter, reader: InMemoryMetricReader
) -> None:
    with trace.get_tracer_provider().get_tracer("test").start_as_current_span("request"):
        run(use(tier, "save"))
    by_name = {span.name: span for span in exporter.get_finished_spans()}
    assert set(by_name) == {"request", "module.call", "module.host_call"}
    request, call, host_call = (by_name[name] for name in ("request", "module.call", "module.host_call"))
    assert call.parent.span_id == request.context.span_id
    assert host_call.parent.span_id == call.context.span_id
    assert dict(host_call.attributes) == {"plataforma.module.id": "m", "plataforma.host.method": "storage.set"}
    assert dict(call.attributes) == {
        "code.function.name": "save",
        "plataforma.module.id": "m",
        "plataforma.module.version": "0.1.0",
        "plataforma.module.engine": tier,
        "plataforma.call.id": 1,
        "plataforma.subject": "ana",
    }


def test_errors_are_recorded(run: Any, exporter: InMemorySpanExporter, reader: InMemoryMetricReader) -> None:
    run(use("trusted", "fail"))
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "GuestError"
    assert [event.name for event in span.events] == ["exception"]


def test_calls_denials_and_memory_are_measured(
    run: Any, exporter: InMemorySpanExporter, reader: InMemoryMetricReader
) -> None:
    run(use("trusted", "save", "fail", "read"))
    run(use("trusted", "save"))  # a second host makes no instrument twice
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = {metric.name: metric.data.data_points for metric in data}
    counts = {point.attributes.get("error.type"): point.count for point in points["plataforma.module.call.duration"]}
    assert counts == {None: 2, "GuestError": 1, "PermissionDeniedError": 1}
    assert [point.value for point in points["plataforma.module.denials"]] == [1]
    assert [point.value for point in points["plataforma.module.memory"]] == [0]


def test_spans_alone_will_do(run: Any, exporter: InMemorySpanExporter) -> None:
    run(use("trusted", "save"))
    assert [span.name for span in exporter.get_finished_spans()] == ["module.host_call", "module.call"]


def test_a_meter_without_gauges_will_do(
    run: Any, reader: InMemoryMetricReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("opentelemetry.sdk.metrics.Meter.create_gauge")
    monkeypatch.delattr("opentelemetry.metrics.Meter.create_gauge")
    run(use("trusted", "save"))
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    assert [metric.name for metric in data] == ["plataforma.module.call.duration"]


def test_without_a_provider_nothing_is_observed() -> None:
    assert tracing_observer() is None


def test_without_the_package_nothing_is_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    assert tracing_observer() is None


class Faulty(SpanProcessor):
    """A processor that fails, as one of the host's own may."""

    def __init__(self, where: str) -> None:
        self._where = where

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if self._where == "start":
            raise RuntimeError("no room")

    def on_end(self, span: Any) -> None:
        if self._where == "end":
            raise RuntimeError("no room")


@pytest.mark.parametrize("where", ["start", "end"])
def test_a_span_processor_that_fails_stops_no_module(
    run: Any, exporter: InMemorySpanExporter, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(Faulty(where))

    async def main() -> None:
        package = ModulePackage.from_source(SOURCE, id="m", permissions=["system.storage"])
        async with ModuleHost(engine="trusted", grants=["system.storage"]) as host:
            m = await host.load(package)
            await m.call("save")
            assert dict(m.stats.failures) == {}
        assert not trace.get_current_span().get_span_context().is_valid

    run(main())
    assert "no room" in caplog.text


def test_spans_of_calls_at_once_are_children_of_their_own_callers(run: Any, exporter: InMemorySpanExporter) -> None:
    tracer = trace.get_tracer_provider().get_tracer("test")

    async def main() -> None:
        package = ModulePackage.from_source(SOURCE, id="m", permissions=["system.storage"])
        async with ModuleHost(engine="trusted", grants=["system.storage"]) as host:
            m = await host.load(package)

            async def request(number: int) -> None:
                with tracer.start_as_current_span(f"request {number}"):
                    await m.call("save")
                    assert trace.get_current_span().name == f"request {number}"  # type: ignore[attr-defined]

            await asyncio.gather(*map(request, range(20)))

    run(main())
    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    calls = [span for span in spans.values() if span.name == "module.call"]
    assert sorted(spans[call.parent.span_id].name for call in calls) == sorted(f"request {n}" for n in range(20))
    hosts = [span for span in spans.values() if span.name == "module.host_call"]
    assert len({span.parent.span_id for span in hosts}) == 20
    assert {spans[span.parent.span_id].name for span in hosts} == {"module.call"}


def test_hosts_without_a_meter_provider_share_their_instruments(exporter: InMemorySpanExporter) -> None:
    first, second = tracing_observer(), tracing_observer()  # the API keeps each meter that was asked for
    assert first is not None
    assert second is not None
    assert first._instruments is second._instruments


def test_an_error_without_text_leaves_no_span_behind(exporter: InMemorySpanExporter) -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    observer = tracing_observer()
    assert observer is not None
    with contextlib.suppress(SilentError), observer.host_call("m", "storage.get"):
        raise SilentError
    assert not trace.get_current_span().get_span_context().is_valid
    assert [span.name for span in exporter.get_finished_spans()] == ["module.host_call"]
