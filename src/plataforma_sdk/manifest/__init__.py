"""``module.toml``: what a module is, what it asks for, and every fault at once."""

from plataforma_sdk.manifest._model import (
    LIMIT_NAMES,
    ConfigEntry,
    Manifest,
    ManifestEvents,
    ManifestPermissions,
)
from plataforma_sdk.manifest._versions import Version, VersionRange

__all__ = [
    "LIMIT_NAMES",
    "ConfigEntry",
    "Manifest",
    "ManifestEvents",
    "ManifestPermissions",
    "Version",
    "VersionRange",
]
