"""Shows the stock, orders what is missing, and copies the list of it where a person allows that."""

from typing import Any

from plataforma_sdk import ModuleFramework, ui


class Estoque(ModuleFramework):
    """A stock with a lowest amount for each product."""

    async def on_load(self) -> None:
        """Read the stock and show it."""
        self.aviso = ""
        await self.reler()
        self.create_window(title="Estoque")

    async def reler(self) -> None:
        """Read the stock again."""
        self.produtos: list[dict[str, Any]] = await self.api_call("/estoque/produtos")

    def faltam(self) -> list[str]:
        """Name the products below the lowest amount."""
        return [produto["nome"] for produto in self.produtos if produto["quantidade"] < self.config["minimo"]]

    async def repor(self) -> None:
        """Order what is missing, and say so where that is allowed."""
        nomes = self.faltam()
        await self.api_call("/estoque/encomendas", method="POST", json={"produtos": nomes})
        self.aviso = f"{len(nomes)} encomendados"
        if self.permissions.has("system.notifications"):
            await self.notify("Estoque", self.aviso)

    async def copiar(self) -> None:
        """Copy the list of what is missing, if the person agrees."""
        if await self.permissions.request("system.clipboard", "Para copiar a lista do que falta"):
            await self.clipboard.write(", ".join(self.faltam()))
            self.aviso = "copiado"
        else:
            self.aviso = "sem permissão para copiar"

    def render(self) -> ui.Element:
        """Draw the stock."""
        return ui.column(
            ui.metric("Faltam", len(self.faltam())),
            ui.table(self.produtos, row_key="nome"),
            ui.row(ui.button("Repor", on_press=self.repor), ui.button("Copiar", on_press=self.copiar)),
            ui.text(self.aviso),
        )
