"""Sealed twins: generated from tables that agree with the originals, and closed."""

from __future__ import annotations

import inspect

import pytest

from plataforma_sdk import errors
from plataforma_sdk.module import FRAMEWORK_NAMES, ModuleFramework
from plataforma_sdk.module._values import ModuleClipboard, ModulePermissions, ModuleStorage
from plataforma_sdk.sandbox.restricted._errors import TWINS, from_twin, to_twin
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type, unseal_type
from plataforma_sdk.sandbox.restricted._twins import AWAITED, IMMEDIATE, LIFECYCLE, OBJECTS, PROPERTIES

ORIGINALS = {"permissions": ModulePermissions, "storage": ModuleStorage, "clipboard": ModuleClipboard}


def test_the_tables_name_everything_of_the_framework():
    assert {*LIFECYCLE, *PROPERTIES, *OBJECTS, *IMMEDIATE, *AWAITED, "windows"} == FRAMEWORK_NAMES


@pytest.mark.parametrize("name", AWAITED)
def test_what_the_table_awaits_is_async_in_the_original(name):
    assert inspect.iscoroutinefunction(getattr(ModuleFramework, name))


@pytest.mark.parametrize("name", IMMEDIATE)
def test_what_the_table_calls_at_once_is_not_async(name):
    assert not inspect.iscoroutinefunction(getattr(ModuleFramework, name))


@pytest.mark.parametrize("name", OBJECTS)
def test_the_tables_of_objects_agree_with_the_originals(name):
    original = ORIGINALS[name]
    methods = {key: inspect.iscoroutinefunction(getattr(original, key)) for key in dir(original) if key[0] != "_"}

    assert methods == OBJECTS[name]


def test_every_error_has_a_twin():
    names = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PlataformaError)
    }

    assert set(TWINS) == names


@pytest.mark.parametrize("name", [name for name in TWINS if name != "PlataformaError"])
def test_twins_derive_as_the_originals_do(name):
    parent = getattr(errors, name).__mro__[1].__name__

    assert TWINS[name].__mro__[1].__name__ == parent


@pytest.mark.parametrize(
    "error",
    [
        errors.PermissionDeniedError("api.x[GET]", module="vendas", reason="undeclared"),
        errors.QuotaExceededError("storage", used=2, limit=1, unit="bytes", module="vendas"),
        errors.ApiStatusError(404, body={"a": 1}, module="vendas"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_in_and_out(error):
    rebuilt = from_twin(to_twin(error), "vendas")

    assert type(rebuilt) is type(error)
    assert errors.error_to_data(rebuilt) == errors.error_to_data(error)


def test_a_foreign_error_keeps_its_name_and_text_only():
    twin = to_twin(OSError("no such file", object()))

    assert type(twin) is TWINS["HostCallError"]
    assert twin.type_name == "OSError"
    assert twin.__cause__ is None


SEALED = {
    "namespace": namespace("n", {"a": 1}),
    "function": SealedFunction(len, "len"),
    "type": seal_type(int, int),
    "error class": TWINS["PlataformaError"],
}


@pytest.mark.parametrize("value", SEALED.values(), ids=SEALED.keys())
def test_what_is_sealed_takes_no_attributes(value):
    with pytest.raises(AttributeError):
        value.anything = 1
    with pytest.raises(AttributeError):
        del value.anything


@pytest.mark.parametrize("value", SEALED.values(), ids=SEALED.keys())
def test_what_is_sealed_shows_published_names_only(value):
    public = {name for name in dir(value) if not name.startswith("_")}

    assert public <= {"a", "add_note", "args", "with_traceback", "fields"}


def test_a_stand_in_stands_for_its_type_in_isinstance():
    whole, text = seal_type(int, int), seal_type(str, str)

    assert unseal_type(whole) is int
    assert unseal_type((whole, text)) == (int, str)
    assert unseal_type(whole | text) == (int, str)
    assert unseal_type(whole | None) == (int, type(None))


def test_types_nested_without_end_are_refused():
    nested = (int,)
    for _ in range(60):
        nested = (nested, nested)

    with pytest.raises(TypeError, match="nested"):
        unseal_type(nested)
