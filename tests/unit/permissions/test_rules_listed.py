"""What a manager was given, listed as it was made: how long, and by whom."""

from __future__ import annotations

from plataforma_sdk.permissions import Kind, PermissionAnswer, PermissionManager, PermissionRule
from plataforma_sdk.types import FakeClock


def rule(permission: str, *, is_allowed: bool = True, kind: Kind = Kind.SESSION, **more: object) -> PermissionRule:
    return PermissionRule(permission=permission, is_allowed=is_allowed, kind=kind, **more)


def test_a_rule_tells_who_made_it():
    permissions = PermissionManager(["api.*"], denies=["api.vendas"])
    permissions.grant("system.storage", forever=True, by="person")
    permissions.deny("system.clipboard", by="person")
    assert set(permissions.rules) == {
        rule("api.*"),
        rule("api.vendas", is_allowed=False, kind=Kind.FOREVER),
        rule("system.storage", kind=Kind.FOREVER, by="person"),
        rule("system.clipboard", is_allowed=False, kind=Kind.FOREVER, by="person"),
    }


def test_an_answer_is_a_persons(run):
    async def ask(_request):
        return PermissionAnswer.ALLOW_ONCE

    permissions = PermissionManager(prompt=ask)
    run(permissions.request("system.storage"))
    assert permissions.rules == (rule("system.storage", kind=Kind.ONCE, by="person"),)


def test_a_refusal_for_ever_is_a_persons(run):
    async def ask(_request):
        return PermissionAnswer.DENY_FOREVER

    permissions = PermissionManager(prompt=ask)
    run(permissions.request("system.storage"))
    assert permissions.rules == (rule("system.storage", is_allowed=False, kind=Kind.FOREVER, by="person"),)


def test_scopes_are_rules_of_their_own():
    permissions = PermissionManager(["database.read[Customer,Invoice]"])
    assert {each.permission for each in permissions.rules} == {"database.read[Customer]", "database.read[Invoice]"}


def test_what_has_ended_or_was_taken_back_is_no_rule():
    clock = FakeClock(100.0)
    permissions = PermissionManager(["system.storage"], clock=clock)
    permissions.grant("system.clipboard", until=110.0)
    permissions.revoke("system.storage")
    assert permissions.rules == (rule("system.clipboard", kind=Kind.UNTIL, until=110.0),)
    clock.advance(10.0)
    assert permissions.rules == ()
