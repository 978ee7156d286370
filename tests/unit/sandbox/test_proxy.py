"""`ApiProxy`: the order of its checks, and what a module sees of a failing host."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    CodecError,
    HostCallError,
    ModuleStateError,
    PermissionDeniedError,
    PlataformaError,
    QuotaExceededError,
    TransportError,
)
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.sandbox import ApiProxy, CallDeadline, ResourceLimits, ResourceMonitor
from plataforma_sdk.types import FakeClock


class Host:
    """Services that remember what reached them and answer as told."""

    def __init__(self, answer=None):
        self.reached = []
        self.answer = answer

    def now(self, *args):
        self.reached.append(args)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    async def later(self, *args):
        await asyncio.sleep(0)
        return self.now(*args)

    @property
    def services(self):
        names = ("log", "events.emit", "windows.create", "permissions.has", "clock.now")
        waits = ("api.call", "storage.get", "storage.set", "database.query", "permissions.request", "asset.read")
        return dict.fromkeys(names, self.now) | dict.fromkeys(waits, self.later)


def make(host, *grants, **limits):
    permissions = PermissionManager(grants, module="vendas")
    return ApiProxy(
        "vendas",
        permissions,
        ResourceMonitor(ResourceLimits(**limits), module="vendas", clock=FakeClock()),
        host.services,
    )


def test_a_permitted_call_is_served(run):
    host = Host("answer")
    proxy = make(host, "events.emit", "system.storage")
    assert proxy.call_now("events.emit", ["saved", {"id": 7}]) == "answer"
    assert run(proxy.call("storage.get", ["k"])) == "answer"
    assert host.reached == [("saved", {"id": 7}), ("k",)]


def test_a_refused_call_reaches_nothing():
    host = Host()
    with pytest.raises(PermissionDeniedError):
        make(host).call_now("events.emit", ["saved", 1])
    assert host.reached == []


def test_a_revocation_is_seen_at_once():
    host = Host()
    proxy = make(host, "events.emit")
    proxy.call_now("events.emit", ["saved", 1])
    proxy.permissions.revoke("events.emit")
    with pytest.raises(PermissionDeniedError):
        proxy.call_now("events.emit", ["saved", 2])
    assert len(host.reached) == 1


def test_a_grant_for_once_is_used_up():
    proxy = make(Host())
    proxy.permissions.grant("events.emit", once=True)
    proxy.call_now("events.emit", ["saved", 1])
    with pytest.raises(PermissionDeniedError):
        proxy.call_now("events.emit", ["saved", 2])


def test_the_wider_of_two_alternatives_suffices(run):
    host = Host()
    run(make(host, "api.internal[GET]").call("api.call", ["/vendas", {"method": "GET"}]))
    run(make(host, "api.vendas").call("api.call", ["/vendas", {"method": "GET"}]))
    assert len(host.reached) == 2
    with pytest.raises(PermissionDeniedError, match=r"api\.vendas\[POST\]"):
        run(make(host, "api.internal[GET]").call("api.call", ["/vendas", {"method": "POST"}]))


def test_any_scope_opens_a_service_that_checks_scopes_itself(run):
    host = Host([])
    assert run(make(host, "database.read[Customer]").call("database.query", ["SELECT 1", []])) == []
    with pytest.raises(PermissionDeniedError):
        run(make(host, "database.write").call("database.query", ["SELECT 1", []]))


# --- the order: rate limit, permission, resource budget, call --------------------------------------------------------


def test_the_rate_is_counted_before_the_permission():
    proxy = make(Host(), max_host_calls_per_s=2)
    for _ in range(2):
        with pytest.raises(PermissionDeniedError):
            proxy.call_now("events.emit", ["saved", 1])
    with pytest.raises(QuotaExceededError, match="host_calls"):
        proxy.call_now("events.emit", ["saved", 1])


def test_a_refused_call_counts_no_network_request(run):
    proxy = make(Host())
    with pytest.raises(PermissionDeniedError):
        run(proxy.call("api.call", ["/vendas", {"method": "GET"}]))
    assert (proxy.monitor.usage.network_requests, proxy.monitor.usage.host_calls) == (0, 1)


def test_a_payload_that_is_too_large_reaches_nothing():
    host = Host()
    proxy = make(host, "events.emit", max_payload_bytes=100)
    with pytest.raises(QuotaExceededError, match="payload"):
        proxy.call_now("events.emit", ["saved", "x" * 101])
    assert host.reached == []


def test_an_answer_that_is_too_large_is_not_handed_over(run):
    proxy = make(Host("x" * 200), "system.storage", max_payload_bytes=100)
    with pytest.raises(QuotaExceededError, match="payload"):
        run(proxy.call("storage.get", ["k"]))


@pytest.mark.parametrize("text", ["x" * 90, "\x01" * 15, "é" * 45, '"' * 45])
def test_the_encoded_size_counts(text):
    make(Host(), "events.emit", max_payload_bytes=103).call_now("events.emit", ["s", text])


@pytest.mark.parametrize("text", ["x" * 101, "\x01" * 20, "é" * 51, '"' * 51])
def test_the_encoded_size_counts_to_the_byte(text):
    with pytest.raises(QuotaExceededError):
        make(Host(), "events.emit", max_payload_bytes=105).call_now("events.emit", ["s", text])


def test_what_is_logged_counts_as_output():
    proxy = make(Host(), max_output_bytes=6_000)
    proxy.call_now("log", ["info", "x" * 5_000, {}])
    with pytest.raises(QuotaExceededError, match="output"):
        proxy.call_now("log", ["info", "x" * 5_000, {}])


def test_short_lines_count_as_output_too():
    """Otherwise a module could fill the log line by line."""
    proxy = make(Host(), max_output_bytes=150)
    proxy.call_now("log", ["info", "x" * 50, {}])
    proxy.call_now("log", ["info", "x" * 50, {}])
    with pytest.raises(QuotaExceededError, match="output"):
        proxy.call_now("log", ["info", "x" * 50, {}])


# --- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [[], ["saved"], ["saved", 1, 2], ("saved", 1), None])
def test_the_number_of_arguments_is_checked(args):
    with pytest.raises(HostCallError, match="takes 2 arguments"):
        make(Host(), "events.emit").call_now("events.emit", args)


@pytest.mark.parametrize(
    ("method", "args"),
    [("windows.create", [None]), ("windows.create", ["main"]), ("events.emit", [None, 1]), ("events.emit", [[], 1])],
)
def test_arguments_of_the_wrong_type_are_a_fault_of_the_module(method, args):
    host = Host()
    with pytest.raises(PlataformaError):
        make(host, "window.create", "events.emit").call_now(method, args)
    assert host.reached == []


@pytest.mark.parametrize("options", [None, [], "GET", {"method": None}, {"method": ["GET"]}])
def test_options_of_the_wrong_type_are_a_fault_of_the_module(run, options):
    with pytest.raises((HostCallError, TransportError)):
        run(make(Host(), "api.vendas").call("api.call", ["/vendas", options]))


def test_values_are_copied_both_ways(run):
    answer = {"rows": [1]}
    host = Host(answer)
    proxy = make(host, "system.storage")
    sent = {"n": [1]}
    got = run(proxy.call("storage.set", ["k", sent]))
    got["rows"].append(2)
    sent["n"].append(2)
    assert (answer, host.reached) == ({"rows": [1]}, [("k", {"n": [1]})])


def test_what_does_not_cross_is_refused_both_ways():
    with pytest.raises(CodecError):
        make(Host(), "events.emit").call_now("events.emit", ["saved", {1, 2}])
    with pytest.raises(PlataformaError):
        make(Host(object()), "events.emit").call_now("events.emit", ["saved", 1])


def test_immediate_and_awaited_functions_are_not_interchangeable(run):
    proxy = make(Host(), "system.storage", "events.emit")
    with pytest.raises(HostCallError, match="UnknownMethod"):
        proxy.call_now("storage.get", ["k"])
    with pytest.raises(HostCallError, match="UnknownMethod"):
        run(proxy.call("events.emit", ["saved", 1]))


# --- what the module sees --------------------------------------------------------------------------------------------


def test_a_failing_service_is_a_name_and_a_text():
    with pytest.raises(HostCallError) as caught:
        make(Host(RuntimeError("broken")), "events.emit").call_now("events.emit", ["saved", 1])
    assert (caught.value.type_name, caught.value.text, caught.value.module) == ("RuntimeError", "broken", "vendas")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("path", ["/srv/tenants/acme.db", "C:\\Users\\ana\\token.txt", "/home/a/b", "~/.ssh/id_rsa"])
def test_a_host_path_does_not_cross(path):
    with pytest.raises(HostCallError) as caught:
        make(Host(OSError(f"cannot open {path!r}")), "events.emit").call_now("events.emit", ["saved", 1])
    assert "cannot open" in caught.value.text
    assert not any(part in str(caught.value) for part in ("acme", "ana", "home", "ssh"))


def test_a_long_text_is_cut():
    with pytest.raises(HostCallError) as caught:
        make(Host(RuntimeError("x" * 10_000)), "events.emit").call_now("events.emit", ["saved", 1])
    assert len(caught.value.text) <= 500


def test_an_error_of_the_platform_passes_with_the_modules_name(run):
    error = TransportError("no answer")
    with pytest.raises(TransportError) as caught:
        run(make(Host(error), "system.storage").call("storage.get", ["k"]))
    assert caught.value.module == "vendas"


def test_cancellation_passes(run):
    async def main():
        proxy = make(Host(asyncio.CancelledError()), "system.storage")
        await proxy.call("storage.get", ["k"])

    with pytest.raises(asyncio.CancelledError):
        run(main())


def test_a_closed_proxy_refuses_everything(run):
    host = Host()
    proxy = make(host, "events.emit", "system.storage")
    proxy.close()
    with pytest.raises(ModuleStateError, match="unloaded"):
        proxy.call_now("events.emit", ["saved", 1])
    with pytest.raises(ModuleStateError, match="unloaded"):
        run(proxy.call("storage.get", ["k"]))
    assert host.reached == []


def test_a_question_to_a_person_suspends_the_deadline(run):
    class Slow(Host):
        async def later(self, *args):
            await asyncio.sleep(0.15)
            return True

    async def main():
        async with CallDeadline(60):
            return await make(Slow()).call("permissions.request", ["system.storage", "why"])

    assert run(main()) is True
