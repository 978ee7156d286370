"""The trial load: in `wasm`, in a host that grants nothing."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import ScanPolicy, ScanStatus, SecurityService

SOURCE = """
from plataforma_sdk import ModuleFramework, ui
{top}
class Shop(ModuleFramework):
    async def on_load(self):
        {body}

    def render(self):
        return ui.text("")
"""


def trial(body="self.total = 1", top="", *, policy=None, **settings):
    package = ModulePackage.from_source(SOURCE.format(body=body, top=top), id="shop", **settings)
    service = SecurityService(tools=False, policy=policy or ScanPolicy())
    return asyncio.run(service.scan(package)).result("performance")


def test_a_load_is_measured():
    result = trial()
    assert result.passed
    assert result.metrics["fuel"] > 0
    assert result.metrics["memory_peak_bytes"] > 2**20
    assert result.metrics["load_ms"] > 0


@pytest.mark.parametrize(
    ("body", "permissions"),
    [
        ("await self.api_call('/vendas/x')", ("api.vendas[GET]",)),
        ("await self.storage.get('x')", ("system.storage",)),
        ("self.permissions.require('system.storage')", ("system.storage",)),
        ("self.create_window(title='x')", ("window.create",)),
    ],
)
def test_a_host_that_grants_nothing_stops_the_load_and_blames_nobody(body, permissions):
    result = trial(body, permissions=permissions)
    assert result.passed
    assert result.issues == ()
    assert result.metrics["stopped_at"]


@pytest.mark.parametrize(
    ("body", "top", "rule", "status"),
    [
        ("x = 1\n        while x: x += 1", "", "trial-limit", ScanStatus.FAILED),
        ("import requests", "", "trial-unloadable", ScanStatus.FAILED),
        ("self.x = 1", "import requests", "trial-unloadable", ScanStatus.FAILED),
        ("self.x = 1 / 0", "", "trial-raised", ScanStatus.PASSED),
    ],
)
def test_what_the_module_does_wrong_by_itself_is_its_issue(body, top, rule, status):
    result = trial(body, top)
    assert [issue.rule for issue in result.issues] == [rule]
    assert result.status is status


def test_a_slow_load_is_remarked_on():
    result = trial(policy=ScanPolicy(max_load_fuel=1))
    assert [issue.rule for issue in result.issues] == ["slow-load"]


def test_a_package_that_excludes_wasm_is_not_tried():
    result = trial(exclude=["wasm"])
    assert result.status is ScanStatus.NOT_RUN
    assert "excludes wasm" in result.reason
