"""Writes rows as a Markdown table, by a package that the module carries along."""

from typing import Any

from tabulate import tabulate

from plataforma_sdk import ModuleFramework, ui


class Relatorio(ModuleFramework):
    """A report."""

    async def on_load(self) -> None:
        """Begin without rows."""
        self.texto = ""

    def escrever(self, linhas: list[dict[str, Any]]) -> str:
        """Write rows, all with the same keys, and return the table."""
        self.texto = tabulate(linhas, headers="keys", tablefmt="github")
        return self.texto

    def render(self) -> ui.Element:
        """Show what was written last."""
        return ui.text(self.texto)
