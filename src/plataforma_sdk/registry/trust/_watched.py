"""Indexes of a registry, each compared with what is known of its module."""

from __future__ import annotations

from plataforma_sdk.registry._records import ModuleIndex
from plataforma_sdk.registry._resolver import IndexSource
from plataforma_sdk.registry.trust._trust import Trust

__all__ = ["WatchedSource"]


class WatchedSource:
    """An `IndexSource` for `Resolver`: no module comes from two registries, and no index is older than was seen."""

    def __init__(self, source: IndexSource, trust: Trust) -> None:
        """Take the registry, and what is known."""
        self.url = source.url
        self._source = source
        self._trust = trust

    async def versions(self, module_id: str) -> ModuleIndex:
        """Return an index.

        Raises:
            IntegrityError: see `Trust.check_index`.
        """
        index = await self._source.versions(module_id)
        self._trust.check_index(index, self.url)
        return index
