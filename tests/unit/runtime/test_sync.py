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
