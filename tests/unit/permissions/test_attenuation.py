"""A manager for a part of a module: never more than its parent, at any moment."""

from __future__ import annotations

import gc

from plataforma_sdk.permissions import PermissionAnswer, PermissionManager


def test_a_child_holds_what_it_is_given_and_its_parent_holds():
    child = PermissionManager(["api.vendas", "database.read[Customer]"]).attenuate(["api.*[GET]", "database.read"])
    assert child.has("api.vendas[GET]")
    assert not child.has("api.vendas[POST]")
    assert not child.has("api.clientes[GET]")
    assert child.granted == ("api.vendas[GET]", "database.read[Customer]")


def test_a_revocation_at_the_parent_shows_at_the_next_check_of_every_descendant():
    parent = PermissionManager(["api.*"])
    child = parent.attenuate(["api.*"])
    grandchild = child.attenuate(["api.vendas"])
    assert grandchild.has("api.vendas")
    parent.revoke("api.vendas")
    assert not grandchild.has("api.vendas")
    assert not child.has("api.vendas")


def test_a_grant_at_the_parent_shows_where_the_child_may_have_it():
    parent = PermissionManager()
    child = parent.attenuate(["api.*"])
    assert not child.has("api.vendas")
    parent.grant("api.vendas")
    parent.grant("database.read")
    assert child.has("api.vendas")
    assert not child.has("database.read")


def test_a_child_cannot_be_given_more_than_its_parent_has():
    parent = PermissionManager(["api.vendas"], denies=["api.clientes"])
    child = parent.attenuate([])
    child.grant("*")
    assert child.has("api.vendas")
    assert not child.has("api.clientes")
    assert not child.has("database.read")


def test_a_revocation_at_the_child_leaves_the_parent_alone():
    parent = PermissionManager(["api.*"])
    child = parent.attenuate(["api.*"])
    child.revoke("api.vendas")
    assert not child.has("api.vendas")
    assert parent.has("api.vendas")


def test_a_one_time_grant_of_the_parent_is_used_up_through_the_child():
    parent = PermissionManager()
    parent.grant("api.vendas", once=True)
    child = parent.attenuate(["api.*"])
    child.require("api.vendas")
    assert not parent.has("api.vendas")


def test_listeners_of_a_child_hear_of_changes_at_the_parent():
    parent, heard = PermissionManager(["api.*"]), []
    parent.attenuate(["api.*"]).on_change(heard.append)
    gc.collect()
    child = parent.attenuate(["api.*"])
    child.on_change(heard.append)
    parent.revoke("api.*")
    assert "revoke" in {change.action for change in heard}


def test_a_request_through_a_child_asks_the_parents_person(run):
    asked = []

    async def allow(request):
        asked.append(request.permission)
        return True

    parent = PermissionManager(prompt=allow)
    child = parent.attenuate(["api.*"])
    assert run(child.request("api.vendas", "to sell"))
    assert (child.has("api.vendas"), parent.has("api.vendas"), asked) == (True, True, ["api.vendas"])


def test_nobody_is_asked_for_what_attenuation_keeps_out(run):
    async def fail(request):
        raise AssertionError(request)

    child = PermissionManager(prompt=fail).attenuate(["*"]).attenuate(["api.*"])
    assert not run(child.request("database.read", "to look"))
    assert "attenuated" in child.explain("database.read").advice


def test_refusals_through_a_child_silence_the_module(run):
    async def refuse(request):
        return PermissionAnswer.DENY_ONCE

    parent = PermissionManager(prompt=refuse)
    child = parent.attenuate(["*"])

    async def main():
        for name in ("api.a", "api.b", "api.c"):
            await child.request(name)

    run(main())
    assert parent.is_silenced
    assert child.is_silenced


def test_a_child_records_into_its_parent():
    parent = PermissionManager(["api.*"], record=True)
    parent.attenuate(["api.*"]).require("api.vendas")
    assert parent.recorded == ("api.vendas",)
