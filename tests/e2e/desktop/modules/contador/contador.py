"""Counts presses and beats of its timer; answers at once."""

from plataforma_sdk import ModuleFramework, ui


class Contador(ModuleFramework):
    """Two numbers that move."""

    async def on_load(self) -> None:
        self.apertos = 0
        self.batidas = 0
        self.titulo = "Contador"
        self.janela = self.create_window(title=self.titulo, width=420, height=260)
        self.every(0.25, self.bater)

    def bater(self) -> None:
        self.batidas += 1

    def apertar(self) -> None:
        self.apertos += 1

    async def avisar(self) -> None:
        await self.notify("Contagem", f"{self.apertos} apertos até agora")

    def render(self) -> ui.Element:
        return ui.column(
            ui.metric("Apertos", self.apertos),
            ui.text(f"batidas: {self.batidas}", key="batidas"),
            ui.row(ui.button("Contar", on_press=self.apertar), ui.button("Avisar", on_press=self.avisar)),
            ui.text_field("nota", label="Nota"),
        )
