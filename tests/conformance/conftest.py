"""The tier a case runs in."""

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox import TIERS, make_engine

FIRST_USE_TIMEOUT_S = 180
"""The first test of the `wasm` tier may have to build the guest runner and compile it."""


@pytest.fixture(params=TIERS)
def engine(request: pytest.FixtureRequest) -> str:
    """The tier's name; skips only where the engine's package cannot be imported."""
    try:
        make_engine(request.param)
    except ImportError as error:
        pytest.skip(f"the {request.param} engine cannot be imported: {error}")
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "wasm" in item.name:
            item.add_marker(pytest.mark.timeout(FIRST_USE_TIMEOUT_S))
