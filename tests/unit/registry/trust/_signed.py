"""Signed releases, small ones."""

from __future__ import annotations

from typing import Any

import attrs

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import BlobRef, Release, digest_of
from plataforma_sdk.registry.trust import ROTATIONS, SigningKey, attest

PACKAGE = ModulePackage.from_source("from plataforma_sdk import ModuleFramework", id="vendas", version="1.0.0")
MANIFEST = PACKAGE.files["module.toml"]
URL = "https://registry.example"


def unsigned(version: str = "1.0.0", **fields: Any) -> Release:
    """Make a release of the package."""
    archive = BlobRef(digest_of(version.encode()), len(version))
    return Release(id="vendas", version=version, digest=PACKAGE.digest, archive=archive, **fields)


def signed(
    key: SigningKey, version: str = "1.0.0", *, rotations: bytes | None = None, **fields: Any
) -> tuple[Release, bytes]:
    """Make a release and its attestation."""
    release = unsigned(version, **fields)
    if rotations is not None:
        blob = BlobRef(digest_of(rotations), len(rotations), "application/json")
        release = attrs.evolve(release, attachments={**release.attachments, ROTATIONS: blob})
    return attest(release, MANIFEST, key)


def with_envelope(release: Release, envelope: bytes, **fields: Any) -> Release:
    """Let a release name another attestation, as a registry could."""
    blob = BlobRef(digest_of(envelope), len(envelope))
    return attrs.evolve(release, attachments={**release.attachments, "attestation": blob}, **fields)
