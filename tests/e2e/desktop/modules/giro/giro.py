"""Loops without end: in one step, or politely, step by step."""

import asyncio

from plataforma_sdk import ModuleFramework, ui


class Giro(ModuleFramework):
    """Two ways to never end."""

    async def on_load(self) -> None:
        self.create_window(title="Giro", width=380, height=220)

    def girar(self) -> None:
        while True:
            pass

    async def girar_aos_poucos(self) -> None:
        while True:
            sum(range(2_000))
            await asyncio.sleep(0)

    def render(self) -> ui.Element:
        return ui.row(
            ui.button("Girar", on_press=self.girar), ui.button("Girar aos poucos", on_press=self.girar_aos_poucos)
        )
