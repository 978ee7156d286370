"""Grants, denials, revocations, kinds, declarations, explanations."""

from __future__ import annotations

import sys
import threading

import pytest

from plataforma_sdk.errors import InvalidPermissionError, PermissionDeniedError
from plataforma_sdk.permissions import Kind, PermissionChange, PermissionManager
from plataforma_sdk.permissions._policy import Policy
from plataforma_sdk.types import FakeClock


def refused(permissions: PermissionManager, *names: str) -> PermissionDeniedError:
    with pytest.raises(PermissionDeniedError) as caught:
        permissions.require(*names)
    return caught.value


# --- has and require -------------------------------------------------------------------------------------------------


def test_nothing_is_held_at_first():
    assert not PermissionManager().has("api.vendas")


def test_require_passes_what_is_held():
    assert PermissionManager(["api.*"]).require("api.vendas[GET]") is None


def test_require_names_the_module_the_permission_and_the_next_step():
    error = refused(PermissionManager(module="vendas"), "api.vendas[GET]")
    assert (error.module, error.permission, error.reason, error.line) == (
        "vendas",
        "api.vendas[GET]",
        "not granted",
        None,
    )
    assert "permissions.grant('api.vendas[GET]')" in str(error)


def test_one_alternative_is_enough():
    PermissionManager(["api.internal"]).require("api.vendas[GET]", "api.internal[GET]")


def test_a_denial_of_all_alternatives_is_about_the_first():
    assert refused(PermissionManager(), "api.vendas[GET]", "api.internal[GET]").permission == "api.vendas[GET]"


@pytest.mark.parametrize("verb", ["has", "require", "grant", "revoke", "deny", "lift", "explain", "has_any", "scopes"])
def test_every_method_refuses_a_name_outside_the_grammar(verb):
    with pytest.raises(InvalidPermissionError):
        getattr(PermissionManager(), verb)("bad name")


def test_a_warm_check_runs_no_python_code():
    permissions = PermissionManager(["api.*"])
    has, calls = permissions.has, []
    has("api.vendas")
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    has("api.vendas")
    sys.setprofile(None)
    assert "call" not in calls


def test_the_memo_is_bounded():
    permissions = PermissionManager(["api.*"])
    for number in range(10_000):
        assert permissions.has(f"api.a{number}")
    assert len(permissions._memo) <= 4_096


def test_a_check_that_was_held_on_to_sees_a_revocation():
    permissions = PermissionManager(["api.vendas"])
    has = permissions.has
    assert has("api.vendas")
    permissions.revoke("api.vendas")
    assert not has("api.vendas")


def test_an_answer_judged_before_a_revocation_is_not_kept_after_it(monkeypatch):
    permissions = PermissionManager(["api.vendas"])
    revoker = threading.Thread(target=lambda: permissions.revoke("api.vendas"))
    judge = Policy.judge

    def judge_slowly(policy, permission):
        """Let another thread revoke between the judgement and its keeping."""
        verdict = judge(policy, permission)
        revoker.start()
        revoker.join(0.05)
        return verdict

    monkeypatch.setattr(Policy, "judge", judge_slowly)
    permissions.has("api.vendas")
    revoker.join()
    monkeypatch.undo()
    assert not permissions.has("api.vendas")


# --- kinds -----------------------------------------------------------------------------------------------------------


def test_require_uses_a_one_time_grant_up_and_has_does_not():
    permissions = PermissionManager()
    permissions.grant("api.vendas", once=True)
    assert [permissions.has("api.vendas[GET]") for _ in range(2)] == [True, True]
    permissions.require("api.vendas[GET]")
    assert not permissions.has("api.vendas[GET]")


def test_a_one_time_grant_is_not_spent_where_another_grant_decides():
    permissions = PermissionManager(["api.*"])
    permissions.grant("api.vendas", once=True)
    permissions.require("api.vendas")
    permissions.revoke("api.*")
    permissions.grant("api.vendas", once=True)
    assert permissions.has("api.vendas")


def test_a_one_time_grant_is_not_spent_by_a_need_that_fails():
    permissions = PermissionManager()
    permissions.grant("api.vendas[GET]", once=True)
    refused(permissions, "api.vendas[GET,POST]")
    assert permissions.has("api.vendas[GET]")


