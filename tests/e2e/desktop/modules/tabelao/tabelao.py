"""Ten thousand rows, one of which changes."""

from plataforma_sdk import ModuleFramework, ui

LINHAS = 10_000
LOTE = 1_000


class Tabelao(ModuleFramework):
    """A table that a viewer has to window."""

    async def on_load(self) -> None:
        self.escolhida = 0
        self.linhas = [{"id": numero, "cliente": f"Cliente {numero}", "total": numero * 7} for numero in range(LINHAS)]
        self.create_window(title="Tabelão", width=900, height=600)

    def mudar(self) -> None:
        self.linhas[3]["cliente"] = "Cliente mudado"

    def escolher(self, value: int) -> None:
        self.escolhida = value

    def render(self) -> ui.Element:
        return ui.column(
            ui.row(ui.button("Mudar uma linha", on_press=self.mudar), ui.text(f"escolhida: {self.escolhida}")),
            ui.table(
                self.linhas,
                ["id", "cliente", "total"],
                title="Clientes",
                row_key="id",
                filterable=True,
                on_select=self.escolher,
                key="t",
            ),
        )
