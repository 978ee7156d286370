"""Registries: publish, search, resolve, trust and fetch modules, wherever they lie."""

from plataforma_sdk.registry._lock import EVERYTHING, Lock, LockedModule
from plataforma_sdk.registry._module_registry import ModuleRegistry
from plataforma_sdk.registry._parts import Distributor, PackageScanner, ScanVerdict
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchHit, SearchPage
from plataforma_sdk.registry._resolution import Resolution
from plataforma_sdk.registry._resolver import IndexSource, Resolver
from plataforma_sdk.registry._steps import PublishProgress, PublishResult, PublishStep
from plataforma_sdk.registry._verification import Verification
from plataforma_sdk.registry._verify import IndexMemory, check_succession, digest_of, read_verified

__all__ = [
    "EVERYTHING",
    "BackendHealth",
    "BlobRef",
    "Distributor",
    "IndexMemory",
    "IndexSource",
    "Lock",
    "LockedModule",
    "ModuleIndex",
    "ModuleRegistry",
    "PackageScanner",
    "PublishProgress",
    "PublishResult",
    "PublishStep",
    "RegistryBackend",
    "Release",
    "Resolution",
    "Resolver",
    "ScanVerdict",
    "SearchHit",
    "SearchPage",
    "Verification",
    "check_succession",
    "digest_of",
    "read_verified",
]
