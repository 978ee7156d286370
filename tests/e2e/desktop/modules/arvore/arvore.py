"""A tree of 5,000 elements, and a table of 5,000 rows, one of which changes."""

from plataforma_sdk import ModuleFramework, ui

CARTOES = 833
LINHAS = 5_000


class Arvore(ModuleFramework):
    """Draws much."""

    async def on_load(self) -> None:
        self.vez = 0
        self.linhas = [{"id": numero, "cliente": f"Cliente {numero}"} for numero in range(LINHAS)]
        self.create_window(title="Árvore", width=900, height=600)
        self.create_window(id="linhas", title="Linhas", width=700, height=500, view=self.tabela)

    def mudar(self) -> None:
        self.vez += 1
        self.linhas[2_500]["cliente"] = f"Cliente mudado {self.vez}"

    def render(self) -> ui.Element:
        cartoes = [
            ui.card(
                ui.row(ui.badge("novo", tone="info"), ui.text(f"Cliente {numero}"), ui.icon("tag")),
                ui.text(f"Nota {numero}"),
                title=f"Cartão {numero}",
                key=numero,
            )
            for numero in range(CARTOES)
        ]
        return ui.column(ui.text(f"vez {self.vez}"), cartoes)

    def tabela(self) -> ui.Element:
        return ui.column(
            ui.button("Mudar", on_press=self.mudar), ui.table(self.linhas, ["id", "cliente"], row_key="id", key="t")
        )
