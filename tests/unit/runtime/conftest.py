"""A module to load, in a few lines each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from plataforma_sdk.package import ModulePackage

HEAD = "from plataforma_sdk import ModuleFramework, ui\n"

COUNTER = (
    HEAD
    + """
class Counter(ModuleFramework):
    async def on_load(self):
        self.count = 0
    def render(self):
        return ui.column(ui.text(str(self.count)), ui.button("+", on_press=ui.action(self.add, 1), key="plus"))
    def add(self, n):
        self.count += n
        return self.count
    def fail(self):
        return 1 // 0
"""
)


@pytest.fixture
def counter() -> Callable[..., ModulePackage]:
    """Make the counter's package; keyword arguments go to `ModulePackage.from_source`."""

    def make(
        source: str = COUNTER,
        *,
        id: str = "counter",  # noqa: A002
        version: str = "1.0.0",
        permissions: Iterable[str] = (),
    ) -> ModulePackage:
        return ModulePackage.from_source(source, id=id, version=version, permissions=permissions)

    return make