def test_one_need_may_spend_several_one_time_grants():
    permissions = PermissionManager(["api.vendas[PUT]"])
    permissions.grant("api.vendas[GET]", once=True)
    permissions.grant("api.*[POST]", once=True)
    permissions.require("api.vendas[GET,POST,PUT]")
    assert permissions.granted == ("api.vendas[PUT]",)


def test_a_timed_grant_ends_at_its_moment():
    clock = FakeClock(100.0)
    permissions = PermissionManager(clock=clock)
    permissions.grant("api.vendas", until=110.0)
    assert permissions.has("api.vendas")
    clock.advance(9.9)
    assert permissions.has("api.vendas")
    clock.advance(0.1)
    assert not permissions.has("api.vendas")
    assert permissions.granted == ()


def test_a_timed_grant_that_has_ended_does_not_come_back_with_the_clock():
    clock = FakeClock(100.0)
    permissions = PermissionManager(clock=clock)
    permissions.grant("api.vendas", until=110.0)
    clock.advance(10.0)
    assert not permissions.has("api.vendas")
    clock._elapsed = 0.0
    assert not permissions.has("api.vendas")


@pytest.mark.parametrize("order", [{"api.a": 110.0, "api.b": 120.0}, {"api.b": 120.0, "api.a": 110.0}])
def test_each_timed_grant_has_its_own_end(order):
    clock = FakeClock(100.0)
    permissions = PermissionManager(clock=clock)
    for name, until in order.items():
        permissions.grant(name, until=until)
    clock.advance(10.0)
    assert permissions.granted == ("api.b",)
    clock.advance(10.0)
    assert permissions.granted == ()


@pytest.mark.parametrize("until", [float("nan"), float("inf")])
def test_a_timed_grant_needs_a_moment(until):
    with pytest.raises(ValueError, match="moment"):
        PermissionManager().grant("api.vendas", until=until)


def test_a_grant_is_of_one_kind():
    with pytest.raises(ValueError, match="one of them"):
        PermissionManager().grant("api.vendas", once=True, forever=True)


def test_require_uses_a_one_time_denial_up_and_has_does_not():
    permissions = PermissionManager(["api.vendas"])
    permissions.deny("api.vendas", once=True)
    assert [permissions.has("api.vendas") for _ in range(2)] == [False, False]
    assert refused(permissions, "api.vendas").reason == "refused"
    assert permissions.has("api.vendas")


# --- denials and revocations -----------------------------------------------------------------------------------------


def test_a_denial_beats_every_wider_grant():
    permissions = PermissionManager(["*", "api.*"], denies=["api.vendas"])
    permissions.grant("api.*", forever=True)
    assert not permissions.has("api.vendas[GET]")
    assert refused(permissions, "api.vendas[GET]").reason == "denied"


def test_a_denial_by_wildcard_covers_the_way_out():
    assert not PermissionManager(["api.external"], denies=["api.*"]).has("api.external[example.com]")


@pytest.mark.parametrize("denied", ["api.external", "api.external[example.com]", "*.external"])
def test_a_wildcard_does_not_ask_for_the_way_out_and_so_does_not_mind_its_denial(denied):
    assert PermissionManager(["api.*"], denies=[denied, "*.external.*"]).has("api.*")


def test_a_scoped_denial_covers_its_own_scope_and_stands_in_the_way_of_the_whole():
    permissions = PermissionManager(["api.vendas"], denies=["api.vendas[POST]"])
    assert permissions.has("api.vendas[GET]")
    assert not permissions.has("api.vendas[POST]")
    assert not permissions.has("api.vendas")


def test_a_pattern_is_refused_where_a_part_of_it_is_denied():
    permissions = PermissionManager(["events.subscribe"], denies=["events.subscribe[data.secret]"])
    assert permissions.has("events.subscribe[user.*]")
    assert not permissions.has("events.subscribe[data.*]")


