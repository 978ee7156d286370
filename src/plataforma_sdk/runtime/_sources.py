"""What a host's ``registry=`` may be, and where a module came from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from plataforma_sdk.runtime._loader import LoadTarget, PackageSource, registry_name

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.registry import ModuleRegistry, RegistryBackend

__all__ = ["open_source", "source_of"]


def open_source(
    given: PackageSource | RegistryBackend | str | os.PathLike[str] | None,
    plugins: Iterable[object],
    state_dir: Path | None,
) -> tuple[PackageSource | None, ModuleRegistry | None]:
    """Return where packages come from, and the registry that was made for it here, which the host closes.

    Raises:
        RegistryError: the address is none, nobody opens it, or an extra is missing.
    """
    if given is None or isinstance(given, PackageSource):
        return given, None
    from plataforma_sdk.registry import ModuleRegistry

    made = ModuleRegistry(given, plugins=plugins, state_dir=state_dir)
    return made, made


def source_of(target: LoadTarget, package: ModulePackage, registry: PackageSource | None) -> str:
    """Where a module came from: what was decided about it does not hold for one of the same id from elsewhere."""
    if isinstance(target, os.PathLike):
        return f"path:{Path(target).resolve()}"
    if not isinstance(target, str):
        return "memory"
    if registry_name(target) is None:
        return f"path:{Path(target).expanduser().resolve()}"
    named = getattr(registry, "source_of", None)  # a plain `PackageSource` need not know
    return str(named(package)) if named is not None else "registry"
