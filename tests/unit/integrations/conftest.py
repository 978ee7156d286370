"""A module that asks the application, whatever the framework."""

from __future__ import annotations

import pytest

from plataforma_sdk.package import ModulePackage

SOURCE = """
from plataforma_sdk import ModuleFramework, ui

class Vendas(ModuleFramework):
    async def on_load(self):
        self.count = 0
    def render(self):
        return ui.text("vendas")
    def add(self):
        self.count += 1
        return self.count
    async def who(self):
        return await self.api_call("/who")
    async def forbidden(self):
        return await self.api_call("/secret")
    def fail(self):
        raise ValueError("the customer's secret")
"""


@pytest.fixture
def vendas() -> ModulePackage:
    return ModulePackage.from_source(SOURCE, id="vendas", permissions=["api.who[GET]"])
