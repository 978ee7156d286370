"""A form, and what it sent; and a window that is another's."""

from typing import Any

from plataforma_sdk import ModuleFramework, ui


class Cadastro(ModuleFramework):
    """Keeps what was sent."""

    async def on_load(self) -> None:
        self.enviados: list[str] = []
        self.create_window(title="Cadastro", width=520, height=420)

    def salvar(self, value: dict[str, Any]) -> None:
        self.enviados.append(f"{value['nome']} {value['idade']} {value['plano']} {value['ok']}")

    def recusar(self) -> None:
        raise ValueError("Este botão sempre falha")

    def render(self) -> ui.Element:
        return ui.column(
            ui.form(
                ui.text_field("nome", label="Nome", required=True, max_length=40),
                ui.number_field("idade", label="Idade", integer=True, minimum=0, maximum=120),
                ui.select_field("plano", ["Livre", "Pago"], label="Plano", value="Livre"),
                ui.checkbox_field("ok", label="Quero novidades"),
                on_submit=self.salvar,
                submit_label="Guardar",
            ),
            ui.button("Falhar", on_press=self.recusar),
            ui.list(*self.enviados),
            ui.text(f"{len(self.enviados)} guardados"),
        )
