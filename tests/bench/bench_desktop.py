"""What the desktop sends when a little of a large window changes, and how soon.

The window has a table of 5,000 rows, or 5,000 elements. ``patch`` is what crosses for one change, ``whole`` what would
without patches. ``event -> out`` is from `host.events.emit` on the host to the frame handed to the server, through a
module in the tier that is named; the frame of 16 ms, for which renders are gathered, is in it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from plataforma_sdk import ModuleHost, ModulePackage, codec
from plataforma_sdk.sandbox import TIERS
from plataforma_sdk.web.desktop import desktop_app
from plataforma_sdk.web.desktop._patches import diff
from tests.unit.web.desktop.browsing import Browser
from tests.unit.web.desktop.desk import INDEX

COUNT: Final = 5_000
ROUNDS: Final = 20
PERMISSIONS: Final = ("window.create", "events.subscribe[data.changed]")
SOURCE: Final = """
from plataforma_sdk import ModuleFramework, ui

class Large(ModuleFramework):
    async def on_load(self):
        self.rows = [{"id": n, "name": "row " + str(n), "total": n} for n in range(1000)]
        self.create_window(title="Large")
        self.subscribe("data.changed", self.on_changed)

    def on_changed(self, event):
        self.rows[500] = {"id": 500, "name": "changed", "total": event.data}

    def render(self):
        return ui.column(ui.table(self.rows, key="rows"))
"""


def table_tree(changed: int) -> dict[str, Any]:
    """Return a table whose row 2,500 holds a number."""
    rows = [{"id": n, "name": f"customer {n}", "total": n * 10, "city": "Recife"} for n in range(COUNT)]
    rows[COUNT // 2]["total"] = changed
    return {"type": "table", "key": "0", "props": {"rows": rows}, "children": []}


def element_tree(changed: int) -> dict[str, Any]:
    """Return a column of texts, of which one holds a number."""
    texts = [
        {"type": "text", "key": f"0.{n}", "props": {"value": f"line {n}", "size": "small"}, "children": []}
        for n in range(COUNT - 1)
    ]
    texts[COUNT // 2]["props"]["value"] = f"{changed}"
    return {"type": "column", "key": "0", "props": {}, "children": texts}


def patches(name: str, make: Any) -> None:
    """Print what one change costs."""
    took, whole_took = [], []
    operations: list[Any] = []
    for number in range(ROUNDS):
        before, after = make(-number), make(-number - 1)
        began = time.perf_counter()
        operations = diff(before, after) or []
        patch = codec.encode(operations)
        took.append((time.perf_counter() - began) * 1_000)
        began = time.perf_counter()
        whole = codec.encode(after)
        whole_took.append((time.perf_counter() - began) * 1_000)
    ratio = len(whole) / len(patch)
    shown = f"{len(patch):>8} B {statistics.median(took):>8.1f} ms {len(whole):>10} B"
    print(f"{name:<16}{shown} {statistics.median(whole_took):>8.1f} ms {ratio:>10.0f}x")


async def latency(tier: str, static: Path) -> tuple[float, float]:
    """Return the median and the worst from an event on the host to the frame, in ms."""
    package = ModulePackage.from_source(SOURCE, id="large", permissions=PERMISSIONS)
    took = []
    async with ModuleHost(engine=tier, grants=PERMISSIONS) as host:
        await host.load(package)
        app = desktop_app(host, static=static)
        async with app.state.desktop as desktop:
            browser = await Browser(app).enter(desktop.address("http://127.0.0.1:8000"))
            page = await browser.join()
            await page.take("window")
            for number in range(ROUNDS):
                await asyncio.sleep(0.03)
                began = time.perf_counter()
                host.events.emit("data.changed", -number)
                await page.take("patch")
                took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took), max(took)


def main() -> None:
    """Print both tables."""
    print("one change of        patch                  whole")
    patches("5,000 rows", table_tree)
    patches("5,000 elements", element_tree)
    print("\nevent -> out     median      worst   (1,000 rows)")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text(INDEX)
        for tier in TIERS:
            median, worst = asyncio.run(latency(tier, Path(folder)))
            print(f"{tier:<13}{median:>7.1f} ms {worst:>7.1f} ms", flush=True)


if __name__ == "__main__":
    main()
