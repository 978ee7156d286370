"""Registries: publish, search, resolve, trust and fetch modules, wherever they lie."""

from plataforma_sdk.registry._module_registry import ModuleRegistry
from plataforma_sdk.registry._parts import Distributor, Resolver, Scanner, ScanReport, Signer, Verifier
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchHit, SearchPage
from plataforma_sdk.registry._steps import PublishProgress, PublishResult, PublishStep
from plataforma_sdk.registry._verify import IndexMemory, check_succession, digest_of, read_verified

__all__ = [
    "BackendHealth",
    "BlobRef",
    "Distributor",
    "IndexMemory",
    "ModuleIndex",
    "ModuleRegistry",
    "PublishProgress",
    "PublishResult",
    "PublishStep",
    "RegistryBackend",
    "Release",
    "Resolver",
    "ScanReport",
    "Scanner",
    "SearchHit",
    "SearchPage",
    "Signer",
    "Verifier",
    "check_succession",
    "digest_of",
    "read_verified",
]
