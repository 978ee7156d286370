"""From what a host names to a package: an id and a range, a path, a package, or a class."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

from plataforma_sdk.errors import ModuleLoadError, PackageNotFoundError
from plataforma_sdk.module import ModuleFramework
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.types import MODULE_ID_PATTERN, is_module_id

if TYPE_CHECKING:
    from plataforma_sdk.sandbox import Engine

__all__ = ["LoadTarget", "PackageSource", "check_tier", "package_of", "package_of_class", "registry_name", "resolve"]

LoadTarget: TypeAlias = "str | os.PathLike[str] | ModulePackage | type[ModuleFramework]"
"""What `ModuleHost.load` takes: ``"id@range"``, a path, a package, or, in `trusted`, a class."""

_ID_RANGE: Final = re.compile(rf"({MODULE_ID_PATTERN.pattern})(?:@(.+))?", re.ASCII)


@runtime_checkable
class PackageSource(Protocol):
    """Where ``host.load("id@range")`` finds packages; a registry is one."""

    async def fetch_package(self, module_id: str, version_range: str) -> ModulePackage:
        """Return the newest package in the range.

        Raises:
            PackageNotFoundError: there is none.
        """


async def package_of(target: LoadTarget, registry: PackageSource | None, engine: Engine) -> ModulePackage:
    """Find what `target` names; a class of the host only for the tier `trusted`.

    Raises:
        ModuleLoadError: it is a class, and the tier another one; or as `resolve`.
    """
    if not (isinstance(target, type) and issubclass(target, ModuleFramework)):
        return await resolve(target, registry)
    if engine.name != "trusted":
        raise ModuleLoadError(
            f"{target.__name__} is a class of the host: load it with engine='trusted', or write it to a package"
        )
    return package_of_class(target)


async def resolve(target: LoadTarget, registry: PackageSource | None) -> ModulePackage:
    """Find the package that `target` names.

    A text is a path only where it holds a separator (and is no ``namespace/name``) or ends in ``.zip`` or ``.wasm``;
    otherwise it is ``id@range``, so that a file that happens to lie in the working directory is never loaded by
    accident. Source: CWE-426, untrusted search path.

    Raises:
        PackageNotFoundError: no such module, or no registry to ask.
        ModuleLoadError: `target` is none of these.
    """
    if isinstance(target, ModulePackage):
        return target
    if isinstance(target, os.PathLike):
        return _from_path(Path(target))
    if not isinstance(target, str):
        raise ModuleLoadError(
            f"A {type(target).__name__} is not loadable: give 'id@range', a path, a ModulePackage or a class"
        )
    named = registry_name(target)
    return _from_path(Path(target)) if named is None else await _from_registry(*named, registry)


def registry_name(target: str) -> tuple[str, str] | None:
    """Return the id and the range that a text names, or None where it is a path."""
    named = _ID_RANGE.fullmatch(target)
    if named and is_module_id(named[1]) and not _is_path(target):
        return named[1], named[2] or "*"
    return None


def _is_path(target: str) -> bool:
    return target.startswith((".", "/", "~")) or (os.sep in target and Path(target).exists())


def _from_path(path: Path) -> ModulePackage:
    path = path.expanduser()
    if not path.exists():
        raise PackageNotFoundError(f"There is no {path}: give a directory with a module.toml, a .zip or a .wasm")
    return ModulePackage.from_path(path)


async def _from_registry(module_id: str, version_range: str, registry: PackageSource | None) -> ModulePackage:
    if registry is None:
        raise PackageNotFoundError(
            f"{module_id}@{version_range} is a name in a registry, and this host has none: "
            "pass ModuleHost(registry=...), or a path with a separator such as './vendas'",
            module=module_id,
        )
    return await registry.fetch_package(module_id, version_range)


def package_of_class(cls: type[ModuleFramework]) -> ModulePackage:
    """Describe a class that the host already holds: ``id``, ``version`` and ``permissions`` are class attributes.

    Attributes that the framework itself defines, such as the property ``id``, do not count; the id then is the class
    name in kebab case: ``VendasModule`` is ``vendas-module``.
    """
    own: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, ModuleFramework) and base is not ModuleFramework:
            own.update(vars(base))
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower().replace("_", "-").strip("-")
    module_id = own["id"] if isinstance(own.get("id"), str) else kebab
    version = own["version"] if isinstance(own.get("version"), str) else "0.1.0"
    declared = own["permissions"] if isinstance(own.get("permissions"), (list, tuple)) else ()
    source = f"# {cls.__module__}.{cls.__qualname__}, a class of the host\n"
    return ModulePackage.from_source(source, id=module_id, version=version, permissions=tuple(declared))


def check_tier(package: ModulePackage, engine: Engine) -> None:
    """Refuse a tier that the manifest excludes, and wheels where none can be imported.

    Raises:
        ModuleLoadError: the manifest excludes the engine's tier, or the package carries wheels into `restricted`.
    """
    if engine.name in package.manifest.excluded_tiers:
        raise ModuleLoadError(
            f"Module {package.id!r} excludes the tier {engine.name!r} in module.toml: choose another engine",
            module=package.id,
        )
    if engine.name == "restricted" and package.manifest.wheels:
        raise ModuleLoadError(
            f"Module {package.id!r} carries wheels, and the tier 'restricted' imports its vetted library only: load it "
            "with engine='wasm'",
            module=package.id,
        )
