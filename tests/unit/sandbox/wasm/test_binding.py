"""The facts that the binding rests on."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError, SandboxError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._selftest import self_test
from plataforma_sdk.sandbox.wasm._traps import trap_error


def test_the_installed_wasmtime_passes():
    self_test()


@pytest.mark.parametrize("name", ["STRING", "RESULT", "U64", "BYTES_OFFSET"])
def test_a_library_of_another_layout_is_refused_with_its_version(monkeypatch, name):
    monkeypatch.setattr(_binding, name, getattr(_binding, name) + 1)
    with pytest.raises(SandboxError, match="do not know wasmtime"):
        self_test()


TRAPS = {
    "fuel": ("error while executing\n\nCaused by:\n    wasm trap: all fuel consumed by WebAssembly", "fuel"),
    "stack": ("error\n\nCaused by:\n    wasm trap: call stack exhausted", "stack"),
    "memory": ("memory minimum size of 440 pages exceeds memory limits", "memory"),
}


@pytest.mark.parametrize(("text", "resource"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_classified_by_its_wording(text, resource):
    error = trap_error(text, module="m", limits=ResourceLimits())
    assert isinstance(error, ResourceLimitError)
    assert (error.resource, error.module) == (resource, "m")


def test_a_trap_of_no_known_wording_is_a_crash_with_its_last_line():
    error = trap_error("first\nwasm trap: something new", module="m", limits=ResourceLimits())
    assert isinstance(error, SandboxCrashedError)
    assert "something new" in str(error)
    assert "first" not in str(error)
