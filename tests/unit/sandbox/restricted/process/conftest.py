"""Fixtures of the tests of process isolation."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from plataforma_sdk.sandbox.restricted.process import WorkerPool, shared_pool


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let workers keep bytecode, so that each starts in half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "pycache_prefix", str(tmp_path_factory.mktemp("bytecode")))
        patch.setattr(sys, "dont_write_bytecode", False)
        yield


@pytest.fixture(scope="session")
def workers(bytecode: None) -> Iterator[WorkerPool]:
    """Keep the process's pool open between engines, so that a test finds a worker that has started."""
    with shared_pool() as pool:
        yield pool
