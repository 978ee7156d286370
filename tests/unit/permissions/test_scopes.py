"""`has_any`, `scopes` and `require_any`: for services that check scope by scope."""

from __future__ import annotations

import pytest
from hypothesis import given

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions import PermissionManager

from .strategies import some


@given(declared=some, grants=some, denies=some)
def test_scopes_tell_what_has_tells(declared, grants, denies):
    permissions = PermissionManager(grants, declared=declared, denies=denies)
    held = permissions.scopes("a.external")
    for scope in ("A", "B", "ZZ"):
        assert (scope in held) == permissions.has(f"a.external[{scope}]")
    assert bool(held) == permissions.has_any("a.external")


def test_any_text_may_be_tested():
    held = PermissionManager(["database.read"]).scopes("database.read")
    assert "Order Details" in held
    assert 7 not in held


def test_whole_and_listed():
    permissions = PermissionManager(["database.read"], denies=["database.read[Secret]"])
    permissions.grant("database.read[Invoice]")
    held = permissions.scopes("database.read")
    assert ("Secret" in held, "Customer" in held, held.is_whole, held.listed) == (False, True, False, ("Invoice",))
    assert PermissionManager(["database.*"]).scopes("database.read").is_whole


def test_scopes_are_those_of_one_moment():
    permissions = PermissionManager(["database.read[Customer]"])
    held = permissions.scopes("database.read")
    permissions.revoke("database.read")
    assert "Customer" in held
    assert not permissions.scopes("database.read")


def test_declared_and_granted_meet():
    permissions = PermissionManager(["database.read[Customer,Invoice]"], declared=["database.read[Invoice,Genre]"])
    assert permissions.scopes("database.read").listed == ("Invoice",)


def test_has_any_with_a_scope_asks_for_that_scope():
    permissions = PermissionManager(["database.read[Customer]"])
    assert permissions.has_any("database.read[Customer]")
    assert not permissions.has_any("database.read[Invoice]")


@pytest.mark.parametrize(
    ("declared", "grants", "held"),
    [
        (None, ["events.subscribe[data.*]"], True),
        (["events.subscribe[*.vendas]"], ["events.subscribe[data.*]"], True),
        (["events.subscribe[user.login]"], ["events.subscribe[data.*]"], False),
        (["events.subscribe"], [], False),
    ],
)
def test_has_any_of_topics(declared, grants, held):
    assert PermissionManager(grants, declared=declared).has_any("events.subscribe") is held


def test_require_any_uses_one_time_grants_up():
    permissions = PermissionManager(["database.read[Customer]"])
    permissions.grant("database.read[Invoice]", once=True)
    assert permissions.require_any("database.read").listed == ("Customer", "Invoice")
    assert permissions.require_any("database.read").listed == ("Customer",)


def test_require_any_refuses_where_no_scope_is_held():
    permissions = PermissionManager(["database.read"], denies=["database.*"], module="vendas")
    with pytest.raises(PermissionDeniedError) as caught:
        permissions.require_any("database.read")
    assert (caught.value.permission, caught.value.reason) == ("database.read", "denied")


@pytest.mark.parametrize("name", ["database.*", "database.read[Customer]", "events.subscribe"])
def test_scopes_are_not_listed_for_patterns(name):
    with pytest.raises(InvalidPermissionError, match="not for topics"):
        PermissionManager().scopes(name)
