"""Reading a blob from somebody who is not believed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._records import BlobRef

__all__ = ["digest_of", "read_verified"]


def digest_of(data: bytes) -> str:
    """Return ``"sha256:..."`` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


async def read_verified(pieces: AsyncIterator[bytes], blob: BlobRef, *, what: str) -> bytes:
    """Collect a blob, and return it only if every byte is what its digest says; stops at the first byte too many.

    Args:
        pieces: what a backend yields.
        blob: what is expected.
        what: its name for messages, ``"vendas 1.0.0"``.

    Raises:
        IntegrityError: too long, too short, or other bytes.
    """
    digest, data = hashlib.sha256(), bytearray()
    async for piece in pieces:
        data += piece
        if len(data) > blob.size:
            raise IntegrityError(f"{what}: the registry sent more than the {blob.size:,} bytes of {blob.digest}")
        digest.update(piece)
    if len(data) < blob.size:
        raise IntegrityError(f"{what}: the registry sent {len(data):,} of the {blob.size:,} bytes of {blob.digest}")
    if f"sha256:{digest.hexdigest()}" != blob.digest:
        raise IntegrityError(
            f"{what}: the registry sent other bytes than {blob.digest} (sha256:{digest.hexdigest()}); "
            "nothing of it was used: tell whoever runs the registry"
        )
    return bytes(data)
