"""The tier a case runs in."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.sandbox import TIERS, ModuleSandbox

from ._suite import make_package, module

FIRST_USE_TIMEOUT_S = 180


@pytest.fixture(scope="session")
def guest_runner() -> None:
    """Use the `wasm` tier once: in a checkout this may build the guest runner and compile it, which takes its time."""

    async def use() -> None:
        async with ModuleSandbox(make_package(module("")), engine="wasm"):
            pass

    asyncio.run(use())


@pytest.fixture(params=TIERS)
def engine(request: pytest.FixtureRequest) -> str:
    """The tier's name; a tier that cannot be imported fails, it is not skipped."""
    if request.param == "wasm":
        request.getfixturevalue("guest_runner")
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "wasm" in item.name:
            item.add_marker(pytest.mark.timeout(FIRST_USE_TIMEOUT_S))
