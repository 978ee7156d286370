"""Least privilege: each line of ``module.toml`` is needed, and nothing beyond them is."""

import pytest

from plataforma_sdk.errors import PermissionDeniedError

pytestmark = pytest.mark.plataforma(tier="all")


async def use_everything(vendas):
    await vendas.emit("user.login", {"nome": "Ana"})
    await vendas.emit("data.vendas.updated")
    await vendas.pilot.select("País", "Chile")


@pytest.mark.parametrize(
    "permission",
    [
        "api.vendas[GET]",
        "window.create",
        "events.subscribe[user.login]",
        "events.subscribe[data.vendas.updated]",
        "events.emit[module.vendas.filtrada]",
        "system.notifications",
    ],
)
async def test_each_permission_is_needed(plataforma_environment, permission):
    async with plataforma_environment as vendas:
        await use_everything(vendas)
        vendas.permissions.assert_required(permission)


@pytest.mark.parametrize("permission", ["database.*", "system.storage", "api.external", "api.internal", "window.modal"])
async def test_nothing_else_is_needed(plataforma_environment, permission):
    async with plataforma_environment as vendas:
        await use_everything(vendas)
        vendas.permissions.assert_not_required(permission)


async def test_nothing_granted_is_left_over(plataforma_environment):
    async with plataforma_environment as vendas:
        await use_everything(vendas)
        assert vendas.permissions.unused_grants == ()


async def test_a_revoked_api_is_refused_at_once_and_the_window_stays(plataforma_environment):
    async with plataforma_environment as vendas:
        before = vendas.pilot.tree
        vendas.permissions.revoke("api.vendas[GET]")
        with pytest.raises(PermissionDeniedError, match=r"api\.vendas\[GET\]"):
            await vendas.pilot.press("Recarregar")
        await vendas.pilot.settle()
        assert vendas.pilot.tree == before


async def test_a_revoked_topic_is_not_delivered(plataforma_environment):
    async with plataforma_environment as vendas:
        vendas.permissions.revoke("events.subscribe[user.login]")
        assert await vendas.emit("user.login", {"nome": "Ana"}) == 0


async def test_what_is_granted_again_works_again(plataforma_environment):
    async with plataforma_environment as vendas:
        vendas.permissions.revoke("api.vendas[GET]")
        vendas.permissions.grant("api.vendas[GET]")
        await vendas.pilot.press("Recarregar")
        assert len(vendas.api.requests) == 6
