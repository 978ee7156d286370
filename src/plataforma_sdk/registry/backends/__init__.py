"""Where releases lie; each class is a `RegistryBackend`."""

from plataforma_sdk.registry.backends._memory import MemoryBackend

__all__ = ["MemoryBackend"]
