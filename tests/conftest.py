"""Fixtures that every room uses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")

# How fast a shared machine draws examples says nothing about the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later collection of garbage.

    Thousands of tests are a million objects that stay: a `gc.collect()` in a test took a tenth of a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def compiled_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the restricted tier compiles out of the user's own cache, in child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATAFORMA_COMPILE_CACHE", str(tmp_path_factory.mktemp("cache") / "restricted"))
        yield


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run one coroutine to its end in a loop of its own: ``run(main())``."""
    return asyncio.run
