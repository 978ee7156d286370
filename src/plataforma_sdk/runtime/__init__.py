"""The host: loads modules, keeps them running, and gives them what they may have."""

from plataforma_sdk.runtime._audit import AuditLog
from plataforma_sdk.runtime._console_prompt import ConsolePrompt
from plataforma_sdk.runtime._decisions import DecisionKey, DecisionStore
from plataforma_sdk.runtime._handle import ModuleHandle
from plataforma_sdk.runtime._host import ModuleHost
from plataforma_sdk.runtime._leaks import Leak
from plataforma_sdk.runtime._loader import LoadTarget, PackageSource, package_of_class
from plataforma_sdk.runtime._observers import CallObserver, CallOutcome
from plataforma_sdk.runtime._sentences import sentence_of
from plataforma_sdk.runtime._snapshot import Snapshot
from plataforma_sdk.runtime._stats import HostStats, ModuleStats

__all__ = [
    "AuditLog",
    "CallObserver",
    "CallOutcome",
    "ConsolePrompt",
    "DecisionKey",
    "DecisionStore",
    "HostStats",
    "Leak",
    "LoadTarget",
    "ModuleHandle",
    "ModuleHost",
    "ModuleStats",
    "PackageSource",
    "Snapshot",
    "package_of_class",
    "sentence_of",
]
