"""The tier a case runs in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from plataforma_sdk.sandbox import ModuleSandbox
from plataforma_sdk.sandbox.restricted.process import shared_pool
from plataforma_sdk.sandbox.wasm import WasmEngine

from ._suite import ISOLATED, PLACES, THREADED, make_package, module

FIRST_USE_TIMEOUT_S = 180


@pytest.fixture(scope="session")
def guest_runner() -> None:
    """Use the `wasm` tier once: in a checkout this may build the guest runner and compile it, which takes its time."""

    async def use() -> None:
        async with ModuleSandbox(make_package(module("")), engine="wasm"):
            pass

    asyncio.run(use())


@pytest.fixture(scope="session")
def threaded_runner() -> None:
    """The same for the tier in threads, whose machine code is another."""

    async def use() -> None:
        async with ModuleSandbox(make_package(module("")), engine=WasmEngine(mode="threads")):
            pass

    asyncio.run(use())


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the pool of workers open between hosts, so that a case finds one that has started.

    Each case takes a fresh interpreter; with bytecode at hand it starts in half the time.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "pycache_prefix", str(tmp_path_factory.mktemp("bytecode")))
        patch.setattr(sys, "dont_write_bytecode", False)
        with shared_pool():
            yield


@pytest.fixture(params=PLACES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of a tier or of its twin; one that cannot be imported fails, it is not skipped."""
    if request.param == "wasm":
        request.getfixturevalue("guest_runner")
    if request.param == THREADED:
        request.getfixturevalue("threaded_runner")
    if request.param == ISOLATED:
        request.getfixturevalue("workers")
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "wasm" in item.name:
            item.add_marker(pytest.mark.timeout(FIRST_USE_TIMEOUT_S))
