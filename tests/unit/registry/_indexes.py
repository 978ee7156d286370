"""Registries of a few words: ``{"vendas": {"1.0.0": {"clientes": "^1"}}}``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.registry import BlobRef, ModuleIndex, Release, Resolution, Resolver, digest_of

Graph = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Module id -> version -> what it depends on: module id -> range."""


def release(module_id: str, version: str, dependencies: Mapping[str, str] | None = None, **fields: Any) -> Release:
    """Make a release whose digests are those of its name."""
    digest = digest_of(f"{module_id} {version}".encode())
    return Release(
        id=module_id,
        version=version,
        digest=digest,
        archive=BlobRef(digest, 1),
        dependencies=dependencies or {},
        **fields,
    )


def index(*releases: Release, revision: int | None = None) -> ModuleIndex:
    """Make the index of one module."""
    return ModuleIndex(id=releases[0].id, revision=revision or len(releases), releases=releases)


class FakeSource:
    """Indexes in memory, and which of them were asked for."""

    def __init__(self, *indexes: ModuleIndex, url: str = "https://registry.example") -> None:
        self.url = url
        self.indexes = {item.id: item for item in indexes}
        self.asked: list[str] = []

    async def versions(self, module_id: str) -> ModuleIndex:
        self.asked.append(module_id)
        return self.indexes.get(module_id) or ModuleIndex(id=module_id)


def source_of(graph: Graph) -> FakeSource:
    """Make a registry of a graph."""
    return FakeSource(
        *(
            index(*(release(module_id, version, needs) for version, needs in versions.items()))
            for module_id, versions in graph.items()
            if versions
        )
    )


def resolve(source: FakeSource, requirements: Mapping[str, str], **options: Any) -> Resolution:
    """Resolve, version 0.1.0 of the library."""
    given = {name: options.pop(name) for name in ("lock", "update") if name in options}
    return asyncio.run(Resolver(source, **{"sdk": "0.1.0", **options}).resolve(requirements, **given))


def chosen(graph: Graph, **requirements: str) -> dict[str, str]:
    """Resolve over a graph, and return the versions."""
    return versions(resolve(source_of(graph), requirements))


def versions(resolution: Resolution) -> dict[str, str]:
    """Return module id -> version."""
    return {module_id: item.version for module_id, item in resolution.releases.items()}


def refused(source: FakeSource, requirements: Mapping[str, str], **options: Any) -> PlataformaError:
    """Resolve, and return the error that came of it."""
    try:
        found = resolve(source, requirements, **options)
    except PlataformaError as error:
        return error
    raise AssertionError(versions(found))
