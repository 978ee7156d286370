"""What `ModuleRegistry` is handed: a scanner, and what a plugin distributes with; each is small to fake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from plataforma_sdk.registry._records import Release

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["Distributor", "PackageScanner", "ScanVerdict"]


class ScanVerdict(Protocol):
    """What a scan says; `SecurityScanResult` is one.

    Attributes:
        passed: whether the module may be published.
        risk_level: in a word, for people.
        recommendations: what to change, each with file and line where there is one.
    """

    @property
    def passed(self) -> bool: ...
    @property
    def risk_level(self) -> str: ...
    @property
    def recommendations(self) -> Sequence[str]: ...

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data; it is published beside the module."""
        ...


class PackageScanner(Protocol):
    """Looks at a package without running it in the host; `SecurityService` is one."""

    async def scan(self, package: ModulePackage) -> ScanVerdict:
        """Scan a package."""
        ...


Distributor: TypeAlias = Callable[[Release, bytes], Awaitable["str | None"]]
"""Brings a release and its archive nearer to users; returns the address they download from, or None."""
