"""Where releases lie; each class is a `RegistryBackend`."""

from plataforma_sdk.registry.backends._directory import DirectoryBackend
from plataforma_sdk.registry.backends._http import HttpBackend
from plataforma_sdk.registry.backends._memory import MemoryBackend
from plataforma_sdk.registry.backends._oci import OciBackend
from plataforma_sdk.registry.backends._web import WebOptions

__all__ = ["DirectoryBackend", "HttpBackend", "MemoryBackend", "OciBackend", "WebOptions"]
