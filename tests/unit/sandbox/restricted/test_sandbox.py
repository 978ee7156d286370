"""Sandboxes are cheap because they share what cannot change, and share nothing else."""

from __future__ import annotations

import types

import pytest

from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta, SealedType, namespace, seal_type
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES
from tests.unit.sandbox.restricted.restricted_kit import Runner

UNCHANGEABLE = (str, int, frozenset, property, types.BuiltinFunctionType, types.EllipsisType, types.NotImplementedType)

IMMUTABLE_TYPE = 1 << 8
"""Py_TPFLAGS_IMMUTABLETYPE: attributes of the type cannot be set."""


def is_unchangeable(value):
    """Whether sandboxes may share a value: no state, and no way to give it one."""
    if isinstance(value, type):
        return isinstance(value, SealedMeta) or bool(value.__flags__ & IMMUTABLE_TYPE)
    return isinstance(value, UNCHANGEABLE)


@pytest.fixture
def pair():
    return Sandbox(1 << 20, libraries=LIBRARIES), Sandbox(1 << 20, libraries=LIBRARIES)


@pytest.mark.parametrize("table", ["_template", "builtin_table"])
def test_sandboxes_share_only_what_cannot_change(pair, table):
    """Guards, stand-ins and builtins of one sandbox are nobody else's, unless they are C functions and types."""
    first, second = (getattr(sandbox, table) for sandbox in pair)
    shared = {name: value for name, value in first.items() if value is second[name]}

    assert [name for name, value in shared.items() if not is_unchangeable(value)] == []
    assert shared.keys() < first.keys()


def test_stand_ins_of_two_sandboxes_share_a_class_and_nothing_else(pair):
    """The class is made once; what calling a stand-in does belongs to its sandbox."""
    first, second = (sandbox.builtin_table["int"] for sandbox in pair)

    assert type(first) is type(second)
    assert (first == second, first._sdk_make == second._sdk_make) == (False, False)


@pytest.mark.parametrize(
    "made",
    [lambda: seal_type(dict, dict, {"fromkeys": dict.fromkeys}), lambda: namespace("math", {"pi": 3.14})],
    ids=["stand-in", "namespace"],
)
def test_a_shared_class_cannot_be_changed(made):
    """Neither through an object of it, nor itself."""
    value, other = made(), made()
    kind = type(value)
    assert kind is type(other)
    for target in (value, kind):
        with pytest.raises(AttributeError):
            target.added = 1
        with pytest.raises(AttributeError):
            del target.__slots__


def test_members_decide_which_class_is_shared():
    """The same name with other members is another class."""
    values = [namespace("m", {"a": 1}), namespace("m", {"a": 2}), namespace("m", {"b": 1}), namespace("n", {"a": 1})]

    assert [type(value) is type(values[0]) for value in values] == [True, True, False, False]
    assert [values[0].a, values[1].a, repr(values[1])] == [1, 2, "<module 'm'>"]


def test_a_union_of_types_belongs_to_its_object():
    """``int | None`` in one sandbox says nothing about another's ``object`` stand-in."""
    union = seal_type(int, int) | seal_type(str, str)

    assert isinstance(union, SealedType)
    assert (len(union._sdk_union), seal_type(object, object)._sdk_union) == (2, ())


def test_what_a_module_bound_is_told_from_what_the_engine_did():
    """The account measures the module's own names: also those of the files and libraries that it imports."""
    runner = Runner()
    runner.run("import bisect\n_private = [1]\npublic = [2]\nfor item in [3]:\n    pass")
    reach = runner.sandbox.memory._reach
    reach.measure([], None, 1 << 30)  # notes which namespaces are the module's
    values = [value for names in runner.sandbox.namespaces.values() for value in reach._items(names)]

    assert all(value in values for value in ([1], [2], 3))
    assert not any(value is runner.meter.fuel or isinstance(value, dict) for value in values)
    assert len(values) < 20
