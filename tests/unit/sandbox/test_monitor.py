"""The meters of one module."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.sandbox import ResourceLimits, ResourceMonitor
from plataforma_sdk.types import FakeClock


def monitor_of(clock=None, **limits):
    return ResourceMonitor(ResourceLimits(**limits), module="vendas", clock=clock or FakeClock())


def test_a_fresh_module_has_used_nothing():
    usage = monitor_of().usage
    used = {name: value for name, value in attrs.asdict(usage, recurse=False).items() if name != "limits"}
    assert set(used.values()) == {0}
    assert usage.limits == ResourceLimits()


def test_work_adds_up_and_memory_has_a_peak():
    monitor = monitor_of()
    for used in (10, 30, 20):
        monitor.set_memory(used)
        monitor.add_cpu(1.5)
        monitor.add_fuel(100)
    usage = monitor.usage
    assert (usage.cpu_ms, usage.fuel, usage.memory_bytes, usage.memory_peak_bytes) == (4.5, 300, 20, 30)


def test_a_second_full_of_host_calls_is_the_limit():
    monitor = monitor_of(max_host_calls_per_s=3)
    for _ in range(3):
        monitor.count_host_call()
    with pytest.raises(QuotaExceededError) as caught:
        monitor.count_host_call()
    error = caught.value
    assert (error.resource, error.used, error.limit, error.unit, error.module) == (
        "host_calls", 4, 3, "calls/s", "vendas"
    )  # fmt: skip
    assert monitor.usage.host_calls == 3


def test_host_calls_are_free_again_as_time_passes():
    clock = FakeClock()
    monitor = monitor_of(clock, max_host_calls_per_s=4)
    for _ in range(4):
        monitor.count_host_call()
    clock.advance(0.25)
    monitor.count_host_call()
    with pytest.raises(QuotaExceededError):
        monitor.count_host_call()
    clock.advance(100)
    for _ in range(4):
        monitor.count_host_call()


def test_the_minute_of_requests_slides():
    """Sixty seconds that begin anywhere: a calendar minute would let twice as many through."""
    clock = FakeClock()
    monitor = monitor_of(clock, max_network_requests_per_min=2)
    monitor.count_network_request()
    clock.advance(50)
    monitor.count_network_request()
    clock.advance(9.9)
    with pytest.raises(QuotaExceededError, match="network_requests"):
        monitor.count_network_request()
    clock.advance(0.1)
    monitor.count_network_request()
    assert monitor.usage.network_requests == 3


@given(st.lists(st.floats(min_value=0, max_value=30), max_size=60))
def test_no_minute_holds_more_than_the_limit(pauses):
    clock = FakeClock()
    monitor = monitor_of(clock, max_network_requests_per_min=5)
    served = []
    for pause in pauses:
        clock.advance(pause)
        try:
            monitor.count_network_request()
        except QuotaExceededError:
            continue
        served.append(clock.monotonic())
        assert sum(1 for at in served if served[-1] - at < 60) <= 5


def test_output_is_counted_for_each_call():
    monitor = monitor_of(max_output_bytes=10)
    monitor.count_output(6)
    with pytest.raises(QuotaExceededError, match="output"):
        monitor.count_output(5)
    monitor.count_output(4)
    monitor.begin_call()
    monitor.count_output(10)
    assert monitor.usage.output_bytes == 20


def test_a_payload_of_the_limit_passes():
    monitor = monitor_of(max_payload_bytes=10)
    monitor.check_payload(10)
    with pytest.raises(QuotaExceededError) as caught:
        monitor.check_payload(11)
    assert (caught.value.resource, caught.value.used, caught.value.unit) == ("payload", 11, "bytes")


def test_usage_is_a_snapshot():
    monitor = monitor_of()
    before = monitor.usage
    monitor.set_storage(7)
    assert (before.storage_bytes, monitor.usage.storage_bytes) == (0, 7)


def test_usage_prints_a_row_for_each_meter():
    text = str(monitor_of(max_fuel=1_000).usage)
    assert [line.split()[0] for line in text.splitlines()] == [
        "cpu", "fuel", "memory", "host", "network", "storage", "output"
    ]  # fmt: skip
    assert "1,000 a call" in text


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "10", None])
def test_a_limit_is_a_whole_number_above_zero(value):
    with pytest.raises(ValueError, match="max_call_ms"):
        ResourceLimits(max_call_ms=value)


def test_only_the_limits_without_a_default_may_be_none():
    assert (ResourceLimits(max_fuel=None).max_fuel, ResourceLimits(max_cpu_ms_per_s=None).max_cpu_ms_per_s) == (
        None,
        None,
    )


def test_a_manifest_lowers_and_never_raises():
    limits = ResourceLimits(max_call_ms=1_000).lowered_by({"max_call_ms": 5_000, "max_step_ms": 10, "max_fuel": 7})
    assert (limits.max_call_ms, limits.max_step_ms, limits.max_fuel) == (1_000, 10, 7)
