"""Run Python modules that you do not have to trust.

The public names, each imported when it is first used: ``import plataforma_sdk`` loads no library, and inside the WASM
guest only the authoring layer exists.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plataforma_sdk import errors, ui
    from plataforma_sdk.api import ApiClient, Transport
    from plataforma_sdk.errors import (
        ApiError,
        ApiStatusError,
        GuestError,
        HostCallError,
        InvalidPermissionError,
        ManifestError,
        ModuleError,
        ModuleLoadError,
        ModuleStateError,
        PermissionDeniedError,
        PlataformaError,
        PolicyError,
        QuotaExceededError,
        RenderError,
        ResourceLimitError,
        SandboxError,
        TransportError,
        TreeLimitError,
    )
    from plataforma_sdk.events import EventBus
    from plataforma_sdk.manifest import Manifest
    from plataforma_sdk.module import ModuleContext, ModuleFramework
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.permissions import PERMISSIONS, PermissionManager, PermissionRequest
    from plataforma_sdk.plugins import hookimpl, hookspec
    from plataforma_sdk.registry import ModuleRegistry, RegistryBackend
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost
    from plataforma_sdk.sandbox import ModuleSandbox, ResourceLimits, ResourceMonitor, ResourceUsage
    from plataforma_sdk.types import Event, Subscription
    from plataforma_sdk.windows import Window, WindowManager

__version__ = "0.1.0"

_PLACES: Final = {
    "api": "ApiClient Transport",
    "errors": (
        "ApiError ApiStatusError GuestError HostCallError InvalidPermissionError ManifestError ModuleError "
        "ModuleLoadError ModuleStateError PermissionDeniedError PlataformaError PolicyError QuotaExceededError "
        "RenderError ResourceLimitError SandboxError TransportError TreeLimitError"
    ),
    "events": "EventBus",
    "manifest": "Manifest",
    "module": "ModuleContext ModuleFramework",
    "package": "ModulePackage",
    "permissions": "PERMISSIONS PermissionManager PermissionRequest",
    "plugins": "hookimpl hookspec",
    "registry": "ModuleRegistry RegistryBackend",
    "runtime": "ModuleHandle ModuleHost",
    "sandbox": "ModuleSandbox ResourceLimits ResourceMonitor ResourceUsage",
    "types": "Event Subscription",
    "windows": "Window WindowManager",
}
_PLACE_OF: Final = {name: place for place, names in _PLACES.items() for name in names.split()}
_ROOMS: Final = frozenset({"errors", "ui"})

__all__ = [
    "PERMISSIONS",
    "ApiClient",
    "ApiError",
    "ApiStatusError",
    "Event",
    "EventBus",
    "GuestError",
    "HostCallError",
    "InvalidPermissionError",
    "Manifest",
    "ManifestError",
    "ModuleContext",
    "ModuleError",
    "ModuleFramework",
    "ModuleHandle",
    "ModuleHost",
    "ModuleLoadError",
    "ModulePackage",
    "ModuleRegistry",
    "ModuleSandbox",
    "ModuleStateError",
    "PermissionDeniedError",
    "PermissionManager",
    "PermissionRequest",
    "PlataformaError",
    "PolicyError",
    "QuotaExceededError",
    "RegistryBackend",
    "RenderError",
    "ResourceLimitError",
    "ResourceLimits",
    "ResourceMonitor",
    "ResourceUsage",
    "SandboxError",
    "Subscription",
    "Transport",
    "TransportError",
    "TreeLimitError",
    "Window",
    "WindowManager",
    "__version__",
    "errors",
    "hookimpl",
    "hookspec",
    "ui",
]


def __getattr__(name: str) -> Any:
    """Import the room of a public name and keep what was found, so that this runs once for each name."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    place = _PLACE_OF.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{place}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