def test_a_grant_of_the_very_same_permission_lifts_its_denial():
    permissions = PermissionManager(denies=["api.vendas", "api.*[POST]"])
    permissions.grant("api.vendas")
    assert permissions.has("api.vendas[GET]")
    assert not permissions.has("api.vendas[POST]")


def test_lift_takes_back_the_denials_inside_and_grants_nothing():
    permissions = PermissionManager(["api.a"], denies=["api.a", "api.b[GET]", "database.read"])
    assert permissions.lift("api.*")
    assert permissions.denied == ("database.read",)
    assert permissions.has("api.a")
    assert not permissions.has("api.b[GET]")
    assert not permissions.lift("api.*")


def test_revoke_takes_a_part_out_of_wider_grants():
    permissions = PermissionManager(["api.*"])
    assert permissions.revoke("api.vendas[POST]")
    assert permissions.has("api.vendas[GET]")
    assert permissions.has("api.clientes[POST]")
    assert not permissions.has("api.vendas[POST]")


def test_revoke_takes_a_part_out_of_wider_scoped_grants():
    permissions = PermissionManager(["api.*[GET]", "events.emit[data.*]"])
    permissions.revoke("api.vendas[GET]")
    permissions.revoke("events.emit[data.vendas]")
    assert not permissions.has("api.vendas[GET]")
    assert not permissions.has("events.emit[data.vendas]")
    assert permissions.has("api.clientes[GET]")
    assert permissions.has("events.emit[data.clientes]")


def test_revoke_takes_narrower_grants_with_it():
    permissions = PermissionManager(["api.vendas[GET]", "api.external[example.com]", "database.read"])
    permissions.grant("api.clientes", once=True)
    permissions.grant("api.produtos", until=2e9)
    assert permissions.revoke("api.*")
    assert permissions.granted == ("database.read",)


def test_what_is_granted_after_a_revocation_is_held():
    permissions = PermissionManager(["api.*"])
    permissions.revoke("api.vendas")
    permissions.grant("api.vendas[GET]")
    assert permissions.has("api.vendas[GET]")
    assert not permissions.has("api.vendas[POST]")
    assert permissions.has("api.clientes")


def test_revoke_says_whether_there_was_anything():
    assert not PermissionManager(["api.vendas"]).revoke("database.read")


def test_granted_lists_what_the_grammar_reads_back():
    names = [f"database.read[{'t' * 30}{number}]" for number in range(100)]
    permissions = PermissionManager([*names, "api.b[POST]", "api.b[GET]", "api.a", "api.a[GET]"])
    assert permissions.granted[:2] == ("api.a", "api.b[GET,POST]")
    assert all(PermissionManager(permissions.granted).has(name) for name in names)


# --- declared --------------------------------------------------------------------------------------------------------


def test_only_what_is_declared_is_held():
    permissions = PermissionManager(["*", "api.external"], declared=["api.vendas[GET]"], module="vendas")
    assert permissions.has("api.vendas[GET]")
    assert not permissions.has("api.vendas[POST]")
    assert not permissions.has("api.external[example.com]")
    assert permissions.granted == ("api.vendas[GET]",)
    assert PermissionManager(["*"], declared=["api.external", "database.*"]).granted == ("database.*",)


def test_the_undeclared_is_refused_with_the_line_to_add():
    error = refused(PermissionManager(["*"], declared=[], module="vendas"), "api.vendas[GET]")
    assert (error.reason, error.line) == ("undeclared", '"api.vendas[GET]" = "why the module needs it"')
    assert error.line in str(error)


def test_a_declared_wildcard_does_not_open_the_way_out():
    permissions = PermissionManager(["api.external"], declared=["api.*"])
    assert not permissions.has("api.external[example.com]")


def test_recording_holds_a_module_to_nothing_and_collects_what_it_needed():
    permissions = PermissionManager(["api.*", "database.read"], declared=["api.vendas"], record=True)
    permissions.require("api.clientes[POST]")
    permissions.require("api.clientes[GET]")
    permissions.require("api.x[GET]", "api.internal[GET]")
    permissions.require_any("database.read")
    refused(permissions, "system.storage")
    permissions.has("system.clipboard")
    assert permissions.recorded == ("api.clientes[GET,POST]", "api.x[GET]", "database.read", "system.storage")


