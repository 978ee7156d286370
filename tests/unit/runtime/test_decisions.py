"""Decisions for ever: kept, applied, and never inherited."""

from __future__ import annotations

import sqlite3
import stat
import threading

import attrs
import pytest

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.permissions import PermissionManager
from plataforma_sdk.runtime._decisions import Decision, DecisionKey, DecisionStore
from plataforma_sdk.types import FakeClock

KEY = DecisionKey(subject="ana", module="vendas", source="ed25519:1f")
DECLARED = ("api.vendas[GET,POST]", "system.storage")


@pytest.fixture
def store():
    with DecisionStore(None, clock=FakeClock(100.0)) as store:
        yield store


def names(decisions):
    return [decision.permission for decision in decisions]


def test_a_decision_is_kept(store):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    assert store.applicable(KEY, DECLARED) == (
        Decision(permission="system.storage", is_allowed=True, declared=DECLARED, decided_at=100.0),
    )


def test_a_later_decision_replaces_an_earlier_one(store):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    store.remember(KEY, "system.storage", is_allowed=False, declared=DECLARED)
    assert [decision.is_allowed for decision in store.decisions(KEY)] == [False]


@pytest.mark.parametrize("field", ["subject", "module", "source"])
def test_nobody_inherits_a_decision(store, field):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    assert store.applicable(attrs.evolve(KEY, **{field: "other"}), DECLARED) == ()


@pytest.mark.parametrize(
    ("present", "applies"),
    [
        (DECLARED, True),
        (["api.vendas[POST]"], True),
        ([], True),
        ([*DECLARED, "system.clipboard"], False),
        (["api.vendas"], False),
        (["api.*"], False),
        (["api.vendas[PUT]"], False),
    ],
)
def test_a_wider_manifest_never_inherits_an_allowance(store, present, applies):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    assert bool(store.applicable(KEY, present)) is applies


def test_a_wider_manifest_does_not_shake_a_denial_off(store):
    store.remember(KEY, "system.storage", is_allowed=False, declared=DECLARED)
    assert names(store.applicable(KEY, ["*", "api.external"])) == ["system.storage"]


def test_forgetting(store):
    for name in ("api.vendas", "system.storage", "system.clipboard"):
        store.remember(KEY, name, is_allowed=True, declared=DECLARED)
    assert store.forget(KEY, "api.vendas", "unknown") == 1
    assert store.forget(attrs.evolve(KEY, module="other")) == 0
    assert store.forget(KEY) == 2


def test_decisions_outlive_the_store(tmp_path):
    path = tmp_path / "state" / "decisions.sqlite"
    with DecisionStore(path) as store:
        store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    with DecisionStore(path) as store:
        assert names(store.decisions(KEY)) == ["system.storage"]


def test_only_the_owner_may_read(tmp_path):
    path = tmp_path / "state" / "decisions.sqlite"
    DecisionStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "decisions.sqlite"
    path.write_text("not a database, and long enough to be read as the header of one" * 10)
    with pytest.raises(PlataformaError, match="move it away"):
        DecisionStore(path)
    assert path.read_text().startswith("not a database")


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(PlataformaError, match="newer version"):
        DecisionStore(path)


def test_any_thread_may_ask(store):
    def work(number):
        store.remember(KEY, f"api.a{number}", is_allowed=True, declared=DECLARED)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.decisions(KEY)) == 8


# --- with a manager --------------------------------------------------------------------------------------------------


def attached(store, declared=DECLARED):
    manager = PermissionManager(declared=declared)
    store.attach(manager, KEY, declared)
    return manager


def test_decisions_apply_to_the_next_manager(store):
    first = attached(store)
    first.grant("api.vendas[GET]", forever=True)
    first.deny("system.storage")
    second = attached(store)
    second.grant("system.storage[x]")
    assert second.has("api.vendas[GET]")
    assert not second.has("system.storage[x]")


def test_what_is_not_for_ever_is_not_kept(store):
    manager = attached(store)
    manager.grant("api.vendas")
    manager.grant("api.vendas[GET]", once=True)
    manager.grant("api.vendas[POST]", until=2e9)
    manager.deny("system.storage", once=True)
    assert store.decisions(KEY) == ()


def test_an_answer_for_ever_is_kept(store, run):
    from plataforma_sdk.permissions import PermissionAnswer

    async def prompt(request):
        return PermissionAnswer.ALLOW_FOREVER

    manager = PermissionManager(prompt=prompt, declared=DECLARED)
    store.attach(manager, KEY, DECLARED)
    assert run(manager.request("system.storage", "to keep drafts"))
    assert attached(store).has("system.storage")


@pytest.mark.parametrize("revoked", ["api.vendas", "api.vendas[GET]", "api.*", "*"])
def test_a_revocation_forgets_every_allowance_it_touches(store, revoked):
    manager = attached(store)
    manager.grant("api.vendas", forever=True)
    manager.grant("system.storage", forever=True)
    manager.revoke(revoked)
    assert names(store.decisions(KEY)) == ([] if revoked == "*" else ["system.storage"])


def test_a_revocation_by_wildcard_forgets_the_way_out(store):
    manager = attached(store, ["api.external"])
    manager.grant("api.external[example.com]", forever=True)
    manager.revoke("api.*")
    assert store.decisions(KEY) == ()


def test_a_revocation_leaves_denials(store):
    manager = attached(store)
    manager.deny("api.vendas[GET]")
    manager.grant("api.vendas", forever=True)
    manager.revoke("api.*")
    assert names(store.decisions(KEY)) == ["api.vendas[GET]"]


def test_a_lift_forgets_the_denials_inside(store):
    manager = attached(store)
    manager.deny("api.vendas[GET]")
    manager.deny("api.*")
    manager.lift("api.vendas")
    assert names(store.decisions(KEY)) == ["api.*"]


def test_a_detached_manager_changes_nothing(store):
    manager = PermissionManager(declared=DECLARED)
    store.attach(manager, KEY, DECLARED).unsubscribe()
    manager.grant("system.storage", forever=True)
    assert store.decisions(KEY) == ()


def test_applying_decisions_is_not_deciding_again(store):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    attached(store, ["system.storage"])
    assert store.decisions(KEY)[0].declared == DECLARED


def test_what_is_applied_is_a_persons(store):
    store.remember(KEY, "system.storage", is_allowed=True, declared=DECLARED)
    store.remember(KEY, "api.vendas[GET]", is_allowed=False, declared=DECLARED)
    manager = PermissionManager()
    store.attach(manager, KEY, DECLARED)
    assert {rule.by for rule in manager.rules} == {"person"}


def test_the_keys_of_a_subject(store):
    other = attrs.evolve(KEY, module="agenda")
    for key in (KEY, other, attrs.evolve(KEY, subject="bia")):
        store.remember(key, "system.storage", is_allowed=True, declared=DECLARED)
        store.remember(key, "system.clipboard", is_allowed=False, declared=DECLARED)
    assert store.keys("ana") == (other, KEY)
