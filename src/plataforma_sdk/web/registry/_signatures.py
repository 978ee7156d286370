"""What a service makes sure of before it lists a release that says it is signed: that it is, and by whom it may be.

Clients verify again and believe none of this. It keeps out what all of them would refuse, and a publisher is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry import Release, read_verified
from plataforma_sdk.registry.rules import namespace_of
from plataforma_sdk.registry.trust import ATTESTATION, ROTATIONS, Rotation, read_attestation, read_rotations
from plataforma_sdk.registry.trust._envelope import MAX_ENVELOPE_BYTES
from plataforma_sdk.registry.trust._keys import is_installed
from plataforma_sdk.registry.trust._rotation import MAX_ROTATIONS_BYTES, leads
from plataforma_sdk.web.registry._answers import Refusal, refused_as
from plataforma_sdk.web.registry._blob_store import BlobStore

__all__ = ["check_signatures"]

_NOT_IMPLEMENTED: Final = 501


async def check_signatures(blobs: BlobStore, release: Release, *, owner: str | None) -> None:
    """Verify the attestation of a release and its rotations, if it has any; its blobs are stored.

    Args:
        blobs: where these are.
        release: what is to be listed.
        owner: of its namespace, or the key that claims it; None where nobody does.

    Raises:
        Refusal: they do not verify, are about something else, or are of a key that does not have the namespace; or
            nothing can be verified here.
    """
    if release.publisher is None and not release.attachments.keys() & {ATTESTATION, ROTATIONS}:
        return
    who = f"{release.id} {release.version}"
    if not is_installed():  # not listed as unverified: who reads it could not tell that from verified
        raise Refusal(
            _NOT_IMPLEMENTED,
            f"{who} is signed, and this service cannot verify that, so it does not list it: whoever runs it has to "
            'install "plataforma-sdk[trust]"',
        )
    envelope = await _read(blobs, release, ATTESTATION, MAX_ENVELOPE_BYTES)
    rotations = await _read(blobs, release, ROTATIONS, MAX_ROTATIONS_BYTES)
    if envelope is None:
        raise Refusal(400, f"{who} names a publisher and has no attestation: sign it", code="IntegrityError")
    refused_as(400, lambda: read_attestation(release, envelope))
    chain = refused_as(400, lambda: _chain(release, rotations))
    if owner not in (None, release.publisher) and not leads(chain, owner, after=0):
        raise Refusal(
            403,
            f"{who} is signed by {release.publisher}, and the namespace {namespace_of(release.id)!r} is of the key "
            f"{owner}: sign it with that key, or publish the rotations by which it passed the name on",
            code="IntegrityError",
        )


async def _read(blobs: BlobStore, release: Release, name: str, max_bytes: int) -> bytes | None:
    blob = release.attachments.get(name)
    if blob is None:
        return None
    what = f"the {name} of {release.id} {release.version}"
    if blob.size > max_bytes:
        message = f"{what} has {blob.size:,} bytes; at most {max_bytes:,} are read"
        raise Refusal(400, message, code="IntegrityError")
    return await read_verified(blobs.read(blob.digest, 0, blob.size), blob, what=what)


def _chain(release: Release, rotations: bytes | None) -> Sequence[Rotation]:
    """Return the rotations of a release, which lead to who signed it."""
    if rotations is None:
        return ()
    chain = read_rotations(rotations, namespace=namespace_of(release.id))
    if not chain or chain[-1].new != release.publisher:
        whom = chain[-1].new if chain else "nobody"
        raise IntegrityError(
            f"{release.id} {release.version} is signed by {release.publisher}, and its rotations lead to {whom}"
        )
    return chain