def test_a_need_is_recorded_though_it_was_checked_before():
    permissions = PermissionManager(["api.*"], record=True)
    permissions.has("api.vendas")
    permissions.require("api.vendas")
    assert permissions.recorded == ("api.vendas",)


def test_nothing_is_recorded_otherwise():
    permissions = PermissionManager(["api.*"])
    permissions.require("api.vendas")
    assert permissions.recorded == ()


# --- explain ---------------------------------------------------------------------------------------------------------


def explained(permissions: PermissionManager, name: str) -> tuple:
    found = permissions.explain(name)
    return found.allowed, found.rule, found.kind, found.reason


def test_explain_names_the_grant_that_decided():
    permissions = PermissionManager(["api.*"])
    assert explained(permissions, "api.vendas[GET]") == (True, "api.*", Kind.SESSION, "granted")
    assert str(permissions.explain("api.vendas[GET]")) == "'api.vendas[GET]' is allowed: granted by 'api.*' (session)"


def test_explain_names_every_grant_that_was_needed():
    permissions = PermissionManager(["api.vendas[GET]", "api.*[POST]"])
    assert permissions.explain("api.vendas[GET,POST]").rule == "api.vendas[GET] and api.*[POST]"


def test_explain_names_the_denial_that_decided():
    permissions = PermissionManager(["*"], denies=["api.*"])
    assert explained(permissions, "api.vendas") == (False, "api.*", Kind.FOREVER, "denied")
    assert "permissions.lift()" in str(permissions.explain("api.vendas"))


def test_explain_says_what_to_declare():
    found = PermissionManager(declared=[]).explain("api.vendas")
    assert (found.allowed, found.reason) == (False, "undeclared")
    assert '"api.vendas" = "why the module needs it"' in str(found)


def test_explain_says_who_must_grant():
    assert "nobody can be asked, there is no prompt" in str(PermissionManager().explain("api.vendas"))


def test_explain_uses_nothing_up():
    permissions = PermissionManager()
    permissions.grant("api.vendas", once=True)
    permissions.explain("api.vendas")
    assert permissions.has("api.vendas")
    permissions.deny("api.vendas", once=True)
    assert "denied once" not in str(permissions.explain("api.vendas"))
    assert permissions.explain("api.vendas").reason == "refused"


# --- listeners -------------------------------------------------------------------------------------------------------


def test_listeners_hear_of_every_change():
    permissions, heard = PermissionManager(clock=FakeClock(100.0)), []
    permissions.on_change(heard.append)
    permissions.grant("api.vendas[POST,GET]", until=110.0)
    permissions.revoke("api.*")
    permissions.deny("api.a", once=True)
    permissions.lift("api.a")
    assert heard == [
        PermissionChange(action="grant", permission="api.vendas[GET,POST]", kind=Kind.UNTIL, until=110.0),
        PermissionChange(action="revoke", permission="api.*"),
        PermissionChange(action="deny", permission="api.a", kind=Kind.ONCE),
        PermissionChange(action="lift", permission="api.a"),
    ]


def test_a_listener_sees_the_change_already_made():
    permissions, seen = PermissionManager(["api.vendas"]), []
    permissions.has("api.vendas")
    permissions.on_change(lambda change: seen.append(permissions.has("api.vendas")))
    permissions.revoke("api.vendas")
    assert seen == [False]


def test_a_listener_that_unsubscribed_hears_no_more():
    permissions, heard = PermissionManager(), []
    with permissions.on_change(heard.append):
        permissions.grant("api.a")
    permissions.grant("api.b")
    assert len(heard) == 1


def test_a_listener_that_fails_stops_nobody(caplog):
    permissions, heard = PermissionManager(), []
    permissions.on_change(lambda change: 1 / 0)
    permissions.on_change(heard.append)
    permissions.grant("api.a")
    assert permissions.has("api.a")
    assert len(heard) == 1
    assert "ZeroDivisionError" in caplog.text


def test_repr_tells_whose_it_is():
    assert repr(PermissionManager(["api.*"], module="vendas")) == "<PermissionManager of 'vendas', 1 granted>"
