"""The authoring layer: what a module's author subclasses, and what runs around it on the module's side.

Standard library and attrs only: the very same files run inside the WASM guest.
"""

from plataforma_sdk.module._context import Bridge, FakeContext, ModuleContext
from plataforma_sdk.module._fake import FakeBridge
from plataforma_sdk.module._framework import FRAMEWORK_NAMES, ModuleFramework
from plataforma_sdk.module._operations import OPERATIONS, RENDER_SAFE, Need, Operation, own_topic
from plataforma_sdk.module._runtime import ModuleRuntime, find_entry
from plataforma_sdk.module._values import ModuleClipboard, ModulePermissions, ModuleStorage, ModuleWindow

__all__ = [
    "FRAMEWORK_NAMES",
    "OPERATIONS",
    "RENDER_SAFE",
    "Bridge",
    "FakeBridge",
    "FakeContext",
    "ModuleClipboard",
    "ModuleContext",
    "ModuleFramework",
    "ModulePermissions",
    "ModuleRuntime",
    "ModuleStorage",
    "ModuleWindow",
    "Need",
    "Operation",
    "find_entry",
    "own_topic",
]
