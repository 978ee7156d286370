"""Reading from somebody who is not believed: blobs by their digest, indexes by the last one that was seen."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import attrs
from cachetools import LRUCache

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._records import BlobRef, ModuleIndex, check_id

__all__ = ["IndexMemory", "check_succession", "digest_of", "read_verified"]

_MAX_REMEMBERED: Final = 4_096


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
    try:
        async for piece in pieces:
            data += piece
            if len(data) > blob.size:
                raise IntegrityError(f"{what}: the registry sent more than the {blob.size:,} bytes of {blob.digest}")
            digest.update(piece)
    finally:
        if isinstance(pieces, AsyncGenerator):  # a download that is not read to its end lets go of its connection
            await pieces.aclose()
    if len(data) < blob.size:
        raise IntegrityError(f"{what}: the registry sent {len(data):,} of the {blob.size:,} bytes of {blob.digest}")
    if f"sha256:{digest.hexdigest()}" != blob.digest:
        raise IntegrityError(
            f"{what}: the registry sent other bytes than {blob.digest} (sha256:{digest.hexdigest()}); "
            "nothing of it was used: tell whoever runs the registry"
        )
    return bytes(data)


def check_succession(seen: ModuleIndex, now: ModuleIndex) -> None:
    """Make sure that an index follows one seen before: nothing goes back, and no release changes but by a yank.

    The owner is not compared: whom a module may pass to is for the trust policy to say.

    Raises:
        IntegrityError: the index is older, or was rewritten.
    """
    if now is seen:
        return
    if now.revision < seen.revision:
        raise IntegrityError(
            f"{now.id}: the registry answered revision {now.revision} after {seen.revision}: this is an old index, "
            "replayed or restored; tell whoever runs the registry"
        )
    if now.revision == seen.revision and now.releases != seen.releases:
        raise IntegrityError(f"{now.id}: the registry has two indexes of revision {now.revision}; one is forged")
    present = {release.version: release for release in now.releases}
    for release in seen.releases:
        known = present.get(release.version)
        if known is None or attrs.evolve(known, yanked=release.yanked) != release:
            raise IntegrityError(
                f"{now.id} {release.version}: the registry {'changed' if known else 'lost'} a published release; "
                "versions are immutable: tell whoever runs the registry"
            )


class IndexMemory:
    """The last index that was seen of each module: what a backend answers must follow it.

    Holds the modules used last, 4,096 of them, for as long as the backend lives; what must outlive the process is
    pinned by the trust policy.
    """

    def __init__(self) -> None:
        self._seen: LRUCache[str, ModuleIndex] = LRUCache(_MAX_REMEMBERED)

    def last(self, module_id: str) -> ModuleIndex:
        """Return the last index seen, or an empty one; ask before the request, for answers may overtake each other.

        Raises:
            IntegrityError: this is no module id.
        """
        return self._seen.get(module_id) or ModuleIndex(id=check_id(module_id))

    def accept(self, index: ModuleIndex, after: ModuleIndex) -> ModuleIndex:
        """Return an index that follows what `last` gave before the request, and remember it.

        Raises:
            IntegrityError: it does not follow, see `check_succession`, or is of another module.
        """
        if index.id != after.id:
            raise IntegrityError(f"the registry answered the index of {index.id!r} for {after.id!r}")
        check_succession(after, index)
        if index.revision >= self.last(index.id).revision:
            self._seen[index.id] = index
        return index
