"""The host: loads modules, keeps them running, and gives them what they may have."""

from plataforma_sdk.runtime._handle import ModuleHandle
from plataforma_sdk.runtime._host import ModuleHost
from plataforma_sdk.runtime._loader import LoadTarget, PackageSource

__all__ = ["LoadTarget", "ModuleHandle", "ModuleHost", "PackageSource"]
