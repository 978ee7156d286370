"""Reload, unload, failures on the way, limits, and what other modules may ask."""

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.api import TransportResponse
from plataforma_sdk.errors import ApiStatusError, PlataformaError, QuotaExceededError

pytestmark = pytest.mark.plataforma(tier="all")

ASKER = """
from plataforma_sdk import ModuleFramework, ui

class Asker(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("asker")

    async def ask(self):
        return await self.api_call("/vendas/resumo")
"""


def asker(*permissions):
    return ModulePackage.from_source(ASKER, id="asker", permissions=permissions)


async def test_reload_reads_again_and_keeps_one_window(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.handle.reload()
        await vendas.pilot.settle()
        assert list(vendas.pilot.windows) == ["main"]
        assert len(vendas.api.requests) == 6


async def test_reload_leaves_no_second_subscription(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.handle.reload()
        assert await vendas.emit("user.login", {"nome": "Ana"}) == 1


async def test_a_reload_that_fails_leaves_the_old_one_running(plataforma_environment, plataforma_api):
    async with plataforma_environment as vendas:
        plataforma_api.answer("GET /vendas/vendas", TransportResponse(status=503))
        with pytest.raises(PlataformaError, match="503"):
            await vendas.handle.reload()
        assert vendas.handle.state == "active"
        assert (await vendas.pilot.call("resumo"))["vendas"] == 4


async def test_unload_takes_window_and_subscriptions_along(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.handle.unload()
        assert await vendas.emit("user.login", {"nome": "Ana"}) == 0
        assert vendas.host.modules == {}


async def test_an_api_that_fails_while_reloading_keeps_what_was_read(plataforma_environment, plataforma_api):
    async with plataforma_environment as vendas:
        plataforma_api.answer("GET /vendas/clientes", TransportResponse(status=500))
        with pytest.raises(ApiStatusError, match="500"):
            await vendas.pilot.press("Recarregar")
        assert (await vendas.pilot.call("resumo"))["clientes"] == 3


@pytest.mark.plataforma(limits={"max_network_requests_per_min": 5})
async def test_beyond_its_requests_a_minute_it_is_told_so(plataforma_environment):
    async with plataforma_environment as vendas:
        with pytest.raises(QuotaExceededError, match="vendas"):
            await vendas.pilot.press("Recarregar")
        assert (await vendas.pilot.call("resumo"))["vendas"] == 4


async def test_usage_counts_its_requests(plataforma_environment):
    async with plataforma_environment as vendas:
        assert vendas.pilot.usage.network_requests == 3


async def test_another_module_reads_the_summary(plataforma_environment):
    async with plataforma_environment as vendas:
        other = await vendas.load(asker("api.vendas[GET]"), grants=["api.vendas[GET]"])
        resumo = await other.call("ask")
        assert (resumo["vendas"], str(resumo["receita"])) == (4, "10.05")


async def test_another_module_needs_the_permission_for_that(plataforma_environment):
    async with plataforma_environment as vendas:
        other = await vendas.load(asker())
        with pytest.raises(PlataformaError, match=r"asker.*api\.vendas\[GET\]"):
            await other.call("ask")


async def test_it_stores_nothing(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.press("Recarregar")
        assert vendas.pilot.usage.storage_bytes == 0
