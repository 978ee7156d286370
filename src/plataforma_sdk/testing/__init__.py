"""Everything to test a module with: a real host, a pilot for its windows, and fakes that refuse what nobody expected.

Needs no test framework. With pytest the same things are fixtures; see `plataforma_sdk.testing.plugin`.

>>> import asyncio
>>> from plataforma_sdk import ModuleFramework, ui
>>> from plataforma_sdk.testing import ModuleTestEnvironment
>>> class Counter(ModuleFramework):
...     async def on_load(self):
...         self.count = 0
...         self.create_window(title="Counter")
...     def render(self):
...         return ui.column(ui.text(str(self.count)), ui.button("More", on_press=self.more))
...     def more(self):
...         self.count += 1
...     permissions = ["window.create"]
>>> async def main():
...     async with ModuleTestEnvironment(Counter) as environment:
...         pilot = environment.pilot
...         await pilot.press("More")
...         return pilot.find("text").text
>>> asyncio.run(main())
'1'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plataforma_sdk.testing._api import FakeApi, UnexpectedCallError
    from plataforma_sdk.testing._compare import explain_difference, snapshot_of
    from plataforma_sdk.testing._database import FakeDatabase
    from plataforma_sdk.testing._environment import ModuleTestEnvironment
    from plataforma_sdk.testing._node import Node, NodeNotFoundError
    from plataforma_sdk.testing._permissions import MockPermissionManager, PermissionCheck
    from plataforma_sdk.testing._pilot import ModulePilot
    from plataforma_sdk.testing._recorder import EventRecorder
    from plataforma_sdk.testing._registry import MemoryRegistry
    from plataforma_sdk.types import FakeClock

_PLACES: Final = {
    "EventRecorder": "testing._recorder",
    "FakeApi": "testing._api",
    "FakeClock": "types",
    "FakeDatabase": "testing._database",
    "MemoryRegistry": "testing._registry",
    "MockPermissionManager": "testing._permissions",
    "ModulePilot": "testing._pilot",
    "ModuleTestEnvironment": "testing._environment",
    "Node": "testing._node",
    "NodeNotFoundError": "testing._node",
    "PermissionCheck": "testing._permissions",
    "UnexpectedCallError": "testing._api",
    "explain_difference": "testing._compare",
    "snapshot_of": "testing._compare",
}
"""Imported when first used: pytest imports this package in every run wherever the library is installed."""

__all__ = [
    "EventRecorder",
    "FakeApi",
    "FakeClock",
    "FakeDatabase",
    "MemoryRegistry",
    "MockPermissionManager",
    "ModulePilot",
    "ModuleTestEnvironment",
    "Node",
    "NodeNotFoundError",
    "PermissionCheck",
    "UnexpectedCallError",
    "explain_difference",
    "snapshot_of",
]


def __getattr__(name: str) -> Any:
    """Import the file of a public name and keep what was found."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"plataforma_sdk.{place}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
