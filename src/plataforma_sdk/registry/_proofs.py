"""What releases are signed with, kept by its digest: a module that was verified once loads without its registry too."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final

from plataforma_sdk.registry._packages import keep_file, open_directory
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import BlobRef
from plataforma_sdk.registry._verify import digest_of

__all__ = ["ProofCache"]

_KEPT: Final = 4_000


class ProofCache:
    """A `ProofSource`: a registry, and before it what came from it. Whoever reads caps the size, and checks each byte.

    Attributes:
        url: the registry's address.
    """

    def __init__(self, backend: RegistryBackend, directory: Path | None) -> None:
        self._backend = backend
        self._chosen = directory
        self.url = backend.url

    async def fetch(self, module_id: str, blob: BlobRef) -> AsyncIterator[bytes]:
        """Yield a blob in pieces, and keep it where it was whole.

        Raises:
            PackageNotFoundError, RegistryError: as `RegistryBackend.fetch`, or the cache cannot be used.
        """
        path = open_directory(self._chosen, "proofs") / f"{blob.digest.removeprefix('sha256:')}.proof"
        with contextlib.suppress(OSError):
            kept = path.read_bytes()
            if digest_of(kept) == blob.digest:
                yield kept
                return
        data, pieces = bytearray(), self._backend.fetch(module_id, blob)
        try:
            async for piece in pieces:
                data += piece
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()
        if digest_of(bytes(data)) == blob.digest:
            keep_file(path, data, at_most=_KEPT)
