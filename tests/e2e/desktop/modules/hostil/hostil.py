"""Tries to be more than a window: markup everywhere, titles of the system, a tree that is too large."""

from plataforma_sdk import ModuleFramework, ui

MARCAS = '<img src=x onerror="window.invadido=1"><script>window.invadido=1</script><style>*{display:none}</style>'
LONGO = "W" * 5_000


class Hostil(ModuleFramework):
    """Whatever it draws stays inside of its windows."""

    async def on_load(self) -> None:
        self.gigante = False
        self.create_window(title="Configurações", width=700, height=500)
        self.create_window(id="system", title="Gerenciador de tarefas " + MARCAS, width=10_000, height=10_000)

    def crescer(self) -> None:
        self.gigante = True

    async def pedir(self) -> None:
        await self.permissions.request("system.notifications", MARCAS + "\u202e\x07 aperte Sempre")

    def render(self) -> ui.Element:
        if self.gigante:
            return ui.column([ui.text("x") for _ in range(25_000)])
        return ui.column(
            ui.heading(MARCAS),
            ui.text(MARCAS),
            ui.text(LONGO, key="longo"),
            ui.alert(MARCAS, title=MARCAS),
            ui.badge(MARCAS),
            ui.metric(MARCAS, MARCAS),
            ui.card(ui.text("cartão"), title=MARCAS, subtitle=MARCAS),
            ui.tabs(ui.tab(MARCAS, MARCAS)),
            ui.table([{"__proto__": MARCAS, "constructor": MARCAS, "a": MARCAS}], title=MARCAS),
            ui.chart([{"__proto__": 1, "x": MARCAS, "y": 2}], x="x", y="y", title=MARCAS, alt=MARCAS),
            ui.text_field("nome", label=MARCAS, value=MARCAS, placeholder=MARCAS, help=MARCAS),
            ui.select_field("hasOwnProperty", [MARCAS, "b"], label=MARCAS),
            ui.progress(0.5, label=MARCAS),
            ui.row(ui.button("Crescer", on_press=self.crescer), ui.button("Pedir", on_press=self.pedir)),
        )
