"""Greets whoever writes their name."""

from plataforma_sdk import ModuleFramework, ui


class Hello(ModuleFramework):
    """One window, one field."""

    async def on_load(self) -> None:
        self.nome = "mundo"
        self.create_window(title="Olá")

    def escrever(self, value: str) -> None:
        self.nome = value or "mundo"

    def render(self) -> ui.Element:
        campo = ui.text_field("nome", label="Seu nome", on_change=self.escrever)
        return ui.column(ui.heading(f"Olá, {self.nome}!"), campo)
