"""Releases to publish: small ones, made of a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plataforma_sdk.registry import BlobRef, RegistryBackend, Release, digest_of, read_verified

MARIA = "ed25519:" + "a1" * 32
RUI = "ed25519:" + "b2" * 32


def make_release(
    module_id: str = "vendas",
    version: str = "1.0.0",
    content: bytes | None = None,
    *,
    attachments: Mapping[str, bytes] | None = None,
    **fields: Any,
) -> tuple[Release, dict[str, bytes]]:
    """Make a release and its blobs; the archive's bytes are its id and version, if nothing else is given."""
    archive = f"{module_id} {version}".encode() if content is None else content
    media_type = fields.pop("media_type", None)
    others = attachments or {}
    blobs = {digest_of(data): data for data in (archive, *others.values())}
    release = Release(
        id=module_id,
        version=version,
        digest=digest_of(b"content of " + archive),
        archive=BlobRef(digest_of(archive), len(archive), **({"media_type": media_type} if media_type else {})),
        attachments={
            name: BlobRef(digest_of(data), len(data), f"application/vnd.test.{name}") for name, data in others.items()
        },
        **fields,
    )
    return release, blobs


async def publish(backend: RegistryBackend, *args: Any, owner: str | None = None, **kwargs: Any) -> Release:
    """Make a release and publish it."""
    release, blobs = make_release(*args, **kwargs)
    await backend.publish(release, blobs, owner=owner)
    return release


async def read(backend: RegistryBackend, module_id: str, blob: BlobRef) -> bytes:
    """Fetch a blob as core does."""
    return await read_verified(backend.fetch(module_id, blob), blob, what=module_id)
