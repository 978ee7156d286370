"""Fixtures of the restricted engine's tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.unit.sandbox.restricted.restricted_kit import Loaded, Runner, make_loader


@pytest.fixture
def runner() -> Runner:
    """A fresh sandbox with its meter."""
    return Runner()


@pytest.fixture
def load() -> Callable[..., Awaitable[Loaded]]:
    """Load a module made of methods: ``await load("def probe(self): return 1")``."""
    return make_loader()
