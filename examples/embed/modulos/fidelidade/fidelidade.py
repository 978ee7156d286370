"""What a customer of the shop might write: a discount for loyal clients."""

from decimal import Decimal
from typing import Any

from plataforma_sdk import Event, ModuleFramework, ui

PARTE = Decimal("0.10")


class Fidelidade(ModuleFramework):
    """A tenth off for whoever has bought often enough."""

    async def on_load(self) -> None:
        """Begin to count."""
        self.pedidos = 0
        self.dado = Decimal(0)
        self.subscribe("loja.pedido.fechado", self.ao_fechar)
        self.create_window(title="Fidelidade")

    async def desconto(self, pedido: dict[str, Any]) -> Decimal:
        """Say how much less an order shall cost; the shop has the last word."""
        cliente = await self.api_call("/loja/cliente", params={"id": pedido["cliente"]})
        return pedido["total"] * PARTE if cliente["compras"] >= self.config["compras"] else Decimal(0)

    def ao_fechar(self, event: Event) -> None:
        """Count what was given in the end."""
        self.pedidos += 1
        self.dado += event.data["desconto"]

    def render(self) -> ui.Element:
        """Draw the sum."""
        return ui.row(
            ui.metric("Pedidos", self.pedidos),
            ui.metric("Desconto dado", self.dado, format="currency", currency="BRL"),
        )
