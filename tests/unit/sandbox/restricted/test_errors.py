"""Errors on their way between a module and its host: plain data in bounds, and none of the module's code in between."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import PermissionDeniedError
from plataforma_sdk.sandbox.restricted._errors import TWINS, from_twin, to_twin
from tests.unit.sandbox.restricted.restricted_kit import Runner


def shared():
    value = [1]
    for _ in range(60):
        value = [value, value]
    return value


def cycle():
    value = []
    value.append(value)
    return value


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


class Loud:
    def __str__(self):
        raise AssertionError("code of the module ran in the host")

    __repr__ = __str__


HOSTILE = {
    "shared": shared,
    "cycle": cycle,
    "deep": deep,
    "object": Loud,
    "objects": lambda: [Loud()] * 3,
    "keys": lambda: {Loud(): 1},
    "number": lambda: 1 << 100_000,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("field", ["permission", "message", "module"])
def test_a_field_of_a_twin_reaches_the_host_as_plain_data(field, make):
    """Whatever a module wrote into a field, the rebuilt error holds a small plain value, and is made at once."""
    twin = to_twin(PermissionDeniedError("api.x[GET]", module="vendas"))
    setattr(twin, field, make())

    rebuilt = from_twin(twin, "vendas")

    assert isinstance(rebuilt, PermissionDeniedError)
    assert len(repr(vars(rebuilt))) < 200_000


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_an_error_of_the_modules_that_passes_the_host_is_not_formatted(make):
    """A handler that the host calls may raise ``ValueError(bomb)``: on its way back it becomes a short text."""
    assert len(to_twin(ValueError(make())).args[0]) < 3_000


@pytest.mark.parametrize("target", ["json", "PermissionDeniedError", "ValueError('x')"])
def test_the_constructor_of_a_twin_takes_its_own_instances(target):
    """Called unbound, it would write its fields into any object that takes them."""
    source = f"import json\ntry:\n    PermissionDeniedError.__init__({target}, 'x')\n    ended = 'ran'\n"
    source += "except TypeError:\n    ended = 'refused'\n"

    found = Runner().run(source, PermissionDeniedError=TWINS["PermissionDeniedError"])

    assert found["ended"] == "refused"
