"""What the module does when it is loaded, and when that cannot be."""

import pytest

from plataforma_sdk.api import TransportResponse
from plataforma_sdk.errors import GuestError, PermissionDeniedError, PlataformaError

pytestmark = pytest.mark.plataforma(tier="all")


async def test_reads_clients_products_and_sales_once(plataforma_environment):
    async with plataforma_environment as vendas:
        assert sorted(vendas.api.paths) == ["GET /vendas/clientes", "GET /vendas/produtos", "GET /vendas/vendas"]


async def test_opens_one_window(plataforma_environment):
    async with plataforma_environment as vendas:
        (window,) = vendas.pilot.windows.values()
        assert (window.id, window.title, window.width, window.height) == ("main", "Vendas", 960, 640)


async def test_is_active_and_has_the_manifests_version(plataforma_environment):
    async with plataforma_environment as vendas:
        assert (vendas.handle.state, vendas.handle.version) == ("active", "1.0.0")


async def test_tells_nobody_anything_yet(plataforma_environment):
    async with plataforma_environment as vendas:
        assert [topic for topic in vendas.events.topics if topic.startswith("module.vendas.")] == []
        assert vendas.host.notifications.recent() == ()


async def test_asks_for_nothing_that_it_holds(plataforma_environment):
    async with plataforma_environment as vendas:
        assert vendas.permissions.requests == []


async def test_survives_the_refusal_of_what_it_did_not_declare(plataforma_environment):
    async with plataforma_environment as vendas:
        assert (await vendas.pilot.call("resumo"))["recusadas"] == ["system.clipboard"]


@pytest.mark.parametrize("path", ["clientes", "produtos", "vendas"])
async def test_does_not_load_where_the_api_fails(plataforma_environment, plataforma_api, path):
    plataforma_api.answer(f"GET /vendas/{path}", TransportResponse(status=503))
    with pytest.raises(PlataformaError, match="503"):
        await plataforma_environment.__aenter__()


async def test_does_not_load_from_rows_that_lack_the_total(plataforma_environment, plataforma_api):
    plataforma_api.answer("GET /vendas/vendas", [{"id": 1, "generos": {}}])
    with pytest.raises(GuestError, match="KeyError"):
        await plataforma_environment.__aenter__()


@pytest.mark.plataforma(grants=["window.create", "events.subscribe"])
async def test_does_not_load_without_a_required_permission(plataforma_environment):
    with pytest.raises(PermissionDeniedError) as caught:
        await plataforma_environment.__aenter__()
    assert caught.value.permission == "api.vendas[GET]"


@pytest.mark.plataforma(
    grants=["window.create", "events.subscribe[user.login,data.vendas.updated]"], prompts={"api.vendas[GET]": True}
)
async def test_loads_where_the_person_grants_what_is_missing(plataforma_environment):
    async with plataforma_environment as vendas:
        (request,) = vendas.permissions.requests
        assert request.permission == "api.vendas[GET]"
        assert request.reason == "Lê clientes, produtos e vendas"


@pytest.mark.plataforma(grants=["window.create", "events.subscribe"], prompts={"api.vendas[GET]": False})
async def test_does_not_load_where_the_person_refuses(plataforma_environment):
    with pytest.raises(PermissionDeniedError, match=r"api\.vendas\[GET\]"):
        await plataforma_environment.__aenter__()


async def test_loads_empty_where_there_is_nothing(plataforma_environment, plataforma_api):
    for path in ("clientes", "produtos", "vendas"):
        plataforma_api.answer(f"GET /vendas/{path}", [])
    async with plataforma_environment as vendas:
        resumo = await vendas.pilot.call("resumo")
        assert (resumo["vendas"], str(resumo["receita"]), str(resumo["ticket_medio"])) == (0, "0.00", "0.00")
