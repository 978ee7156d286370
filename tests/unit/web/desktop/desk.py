"""A desktop of one case, and browsers that look at it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.web.desktop import Desktop, WireLimits, desktop_app
from tests.unit.web.desktop.browsing import Browser

INDEX = '<html lang="{lang}"><title>{title}</title><meta name="plataforma-token" content="{token}"></html>'


SOURCE = '''
from plataforma_sdk import ModuleFramework, ui

class Counter(ModuleFramework):
    """Counts presses, and can be told to misbehave."""

    async def on_load(self):
        self.presses = 0
        self.rows = [{"id": number, "name": f"row {number}"} for number in range(50)]
        self.create_window(title="Counter")

    def render(self):
        return ui.column(
            ui.metric("Presses", self.presses, key="presses"),
            ui.button("Press", on_press=ui.action(self.press), key="press"),
            ui.button("Fail", on_press=ui.action(self.fail), key="fail"),
            ui.button("Open", on_press=ui.action(self.open_second), key="open"),
            ui.button("Rename", on_press=ui.action(self.rename), key="rename"),
            ui.button("Tell", on_press=ui.action(self.tell), key="tell"),
            ui.table(self.rows, key="rows"),
        )

    async def press(self):
        self.presses += 1

    async def change_row(self, place, name):
        self.rows[place] = {"id": place, "name": name}

    async def fail(self):
        raise ValueError("not today")

    async def open_second(self):
        self.create_window(id="second", title="Second")

    async def rename(self):
        self.windows["main"].update(title="Renamed", width=500)

    async def tell(self):
        await self.notify("Done", "All of it")
'''

GRANTS = ("window.create", "system.notifications")
COUNTER = ModulePackage.from_source(SOURCE, id="counter", permissions=GRANTS)


@attrs.define(eq=False)
class Case:
    """A host, its desktop, and a way in."""

    host: ModuleHost
    app: Any
    desktop: Desktop

    def address(self) -> str:
        return self.desktop.address("http://127.0.0.1:8000")

    async def browser(self, **options: Any) -> Browser:
        """Return a browser that has the page open."""
        return await Browser(self.app, **options).enter(self.address())


@contextlib.asynccontextmanager
async def open_desk(
    static: Path, *, limits: WireLimits | None = None, load: bool = True, **options: Any
) -> AsyncIterator[Case]:
    """Open a desktop with a counter on it; options are those of `desktop_app`."""
    (static / "js").mkdir(exist_ok=True)
    (static / "index.html").write_text(INDEX)
    (static / "js" / "main.js").write_text("export {};\n")
    async with ModuleHost(engine="trusted", grants=GRANTS) as host:
        if load:
            await host.load(COUNTER)
        app = desktop_app(host, static=static, limits=limits, **options)
        async with app.state.desktop as desktop:
            yield Case(host, app, desktop)


Open = Callable[..., contextlib.AbstractAsyncContextManager[Case]]
