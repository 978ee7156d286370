"""The blocking face."""

from __future__ import annotations

import pytest

from plataforma_sdk import sync
from plataforma_sdk.errors import ModuleStateError


def test_a_script_loads_and_calls(counter):
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter())
        assert handle.call("add", 2) == 2
        assert handle.render()["type"] == "column"
        assert list(host.modules) == ["counter"]


def test_leaving_the_block_unloads(counter):
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter())
    assert handle.state == "unloaded"


def test_a_host_that_is_not_entered_says_so(counter):
    with pytest.raises(ModuleStateError, match="with sync"):
        sync.ModuleHost(engine="trusted").load(counter())


def test_the_hosts_own_thread_is_refused(counter):
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter())

        async def inside():
            return handle.call("add", 1)

        with pytest.raises(ModuleStateError, match="async"):
            host.run(inside())


COUNTS = """
from plataforma_sdk import ModuleFramework, ui

class Counts(ModuleFramework):
    async def on_load(self):
        self.is_closed = False

    def numbers(self, count):
        try:
            yield from range(count)
        finally:
            self.is_closed = True

    def closed(self):
        return self.is_closed

    def render(self):
        return ui.text("")
"""


def test_a_script_reads_a_stream_and_may_leave_it(counter):
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter(COUNTS))
        assert list(handle.stream("numbers", 3)) == [0, 1, 2]
        for number in handle.stream("numbers", 100):
            if number == 2:
                break
        assert handle.call("closed") is True


def test_a_script_writes_a_module_down_and_lets_it_go_on(counter):
    source = COUNTS + "\n    async def on_reload(self, old):\n        self.is_closed = old['is_closed']\n"
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter(source))
        list(handle.stream("numbers", 1))
        snapshot = handle.snapshot()
        handle.unload()
        restored = host.restore(snapshot)
        assert (snapshot.kind, restored.restored_by, handle.restored_by) == ("state", "state", None)
        assert restored.call("closed") is True
        assert list(host.modules) == ["counter"]


def test_a_script_restarts_a_module_with_other_limits(counter):
    with sync.ModuleHost(engine="trusted") as host:
        handle = host.load(counter())
        handle.call("add", 2)
        handle.set_limits(max_call_ms=500)
        handle.lower_limits(max_call_ms=200)
        handle.restart()
        assert handle.call("add", 0) == 0
        assert (handle.usage.limits.max_call_ms, handle.limits.max_call_ms, handle.host_limits.max_call_ms) == (
            200,
            200,
            500,
        )
        handle.unload(at_once=True)
        assert handle.state == "unloaded"
