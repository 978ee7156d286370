"""What the demo shows in a terminal when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from plataforma_sdk.cli._demo import DemoResult
from plataforma_sdk.cli._tree import draw
from plataforma_sdk.ui._text_values import clean

__all__ = ["show_results"]

_MIB: Final = 2**20
_UNMETERED: Final = "not metered"


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
    table.add_column("")
    for result in results:
        table.add_column(result.engine, justify="right")
    for label, read in _MEASURES:
        table.add_row(label, *(Text(clean(read(result))) for result in results))
    return table


_MEASURES: Final[Sequence[tuple[str, Callable[[DemoResult], str]]]] = (
    ("clients", lambda result: f"{result.rows['clientes']:,}"),
    ("products", lambda result: f"{result.rows['produtos']:,}"),
    ("sales", lambda result: f"{result.rows['vendas']:,}"),
    ("revenue", lambda result: result.receita),
    ("events received", lambda result: f"{result.events:,}"),
    ("processor time", lambda result: f"{result.usage.cpu_ms:,.1f} ms"),
    ("fuel", lambda result: f"{result.usage.fuel:,}" if result.usage.fuel else _UNMETERED),
    ("memory", lambda result: _memory(result.usage.memory_bytes)),
    ("host calls", lambda result: f"{result.usage.host_calls:,}"),
)


def _memory(used_bytes: int) -> str:
    """Write an amount of memory; `restricted` counts charged allocations, `wasm` all of the guest."""
    if not used_bytes:
        return _UNMETERED
    return f"{used_bytes / _MIB:,.1f} MiB" if used_bytes >= _MIB else f"{used_bytes / 1024:,.0f} KiB"
