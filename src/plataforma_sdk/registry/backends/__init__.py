"""Where releases lie; each class is a `RegistryBackend`."""

from plataforma_sdk.registry.backends._directory import DirectoryBackend
from plataforma_sdk.registry.backends._memory import MemoryBackend

__all__ = ["DirectoryBackend", "MemoryBackend"]
