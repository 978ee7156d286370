"""What the module hears and what it tells."""

import pytest

pytestmark = pytest.mark.plataforma(tier="all")

REQUIRED = ["api.vendas[GET]", "window.create", "events.subscribe[user.login,data.vendas.updated]"]


def greeting(pilot):
    return next(node.text for node in pilot.find_all("text") if node.text.startswith("Olá"))


async def test_a_login_is_greeted(plataforma_environment):
    async with plataforma_environment as vendas:
        assert greeting(vendas.pilot) == "Olá"
        assert await vendas.emit("user.login", {"nome": "Ana"}) == 1
        assert greeting(vendas.pilot) == "Olá, Ana"


@pytest.mark.parametrize("data", [None, {}], ids=["nothing", "no name"])
async def test_a_login_without_a_name_is_greeted_plainly(plataforma_environment, data):
    async with plataforma_environment as vendas:
        await vendas.emit("user.login", data)
        assert greeting(vendas.pilot) == "Olá"


async def test_changed_sales_alone_are_read_again(plataforma_environment):
    async with plataforma_environment as vendas:
        vendas.api.requests.clear()
        await vendas.emit("data.vendas.updated", {"ids": [5]})
        assert vendas.api.paths == ["GET /vendas/vendas"]


async def test_changed_sales_are_shown(plataforma_environment, plataforma_api, nova_venda):
    async with plataforma_environment as vendas:
        plataforma_api.answer("GET /vendas/vendas", [nova_venda])
        await vendas.emit("data.vendas.updated")
        assert vendas.pilot.find("metric", "Vendas").props["value"] == 1


async def test_the_person_is_notified_where_that_is_granted(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.emit("data.vendas.updated")
        (shown,) = vendas.host.notifications.recent()
        assert (shown.title, shown.body) == ("Vendas", "4 vendas relidas")


@pytest.mark.plataforma(grants=REQUIRED, prompts={"system.notifications": True})
async def test_the_person_is_asked_before_the_first_notification(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.emit("data.vendas.updated")
        await vendas.emit("data.vendas.updated")
        (request,) = vendas.permissions.requests
        assert request.reason == "Avisar que as vendas foram relidas"
        assert len(vendas.host.notifications.recent()) == 2


@pytest.mark.plataforma(grants=REQUIRED, prompts={"system.notifications": False})
async def test_a_refused_notification_does_not_stop_the_reading(plataforma_environment, plataforma_api, nova_venda):
    async with plataforma_environment as vendas:
        plataforma_api.answer("GET /vendas/vendas", [nova_venda])
        await vendas.emit("data.vendas.updated")
        assert vendas.host.notifications.recent() == ()
        assert vendas.pilot.find("metric", "Vendas").props["value"] == 1


async def test_a_chosen_country_is_told_to_other_modules(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select("País", "Chile")
        await vendas.pilot.select("País", "Todos os países")
        assert vendas.events.of("module.vendas.filtrada") == [{"pais": "Chile"}, {"pais": ""}]


@pytest.mark.plataforma(grants=REQUIRED)
async def test_where_telling_is_not_granted_the_filter_works_in_silence(plataforma_environment):
    async with plataforma_environment as vendas:
        await vendas.pilot.select("País", "Chile")
        assert vendas.events.of("module.vendas.filtrada") == []
        assert vendas.pilot.find("metric", "Vendas").props["value"] == 1


@pytest.mark.parametrize("topic", ["user.logout", "data.vendas.deleted", "data.clientes.updated"])
async def test_other_events_do_not_reach_it(plataforma_environment, topic):
    async with plataforma_environment as vendas:
        assert await vendas.emit(topic, {"nome": "Ana"}) == 0
