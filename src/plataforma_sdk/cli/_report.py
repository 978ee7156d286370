"""What the demo shows in a terminal when it is done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from plataforma_sdk.cli._demo import DemoResult
from plataforma_sdk.cli._tree import draw
from plataforma_sdk.ui._text_values import clean

__all__ = ["show_results"]

_MIB = 2**20


def show_results(results: Sequence[DemoResult], console: Console) -> None:
    """Draw the window once, since all tiers give the same, and a line of meters for each tier."""
    if not results:
        return
    first = results[0]
    console.print(Panel(draw(first.tree), title=f"{clean(first.module)} {clean(first.version)}", border_style="blue"))
    console.print(_usage_table(results))
    refused = ", ".join(clean(name) for name in first.denied) or "nothing"
    console.print(f"Tried without declaring it, refused, and went on: {refused}.")
    if len(results) > 1:
        same = all(result.tree == first.tree for result in results)
        console.print(f"The window is {'the same' if same else '[red]not the same[/]'} in all {len(results)} tiers.")


def _usage_table(results: Sequence[DemoResult]) -> Table:
    table = Table(title="What each tier read and used")
    for name in ("tier", "clients", "products", "sales", "revenue", "events", "cpu ms", "fuel", "memory", "host calls"):
        table.add_column(name, justify="left" if name == "tier" else "right")
    for result in results:
        usage = result.usage
        table.add_row(
            result.engine,
            *(f"{result.rows[name]:,}" for name in ("clientes", "produtos", "vendas")),
            clean(result.receita),
            f"{result.events:,}",
            f"{usage.cpu_ms:,.1f}",
            f"{usage.fuel:,}" if usage.fuel else "not metered",
            f"{usage.memory_bytes / _MIB:,.1f} MiB" if usage.memory_bytes else "not metered",
            f"{usage.host_calls:,}",
        )
    return table
