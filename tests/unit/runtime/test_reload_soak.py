"""Many reloads leave what one leaves; the long run is ``python -m tests.soak.soak_reload``."""

from __future__ import annotations

import attrs
import pytest

from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.sandbox import TIERS
from tests.soak.soak_reload import NEEDS, holdings, package, reload_often


@pytest.mark.parametrize("tier", TIERS)
def test_a_hundred_reloads_hold_what_ten_held(run, tier):
    async def main():
        async with ModuleHost(engine=tier, grants=NEEDS) as host:
            version = package()
            handle = await host.load(version)
            await reload_often(host, handle, version, 10)
            before = await holdings(host, handle)
            await reload_often(host, handle, version, 90)
            return before, await holdings(host, handle), handle.leaks(), await handle.call("count")

    before, after, leaks, count = run(main())
    grown = {name: (held, now) for name, held, now in grew(before, after)}
    assert (grown, leaks, count) == ({}, [], 100)


def grew(before, after):
    """Tell what is more than before; less is what the host has ended meanwhile, such as a worker that was idle."""
    now = attrs.asdict(after)
    return [(name, held, now[name]) for name, held in attrs.asdict(before).items() if now[name] > held]
