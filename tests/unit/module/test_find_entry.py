"""`find_entry`: which class of a source is the module."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ModuleLoadError
from plataforma_sdk.module import find_entry


class Base:
    pass


class Mine(Base):
    pass


class Derived(Mine):
    pass


class Other(Base):
    pass


def test_the_one_subclass_is_found():
    assert find_entry({"Base": Base, "Mine": Mine, "x": 1}, Base) is Mine


def test_a_base_class_of_the_authors_own_does_not_count():
    assert find_entry({"Base": Base, "Mine": Mine, "Derived": Derived}, Base) is Derived


def test_two_names_for_one_class_are_one():
    assert find_entry({"Mine": Mine, "Alias": Mine}, Base) is Mine


def test_a_name_decides():
    assert find_entry({"Mine": Mine, "Other": Other}, Base, "Other") is Other


@pytest.mark.parametrize("namespace", [{}, {"Base": Base}, {"Mine": Mine, "Other": Other}])
def test_none_and_more_than_one_are_refused(namespace):
    with pytest.raises(ModuleLoadError, match="ModuleFramework subclasses"):
        find_entry(namespace, Base, module="vendas")


@pytest.mark.parametrize("name", ["Missing", "x", "Base2"])
def test_a_name_that_is_no_module_is_refused(name):
    with pytest.raises(ModuleLoadError, match=name):
        find_entry({"Mine": Mine, "x": 1, "Base2": int}, Base, name, module="vendas")
