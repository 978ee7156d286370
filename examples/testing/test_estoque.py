"""What a module's own tests look like: every test runs in every tier, and nothing happens that it did not expect."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from plataforma_sdk.testing import ModuleTestEnvironment

Body = Callable[[ModuleTestEnvironment], Coroutine[Any, Any, None]]
Run = Callable[[Body], None]

PRODUTOS = [{"nome": "Café", "quantidade": 2}, {"nome": "Chá", "quantidade": 9}]
API = {"GET /estoque/produtos": PRODUTOS, "POST /estoque/encomendas": {"ok": True}}

pytestmark = pytest.mark.plataforma(tier="all", api=API)


def test_shows_how_many_are_missing(plataforma_run: Run) -> None:
    async def body(environment: ModuleTestEnvironment) -> None:
        assert environment.pilot.find("metric", "Faltam").props["value"] == 1

    plataforma_run(body)


@pytest.mark.plataforma(config={"minimo": 10})
def test_the_lowest_amount_is_configured(plataforma_run: Run) -> None:
    async def body(environment: ModuleTestEnvironment) -> None:
        assert environment.pilot.find("metric", "Faltam").props["value"] == 2

    plataforma_run(body)


def test_orders_what_is_missing_and_says_so(plataforma_run: Run) -> None:
    async def body(environment: ModuleTestEnvironment) -> None:
        await environment.pilot.press("Repor")
        assert environment.api.requests[-1].json == {"produtos": ["Café"]}
        assert [notification.body for notification in environment.host.notifications.recent()] == ["1 encomendados"]

    plataforma_run(body)


@pytest.mark.plataforma(prompts={"system.clipboard": False}, grants=["api.estoque[GET]", "window.create"])
def test_a_person_who_says_no_is_heard(plataforma_run: Run) -> None:
    async def body(environment: ModuleTestEnvironment) -> None:
        await environment.pilot.press("Copiar")
        assert environment.pilot.find("text", "sem permissão para copiar")

    plataforma_run(body)


def test_copies_what_is_missing(plataforma_run: Run) -> None:
    async def body(environment: ModuleTestEnvironment) -> None:
        await environment.pilot.press("Copiar")
        assert environment.pilot.find("text", "copiado")

    plataforma_run(body)
