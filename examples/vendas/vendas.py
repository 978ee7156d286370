"""The sales module of the specification: clients, products and sales, in one window.

The same source runs in every tier. `calculos` sums, `telas` draws, and this file talks to the host.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from plataforma_sdk import ModuleFramework, PermissionDeniedError, ui

from .calculos import Venda, do_cliente, do_pais, receita, ticket_medio
from .telas import painel

if TYPE_CHECKING:
    from plataforma_sdk import Event
    from plataforma_sdk.types import ApiRequest

LOTE = 200


class VendasModule(ModuleFramework):
    """Reads the sales, shows them, and follows what happens to them."""

    async def on_load(self) -> None:
        """Read everything at once, then open the window."""
        self.pais = ""
        self.cliente: dict[str, Any] | None = None
        self.usuario = ""
        self.recusadas: list[str] = []
        await self._ler_tudo()
        self.subscribe("user.login", self.ao_entrar)
        self.subscribe("data.vendas.updated", self.ao_atualizar)
        self.register_endpoint("/vendas/resumo", self.responder_resumo)
        self.create_window(title="Vendas", width=960, height=640)
        await self._pedir_o_que_nao_declarou()

    def render(self) -> ui.Element:
        """Draw the window from what was read; a view never waits."""
        return painel(self)

    # --- what the host and other modules may ask ---------------------------------------------------------------------

    def resumo(self) -> dict[str, Any]:
        """Return the figures of all sales, whatever the window is filtered by."""
        return {
            "clientes": len(self.clientes),
            "produtos": len(self.produtos),
            "vendas": len(self.vendas),
            "receita": receita(self.vendas),
            "ticket_medio": ticket_medio(self.vendas),
            "recusadas": list(self.recusadas),
        }

    async def responder_resumo(self, _pedido: "ApiRequest") -> dict[str, Any]:
        """Answer ``GET /vendas/resumo``."""
        return self.resumo()

    # --- events ------------------------------------------------------------------------------------------------------

    async def ao_entrar(self, evento: "Event") -> None:
        """Greet the person who came in."""
        self.usuario = str((evento.data or {}).get("nome", ""))

    async def ao_atualizar(self, _evento: "Event") -> None:
        """Read the sales again, since they changed."""
        await self._guardar_vendas(await self.api_call("/vendas/vendas"))
        if await self.permissions.request("system.notifications", "Avisar que as vendas foram relidas"):
            await self.notify("Vendas", f"{len(self.vendas)} vendas relidas")

    # --- what a person does in the window ----------------------------------------------------------------------------

    def filtrar_pais(self, value: str | None) -> None:
        """Show one country, or all of them where none is chosen."""
        self.pais = value or ""
        self.cliente = None
        if self.permissions.has("events.emit[module.vendas.filtrada]"):
            self.emit("filtrada", {"pais": self.pais})

    async def recarregar(self) -> None:
        """Read everything again."""
        await self._ler_tudo()

    def escolher_venda(self, value: int) -> None:
        """Show the client of the sale that was chosen in the table."""
        for venda in self.vendas:
            if venda.id == value:
                self.cliente = self._cliente(venda.cliente)

    def escolher_cliente(self, value: int) -> None:
        """Show one client, chosen by the number."""
        self.cliente = self._cliente(value)

    def fechar_cliente(self) -> None:
        """Go back to all clients."""
        self.cliente = None

    # --- the rest ----------------------------------------------------------------------------------------------------

    def vendas_visiveis(self) -> list[Venda]:
        """Return the sales that the filters leave."""
        vendas = do_pais(self.vendas, self.pais)
        return vendas if self.cliente is None else do_cliente(vendas, self.cliente["id"])

    async def _ler_tudo(self) -> None:
        self.clientes, self.produtos, vendas = await asyncio.gather(
            self.api_call("/vendas/clientes"),
            self.api_call("/vendas/produtos"),
            self.api_call("/vendas/vendas"),
        )
        await self._guardar_vendas(vendas)

    async def _guardar_vendas(self, linhas: list[dict[str, Any]]) -> None:
        """Convert the sales in small steps: whoever computes for long without waiting is stopped."""
        vendas: list[Venda] = []
        for inicio in range(0, len(linhas), LOTE):
            vendas += [Venda.da_api(linha) for linha in linhas[inicio : inicio + LOTE]]
            await asyncio.sleep(0)
        self.vendas = vendas

    def _cliente(self, numero: int) -> dict[str, Any] | None:
        for cliente in self.clientes:
            if cliente["id"] == numero:
                return dict(cliente)
        return None

    async def _pedir_o_que_nao_declarou(self) -> None:
        """Try the clipboard, which module.toml does not declare: the host refuses, and the module goes on."""
        try:
            await self.clipboard.read()
        except PermissionDeniedError as recusa:
            self.recusadas.append(recusa.permission)
            self.log("info", "a área de transferência foi recusada, como devia", permissao=recusa.permission)
