"""A module with a bit of everything, over a host in memory."""

from __future__ import annotations

import pytest

from plataforma_sdk import ui
from plataforma_sdk.module import ModuleContext, ModuleFramework

ALL = (
    "api.vendas[GET]",
    "database.read",
    "database.write",
    "events.emit",
    "events.subscribe",
    "system.clipboard",
    "system.notifications",
    "system.storage",
    "window.create",
)


class Vendas(ModuleFramework):
    """Records what reaches it."""

    limit = 10

    def __init__(self, context):
        self.seen = []

    async def on_load(self):
        self.seen.append("load")

    def render(self):
        return ui.text("vendas")

    async def on_reload(self, old_state):
        self.seen = old_state["seen"]

    async def on_upgrade(self, from_version):
        self.seen.append(from_version)

    def add(self, a, b=2):
        return a + b

    async def later(self):
        return "later"

    @staticmethod
    def static():
        return "static"

    def _private(self):
        return "private"

    def on_event(self, event):
        self.seen.append(event.topic)
        return "reply"

    def on_press(self, *arguments, value=None):
        self.seen.append([*arguments, value])


@pytest.fixture
def context():
    """A context whose host grants what the tests use."""
    return ModuleContext.fake(permissions=ALL, id="vendas")


@pytest.fixture
def vendas(context):
    """The module, made but not loaded."""
    return Vendas(context)
