"""Fakes of what `ModuleRegistry` is handed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import attrs

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import BlobRef, ModuleIndex, ModuleRegistry, Release
from plataforma_sdk.registry.backends import MemoryBackend


@attrs.frozen
class Report:
    """A scan that says what it is told to."""

    passed: bool = True
    risk_level: str = "none"
    recommendations: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        return {"by": "a fake"}


@attrs.define
class FakeScanner:
    """Answers with one report."""

    report: Report = Report()
    seen: list[str] = attrs.field(factory=list)

    async def scan(self, package: Any) -> Report:
        self.seen.append(package.id)
        return self.report


def open_registry(backend: Any, **settings: Any) -> ModuleRegistry:
    """Open a registry whose scans cost nothing, unless another scanner is given."""
    return ModuleRegistry(backend, **{"security": FakeScanner(), **settings})


class RemoteBackend(MemoryBackend):
    """A registry elsewhere, that can be cut off and can lie."""

    is_local = False

    def __init__(self, url: str = "https://registry.example") -> None:
        super().__init__(url)
        self.is_cut = False
        self.served: bytes | None = None
        self.reads: list[str] = []
        self.published = 0

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        self._check()
        self.published += 1
        return await super().publish(release, blobs, owner=owner)

    async def versions(self, module_id: str) -> ModuleIndex:
        self._check()
        return await super().versions(module_id)

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        self._check()
        self.reads.append(blob.digest)
        async for piece in super().fetch(module_id, blob):
            yield piece if self.served is None else self.served

    def forget(self, module_id: str) -> None:
        """Go back to before the last release."""
        index = self._indexes[module_id]
        self._indexes[module_id] = attrs.evolve(index, releases=index.releases[:-1], revision=index.revision - 1)

    def _check(self) -> None:
        if self.is_cut:
            raise RegistryError(f"{self.url} cannot be reached")
