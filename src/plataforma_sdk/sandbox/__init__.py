"""Engines that run a module, and the one choke point between a module and its host.

`trusted`, `restricted` and `wasm` each implement the `Engine` protocol and pass the same conformance suite.
"""

from plataforma_sdk.sandbox._deadline import CallDeadline, waiting_for_a_person
from plataforma_sdk.sandbox._engines import ISOLATIONS, TIERS, make_engine
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox._monitor import ResourceMonitor, ResourceUsage
from plataforma_sdk.sandbox._protocols import (
    Engine,
    EngineContext,
    HostBridge,
    Instance,
    LeftRunning,
    Lingering,
    Parkable,
)
from plataforma_sdk.sandbox._proxy import ApiProxy, Services
from plataforma_sdk.sandbox._registrations import REGISTERING, Registrations
from plataforma_sdk.sandbox._sandbox import ModuleSandbox
from plataforma_sdk.sandbox._supervisor import Supervisor

__all__ = [
    "ISOLATIONS",
    "REGISTERING",
    "TIERS",
    "ApiProxy",
    "CallDeadline",
    "Engine",
    "EngineContext",
    "HostBridge",
    "Instance",
    "LeftRunning",
    "Lingering",
    "ModuleSandbox",
    "Parkable",
    "Registrations",
    "ResourceLimits",
    "ResourceMonitor",
    "ResourceUsage",
    "Services",
    "Supervisor",
    "make_engine",
    "waiting_for_a_person",
]
