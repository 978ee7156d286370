"""Registries: publish, search, resolve, trust and fetch modules, wherever they lie."""

from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchHit, SearchPage
from plataforma_sdk.registry._verify import IndexMemory, check_succession, digest_of, read_verified

__all__ = [
    "BackendHealth",
    "BlobRef",
    "IndexMemory",
    "ModuleIndex",
    "RegistryBackend",
    "Release",
    "SearchHit",
    "SearchPage",
    "check_succession",
    "digest_of",
    "read_verified",
]
