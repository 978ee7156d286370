"""The host that embeds: orders are closed whatever the modules of its customers do."""

from __future__ import annotations

import asyncio
import logging
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from embed.host import MODULES, close_orders
from embed.loja import Pedido, app
from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.sandbox import TIERS

ORDERS = [Pedido(7, Decimal("100.00")), Pedido(8, Decimal("100.00"))]
STRANGER = """
from decimal import Decimal

from plataforma_sdk import ModuleFramework, ui


class Stranger(ModuleFramework):
    async def on_load(self):
        pass

    async def desconto(self, pedido):
        {answer}

    def render(self):
        return ui.text("")
"""


def add_module(folder: Path, name: str, answer: str) -> None:
    source = STRANGER.format(answer=answer)
    ModulePackage.from_source(source, id=name, permissions=("api.loja[GET]",)).write(folder / f"{name}.zip")


@pytest.mark.parametrize("tier", TIERS)
def test_a_loyal_client_pays_less(tier: str) -> None:
    assert asyncio.run(close_orders(ORDERS, engine=tier)) == [Decimal("90.00"), Decimal("100.00")]


@pytest.mark.parametrize(
    ("answer", "paid"),
    [
        pytest.param("return Decimal(5)", "95.00", id="an offer"),
        pytest.param("return pedido['total'] * 1000", "80.00", id="the moon"),
        pytest.param("return Decimal(-5)", "100.00", id="a surcharge"),
        pytest.param("return 'de graça'", "100.00", id="a text"),
        pytest.param("return [][0]", "100.00", id="a fault"),
        pytest.param("return await self.api_call('/loja/outra')", "100.00", id="what the shop does not serve"),
        pytest.param("return await self.api_call('/banco/conta')", "100.00", id="what it may not call"),
        pytest.param("while True: pass", "100.00", id="no end"),
    ],
)
def test_a_stranger_costs_an_offer_and_no_order(tmp_path: Path, answer: str, paid: str) -> None:
    add_module(tmp_path, "stranger", answer)
    assert asyncio.run(close_orders(ORDERS[1:], engine="restricted", modules=tmp_path)) == [Decimal(paid)]


def test_a_module_that_cannot_be_loaded_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(MODULES / "fidelidade", tmp_path / "fidelidade", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "quebrado").mkdir()
    (tmp_path / "quebrado" / "module.toml").write_text("id = 7")
    with caplog.at_level(logging.WARNING, "embed.host"):
        assert asyncio.run(close_orders(ORDERS[:1], engine="trusted", modules=tmp_path)) == [Decimal("90.00")]
    assert [record.args[0] for record in caplog.records if isinstance(record.args, tuple)] == ["quebrado"]


def test_only_modules_reach_the_api() -> None:
    """A request of a network has no such scope, whatever its headers say."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/loja/cliente", "query_string": b"id=7", "headers": [(b"x-module-id", b"a")]}
    asyncio.run(app(scope, None, send))
    assert sent[0]["status"] == 403


def test_the_api_says_what_there_is_not() -> None:
    async def main() -> str:
        source = "return str(await self.api_call('/loja/cliente', params={'id': pedido}))"
        package = ModulePackage.from_source(STRANGER.format(answer=source), id="asks", permissions=["api.loja"])
        async with ModuleHost(engine="trusted", api=app, grants=["api.loja"]) as host:
            asks = await host.load(package)
            return await asks.call("desconto", 7) + await asks.call("desconto", 8)

    assert asyncio.run(main()) == "{'compras': 12}{'compras': 1}"
