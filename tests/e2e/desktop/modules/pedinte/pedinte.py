"""Asks for permissions when a button is pressed, and shows what was answered."""

import asyncio

from plataforma_sdk import ModuleFramework, PermissionDeniedError, ui

RAZAO = "Para avisar quando a importação termina"


class Pedinte(ModuleFramework):
    """Shows each answer as it arrives."""

    async def on_load(self) -> None:
        self.respostas: dict[str, str] = {}
        self.create_window(title="Pedinte", width=520, height=360)

    async def pedir(self, nome: str) -> None:
        self.respostas[nome] = "esperando"
        self.invalidate()
        self.respostas[nome] = "sim" if await self.permissions.request(nome, RAZAO) else "não"

    async def pedir_duas(self) -> None:
        await asyncio.gather(self.pedir("system.notifications"), self.pedir("system.clipboard"))

    async def usar(self) -> None:
        nome = "system.notifications"
        try:
            await self.notify("Pedinte", "A importação terminou")
        except PermissionDeniedError:
            self.respostas[nome] = "recusado"
        else:
            self.respostas[nome] = "usado"

    def conferir(self) -> None:
        for nome in list(self.respostas):
            self.respostas[nome] = "tem" if self.permissions.has(nome) else "não tem"

    def render(self) -> ui.Element:
        return ui.column(
            ui.row(
                ui.button("Pedir avisos", on_press=ui.action(self.pedir, "system.notifications")),
                ui.button("Pedir duas", on_press=self.pedir_duas),
                ui.button("Usar", on_press=self.usar),
                ui.button("Conferir", on_press=self.conferir),
            ),
            *(ui.text(f"{nome}: {resposta}") for nome, resposta in self.respostas.items()),
        )
