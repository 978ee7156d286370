"""A registry in memory: what ``host.load("id@range")`` finds in a test."""

from __future__ import annotations

from plataforma_sdk.errors import PackageNotFoundError
from plataforma_sdk.manifest import Version, VersionRange
from plataforma_sdk.package import ModulePackage

__all__ = ["MemoryRegistry"]


class MemoryRegistry:
    """Holds packages by id and version.

    >>> registry = MemoryRegistry(ModulePackage.from_source("", id="hello", version="1.2.0"))
    >>> registry.versions("hello")
    ['1.2.0']
    """

    def __init__(self, *packages: ModulePackage) -> None:
        self._packages: dict[str, dict[str, ModulePackage]] = {}
        for package in packages:
            self.add(package)

    def add(self, package: ModulePackage) -> None:
        """Publish a package; one of the same id and version is replaced."""
        self._packages.setdefault(package.id, {})[package.version] = package

    def versions(self, module_id: str) -> list[str]:
        """Return the versions of a module, oldest first."""
        return sorted(self._packages.get(module_id, {}), key=Version.parse)

    async def fetch_package(self, module_id: str, version_range: str) -> ModulePackage:
        """Return the newest package in the range.

        Raises:
            PackageNotFoundError: there is none.
        """
        wanted = VersionRange.parse(version_range)
        for version in reversed(self.versions(module_id)):
            if wanted.matches(version):
                return self._packages[module_id][version]
        known = ", ".join(self.versions(module_id)) or "no version"
        raise PackageNotFoundError(f"{module_id}@{version_range} is not in the registry; it has {known}")
