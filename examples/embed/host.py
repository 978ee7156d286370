"""The shop's loop, with the modules of its customers in it: ``python -m embed.host``, from the folder of the examples.

Whatever a module does, an order is closed: a module that fails, takes too long or asks for the moon gives no discount.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from embed.loja import Pedido, app
from plataforma_sdk import ModuleHandle, ModuleHost, PlataformaError, ResourceLimits

logger = logging.getLogger(__name__)

MODULES = Path(__file__).parent / "modulos"
GRANTS = ("api.loja[GET]", "events.subscribe[loja.*]", "window.create")
"""What any module may have, as far as it declares it. With ``prompt=`` a person would be asked for the rest."""
LIMITS = ResourceLimits(max_call_ms=2_000, max_network_requests_per_min=120)
MOST = Decimal("0.20")
"""The largest part of an order that all modules together may give away."""


async def close_orders(orders: Iterable[Pedido], *, engine: str = "wasm", modules: Path = MODULES) -> list[Decimal]:
    """Load the modules of a folder, close each order with their discounts, and return what the orders cost then."""
    async with ModuleHost(engine=engine, api=app, grants=GRANTS, limits=LIMITS) as host:
        for path in modules_in(modules):
            await load(host, path)
        return [await close(host, order) for order in orders]


def modules_in(folder: Path) -> list[Path]:
    """Find the modules of a folder: directories, and packages in one file."""
    return sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix == ".zip")


async def load(host: ModuleHost, path: Path) -> None:
    """Load a module; one that cannot be loaded keeps nobody from working."""
    try:
        await host.load(path)
    except PlataformaError as error:
        logger.warning("%s is left out: %s", path.name, error)


async def close(host: ModuleHost, order: Pedido) -> Decimal:
    """Close one order, and tell the modules."""
    offers = await asyncio.gather(*(ask(handle, order) for handle in host.modules.values()))
    discount = min(sum(offers, Decimal(0)), order.total * MOST)
    await host.events.emit("loja.pedido.fechado", {"cliente": order.cliente, "desconto": discount})
    return order.total - discount


async def ask(handle: ModuleHandle, order: Pedido) -> Decimal:
    """Ask one module for its discount. What it answers is data of a stranger: only an amount counts."""
    try:
        offer = await handle.call("desconto", {"cliente": order.cliente, "total": order.total})
    except PlataformaError as error:
        logger.warning("%s gives no discount: %s", handle.id, error)
        return Decimal(0)
    return offer if isinstance(offer, Decimal) and offer.is_finite() and offer > 0 else Decimal(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    orders = [Pedido(7, Decimal("100.00")), Pedido(8, Decimal("100.00"))]
    for order, paid in zip(orders, asyncio.run(close_orders(orders)), strict=True):
        print(f"cliente {order.cliente}: {paid:.2f} em vez de {order.total:.2f}")  # noqa: T201 - it is what it is for
