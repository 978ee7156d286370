"""Contract 3 of the architecture: what a registry backend does, and nothing more.

A backend stores and lists; it is not believed. Core checks every byte against its digest, every release against its
signature, and every index against the last one that was seen, whatever the backend says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol, runtime_checkable

from plataforma_sdk.registry._records import BackendHealth, BlobRef, ModuleIndex, Release, SearchPage

__all__ = ["RegistryBackend"]


@runtime_checkable
class RegistryBackend(Protocol):
    """Where releases lie. Used from one event loop; safe for many tasks, and for many processes where it is shared.

    Attributes:
        url: what it was opened by, without credentials; identifies the registry in locks and pins.
        is_local: whether only this machine's user writes to it: decides the default of the trust policy.
    """

    url: str
    is_local: bool

    async def publish(self, release: Release, blobs: Mapping[str, bytes], *, owner: str | None = None) -> ModuleIndex:
        """Store the blobs, then list the release: compare-and-set, all or nothing, safe to repeat.

        Args:
            release: what is published.
            blobs: digest -> bytes: the archive and the attachments.
            owner: fingerprint of the publisher's key: claims the module's namespace, or must be its owner.

        Returns:
            the module's index, the release in it; unchanged where the very same release was there already.

        Raises:
            VersionConflictError: this version exists with other content.
            IntegrityError: the namespace belongs to another key.
            RegistryError: the backend cannot be reached or written.
        """
        ...

    def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """Yield a blob in pieces, as they arrive; the caller verifies.

        Raises:
            PackageNotFoundError: there is no such blob.
            RegistryError: as `publish`.
        """
        ...

    async def versions(self, module_id: str) -> ModuleIndex:
        """Return a module's index; an empty one, revision 0, for a module that was never published.

        Raises:
            IntegrityError: what is stored is damaged.
            RegistryError: as `publish`.
        """
        ...

    async def search(self, query: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
        """Find modules by words of their id, name and description; accents and case do not count.

        An empty query lists all modules by id. Yanked releases are not found.
        """
        ...

    async def yank(self, module_id: str, version: str, reason: str | None) -> ModuleIndex:
        """Mark a version as not to be chosen anew, or with None take that back; nothing is ever deleted.

        Raises:
            PackageNotFoundError: there is no such version.
        """
        ...

    async def health(self) -> BackendHealth:
        """Tell whether the backend can be used; does not raise."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and files; a second call does nothing."""
        ...
