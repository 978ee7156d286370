"""Where releases lie; each class is a `RegistryBackend`."""

from plataforma_sdk.registry.backends._directory import DirectoryBackend
from plataforma_sdk.registry.backends._http import HttpBackend
from plataforma_sdk.registry.backends._memory import MemoryBackend
from plataforma_sdk.registry.backends._objects import ObjectBackend
from plataforma_sdk.registry.backends._oci import OciBackend
from plataforma_sdk.registry.backends._open import open_backend
from plataforma_sdk.registry.backends._web import WebOptions

__all__ = [
    "DirectoryBackend",
    "HttpBackend",
    "MemoryBackend",
    "ObjectBackend",
    "OciBackend",
    "WebOptions",
    "open_backend",
]
