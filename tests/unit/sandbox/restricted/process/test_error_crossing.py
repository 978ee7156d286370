"""Errors cross by their codes, and what a worker writes into one is believed field by field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk import codec
from plataforma_sdk.errors import (
    ApiStatusError,
    Fault,
    GuestError,
    HostCallError,
    ModuleStateError,
    PermissionDeniedError,
    PlataformaError,
    PolicyError,
    QuotaExceededError,
    ResourceLimitError,
    TreeLimitError,
)
from plataforma_sdk.sandbox.restricted.process._errors import error_text, read_error, rebuilt
from plataforma_sdk.sandbox.restricted.process._wire import BreachError

ERRORS = [
    PermissionDeniedError("api.vendas[GET]", module="vendas", reason="undeclared"),
    ResourceLimitError("fuel", used=11, limit=10, module="vendas"),
    QuotaExceededError("payload", used=1.5, limit=1, unit="bytes", module="vendas"),
    TreeLimitError("tree_nodes", used=9, limit=8, module="vendas"),
    GuestError("ValueError", "a" * 1_000, traceback=["line\n" * 300], module="vendas"),
    HostCallError("KeyError", "x", module="vendas"),
    ModuleStateError("Module 'vendas' is unloaded", module="vendas", state="unloaded"),
    ApiStatusError(404, body={"detail": [1]}, path="/a", module="vendas"),
    PolicyError(
        "vendas.py: " + "x" * 5_000,
        module="vendas",
        line=3,
        rule="dunder",
        file="vendas.py",
        faults=[Fault("vendas.py:3", "no", "yes")],
    ),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_as_it_was(error: PlataformaError) -> None:
    found = read_error(error_text(error), "vendas")
    assert type(found) is type(error)
    assert (str(found), found.message) == (str(error), error.message)
    for name in error.fields:
        assert getattr(found, name) == getattr(error, name)
    assert getattr(found, "faults", None) == getattr(error, "faults", None)


def test_each_caller_has_a_copy_of_its_own() -> None:
    error = ResourceLimitError("fuel", used=11, limit=10, module="vendas")
    first, second = rebuilt(error), rebuilt(error)
    assert (first is second, str(first), str(second)) == (False, str(error), str(error))


def test_a_foreign_exception_shows_its_class_alone() -> None:
    """Source: CWE-209; the text of an exception of the host's may hold paths and secrets."""
    found = read_error(error_text(OSError("/etc/shadow")), "vendas")
    assert (type(found), found.message) == (HostCallError, "OSError")


def test_a_field_that_does_not_cross_does_not_take_the_error_with_it() -> None:
    found = read_error(error_text(ApiStatusError(500, body=float("nan"), module="vendas")), "vendas")
    assert (type(found), found.module) == (ApiStatusError, "vendas")


@pytest.mark.parametrize("kind", ["GuestError", "ResourceLimitError", "SandboxCrashedError", "PolicyError"])
def test_a_worker_cannot_say_that_another_module_failed(kind: str) -> None:
    text = codec.encode({"code": kind, "message": "x", "fields": {"module": "other"}})
    assert read_error(text.encode(), "vendas").module == "vendas"


LIES = {
    "used": [1],
    "limit": "many",
    "replaced": "yes",
    "traceback": "no list",
    "type_name": 7,
    "text": ["x"],
    "status": "404",
    "permission": {"a": 1},
    "module": 7,
    "line": [],
}


@pytest.mark.parametrize("name", LIES)
def test_a_field_of_the_wrong_type_is_dropped(name: str) -> None:
    for kind in ("GuestError", "ResourceLimitError", "ApiStatusError", "PermissionDeniedError", "PolicyError"):
        text = codec.encode({"code": kind, "message": "x", "fields": {name: LIES[name]}})
        assert getattr(read_error(text.encode(), "vendas"), name, None) != LIES[name]


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
codes = st.sampled_from(["GuestError", "PolicyError", "ManifestError", "ResourceLimitError", "Nothing"]) | values
described = st.fixed_dictionaries({}, optional={"code": codes, "message": values, "fields": values, "faults": values})


@given(st.one_of(described.map(lambda data: codec.encode(data).encode()), st.binary(max_size=60)))
def test_whatever_a_worker_writes_is_an_error_or_a_breach(payload: bytes) -> None:
    try:
        found = read_error(payload, "vendas")
    except BreachError:
        return
    assert isinstance(found, PlataformaError)
    assert isinstance(str(found), str)
