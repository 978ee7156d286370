"""The host in memory: it refuses as a real one does, and remembers."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import CodecError, HostCallError, PermissionDeniedError
from plataforma_sdk.module import FakeBridge, ModuleContext


def test_a_grant_made_later_counts():
    bridge = FakeBridge(module_id="vendas")
    with pytest.raises(PermissionDeniedError):
        bridge.call_now("events.emit", ["saved", 1])
    bridge.permissions.grant("events.emit")
    bridge.call_now("events.emit", ["saved", 1])
    assert (bridge.events, bridge.calls) == ([("module.vendas.saved", 1)], [("events.emit", ["saved", 1])])


def test_a_refused_call_is_not_recorded():
    bridge = FakeBridge()
    with pytest.raises(PermissionDeniedError):
        bridge.call_now("windows.create", [{"id": "main"}])
    assert (bridge.calls, bridge.windows) == ([], {})


def test_a_function_outside_the_table_does_not_exist():
    with pytest.raises(HostCallError, match="nothing"):
        FakeBridge().call_now("nothing", [])


def test_values_are_copied_and_checked(run):
    bridge = FakeBridge(["system.storage"])
    sent = {"rows": [1]}
    run(bridge.call("storage.set", ["k", sent]))
    sent["rows"].append(2)
    assert run(bridge.call("storage.get", ["k"])) == {"rows": [1]}
    with pytest.raises(CodecError):
        run(bridge.call("storage.set", ["k", {1, 2}]))


def test_an_answer_may_depend_on_the_call(run):
    bridge = FakeBridge(["api.vendas"], api={"/vendas": lambda options: options["method"], "/vendas/fixed": [1]})
    assert run(bridge.call("api.call", ["/vendas", {"method": "POST"}])) == "POST"
    assert run(bridge.call("api.call", ["/vendas/fixed", {}])) == [1]


def test_an_async_answer_is_awaited(run):
    async def answer(options):
        return "later"

    bridge = FakeBridge(["api.vendas"], api={"/vendas": answer})
    assert run(bridge.call("api.call", ["/vendas", {}])) == "later"


def test_a_context_for_a_test_is_made_in_one_line():
    context = ModuleContext.fake(permissions=["system.storage"], id="vendas", config={"top": 1}, locale="pt")
    assert (context.id, context.config, context.locale) == ("vendas", {"top": 1}, "pt")
    assert context.bridge.permissions.has("system.storage")
