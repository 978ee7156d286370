"""The hierarchy is as drawn, and every error crosses a boundary with its fields."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from plataforma_sdk import codec, errors
from plataforma_sdk.errors import (
    ApiStatusError,
    Fault,
    GuestError,
    HostCallError,
    InvalidPermissionError,
    ManifestError,
    ModuleStateError,
    PermissionDeniedError,
    PlataformaError,
    PolicyError,
    QuotaExceededError,
    ResourceLimitError,
    TreeLimitError,
    error_from_data,
    error_to_data,
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, PlataformaError)
}

SAMPLES: dict[str, PlataformaError] = {
    "PermissionDeniedError": PermissionDeniedError("api.clientes[GET]", module="vendas", reason="undeclared"),
    "InvalidPermissionError": InvalidPermissionError("Api", "write lower case", module="vendas"),
    "ManifestError": ManifestError([Fault("module.toml:1: id", "is missing", "add it")], module="vendas"),
    "ModuleStateError": ModuleStateError("busy", module="vendas", state="reloading"),
    "PolicyError": PolicyError("no", module="vendas", line=3, rule="dunder-attribute", file="vendas.py"),
    "ResourceLimitError": ResourceLimitError("fuel", used=11, limit=10, module="vendas", replaced=True),
    "QuotaExceededError": QuotaExceededError("storage", used=2.5, limit=1, unit="bytes", module="vendas"),
    "TreeLimitError": TreeLimitError("tree_nodes", used=20_001, limit=20_000, unit="nodes", module="vendas"),
    "GuestError": GuestError("ZeroDivisionError", "division by zero", traceback=["line 1\n"], module="vendas"),
    "HostCallError": HostCallError("KeyError", "'x'", module="vendas"),
    "ApiStatusError": ApiStatusError(404, body={"detail": "none"}, path="/x", module="vendas"),
}


def sample(name: str) -> PlataformaError:
    return SAMPLES.get(name) or CLASSES[name]("what happened", module="vendas")


def plain(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_crosses_with_its_fields(name: str) -> None:
    error = sample(name)
    rebuilt = error_from_data(codec.decode(codec.encode(error_to_data(error))))
    assert type(rebuilt) is type(error)
    assert str(rebuilt) == rebuilt.message == str(error)
    for field in error.fields:
        assert plain(getattr(rebuilt, field)) == plain(getattr(error, field))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_is_exported_and_documented(name: str) -> None:
    assert name in errors.__all__
    assert inspect.getdoc(CLASSES[name])
    assert name.endswith("Error")


def test_the_hierarchy_is_the_one_drawn() -> None:
    """Read the tree of the docstring and compare it with the classes."""
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        names = [part.strip("│├└─ ").split(" ")[0] for part in line.split("·")]
        if not names[0].endswith("Error") or line.startswith(("``", "An error", "Errors")):
            continue
        indent = line.index(names[0])
        while path and path[-1][0] >= indent:
            path.pop()
        drawn |= dict.fromkeys(names, path[-1][1] if path else "Exception")
        path.append((indent, names[0]))
    assert drawn == {name: cls.__bases__[0].__name__ for name, cls in CLASSES.items()}


def test_a_foreign_error_crosses_as_a_name_and_a_text() -> None:
    rebuilt = error_from_data(error_to_data(KeyError("x")))
    assert isinstance(rebuilt, HostCallError)
    assert (rebuilt.type_name, rebuilt.text) == ("KeyError", "'x'")


def test_an_error_of_a_stranger_with_one_of_our_names_stays_foreign() -> None:
    stranger = type("PermissionDeniedError", (Exception,), {})
    assert error_to_data(stranger("x")) == {"type": "PermissionDeniedError", "message": "x"}


def test_a_subclass_that_is_not_in_the_hierarchy_is_foreign() -> None:
    class OwnError(PlataformaError):
        pass

    assert error_to_data(OwnError("x")) == {"type": "OwnError", "message": "x"}


@pytest.mark.parametrize("error", [ValueError("x" * 5_000), PlataformaError("x" * 5_000)], ids=["foreign", "ours"])
def test_a_message_that_crosses_is_bounded(error: Exception) -> None:
    data = error_to_data(error)
    assert len(data["message"]) == errors.MAX_MESSAGE_CHARS
    rebuilt = error_from_data({**data, "message": "y" * 9_000})
    assert len(rebuilt.text if isinstance(rebuilt, HostCallError) else rebuilt.message) == errors.MAX_MESSAGE_CHARS


@pytest.mark.parametrize("data", [{}, {"code": "Nothing"}, {"code": None, "message": None}, {"type": "X"}])
def test_incomplete_data_is_still_an_error(data: dict[str, Any]) -> None:
    assert isinstance(error_from_data(data), HostCallError)


def test_fields_that_are_missing_are_none() -> None:
    rebuilt = error_from_data({"code": "ResourceLimitError", "message": "x"})
    assert isinstance(rebuilt, ResourceLimitError)
    assert rebuilt.limit is None


def test_an_undeclared_permission_is_told_the_line_to_add() -> None:
    error = PermissionDeniedError("api.clientes[GET]", module="vendas", reason="undeclared")
    assert error.line == '"api.clientes[GET]" = "why the module needs it"'
    assert error.line in str(error)
    assert "Module 'vendas'" in str(error)


def test_a_denial_is_no_builtin_permission_error() -> None:
    """A module that guards its file access with `except PermissionError` must not swallow a denial."""
    assert not issubclass(PermissionDeniedError, OSError)


def test_a_limit_names_amount_and_advice() -> None:
    error = ResourceLimitError("fuel", used=1_200_000, limit=1_000_000, module="vendas")
    assert str(error) == (
        "Module 'vendas' reached its fuel limit: 1,200,000 of 1,000,000 units; "
        "use less, or raise 'fuel' under [limits] or in ResourceLimits"
    )


def test_a_guests_error_shows_its_traceback() -> None:
    error = GuestError("KeyError", "'x'", traceback=['  File "vendas.py", line 3\n', "    boom"], module="vendas")
    assert str(error).splitlines() == ["Module 'vendas' raised KeyError: 'x'", '  File "vendas.py", line 3', "    boom"]


def test_a_manifests_faults_are_listed() -> None:
    error = ManifestError([Fault("a", "b", "c"), Fault("d", "e", "")])
    assert str(error) == "module.toml has 2 faults:\n  - a: b; c\n  - d: e"
    assert [(fault.where, fault.problem, fault.advice) for fault in error.faults] == [("a", "b", "c"), ("d", "e", "")]


@pytest.mark.parametrize("fields", [None, [], "x", {"faults": "x"}, {"faults": [[1], None, ["a", "b", "c"]]}], ids=repr)
def test_a_description_of_any_shape_is_read(fields: object) -> None:
    """A guest may write anything."""
    error = error_from_data({"code": "ManifestError", "message": "m", "fields": fields})
    assert all(len(fault) == 3 for fault in error.faults)
