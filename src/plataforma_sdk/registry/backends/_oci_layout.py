"""What a release looks like in an OCI registry: manifests, and tags that name them.

A ``.wasm`` package follows the Wasm OCI artifact layout, so that other tools run it; any other is an artifact of a
type of our own. The release itself stands in an annotation of the manifest, which its digest covers.

**Source:** OCI image specification 1.1, "Guidelines for Artifact Usage"; CNCF TAG Runtime, "Wasm OCI Artifact layout".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.manifest import Version
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry._records import BlobRef, Release
from plataforma_sdk.registry._verify import digest_of

__all__ = [
    "EMPTY",
    "INDEX_TYPE",
    "MANIFEST_TYPE",
    "YANK_PREFIX",
    "Yank",
    "attachment_manifest",
    "config_of",
    "descriptor",
    "note_manifest",
    "read_note",
    "read_release",
    "release_manifest",
    "tag_of",
    "version_of",
]

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
EMPTY: Final = b"{}"
YANK_PREFIX: Final = "yank."

_EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
_MODULE_TYPE: Final = "application/vnd.plataforma.module.v1"
_WASM_TYPE: Final = "application/wasm"
_WASM_CONFIG_TYPE: Final = "application/vnd.wasm.config.v0+json"
_COMPONENT_MAGIC: Final = b"\0asm\x0d\0\x01\0"
_NOTE: Final = "dev.plataforma."
_RELEASE: Final = "dev.plataforma.release"
_MAX_TAG_CHARS: Final = 128


@attrs.frozen
class Yank:
    """What the tag of a yank says.

    Attributes:
        reason: why, or None where it was taken back.
        changes: how often the mark was changed: its part of the revision.
    """

    reason: str | None
    changes: int


def tag_of(version: str) -> str:
    """Write a version as a tag, which admits no ``+``; an underscore is in no version.

    Raises:
        RegistryError: it is too long for a tag.
    """
    tag = version.replace("+", "_")
    if len(tag) > _MAX_TAG_CHARS - len(YANK_PREFIX):
        raise RegistryError(f"The version {version[:40]}... is too long for an OCI registry: at most 123 characters")
    return tag


def version_of(tag: str) -> str | None:
    """Read the version that a tag names; None for any other tag, ``latest`` among them."""
    version = tag.replace("_", "+", 1)
    try:
        Version.parse(version)
    except ValueError:
        return None
    return version


def descriptor(data: bytes, media_type: str) -> dict[str, Any]:
    """Describe bytes as OCI does."""
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def config_of(release: Release, archive: bytes) -> tuple[bytes, str]:
    """Return the config blob of a release and its media type."""
    if release.archive.media_type != _WASM_TYPE:
        return EMPTY, _EMPTY_TYPE
    is_component = archive.startswith(_COMPONENT_MAGIC)
    config: dict[str, Any] = {
        "created": release.published_at or "1970-01-01T00:00:00Z",
        "author": ", ".join(release.authors),
        "architecture": "wasm",
        "os": "wasip2" if is_component else "wasip1",
        "layerDigests": [release.archive.digest],
    }
    if is_component:
        config["component"] = {"exports": [], "imports": [], "target": None}
    return to_json(config), _WASM_CONFIG_TYPE


def release_manifest(release: Release, config: tuple[bytes, str]) -> bytes:
    """Write the manifest of a release; the same release gives the same bytes."""
    notes = {
        "org.opencontainers.image.title": release.id,
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.description": release.description,
        "org.opencontainers.image.licenses": release.licence,
        "org.opencontainers.image.created": release.published_at,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(*config),
        "layers": [_layer(release.archive)],
        "annotations": {name: text for name, text in notes.items() if text}
        | {_RELEASE: to_json(release.to_data()).decode()},
    }
    if config[1] == _EMPTY_TYPE:
        manifest["artifactType"] = _MODULE_TYPE
    return to_json(manifest)


def attachment_manifest(name: str, blob: BlobRef, subject: bytes) -> bytes:
    """Write the manifest of an attachment, which refers to the release's."""
    return to_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": blob.media_type,
            "config": descriptor(EMPTY, _EMPTY_TYPE),
            "layers": [_layer(blob)],
            "subject": descriptor(subject, MANIFEST_TYPE),
            "annotations": {f"{_NOTE}attachment": name},
        }
    )


def note_manifest(kind: str, data: Any) -> bytes:
    """Write a manifest that holds nothing but a note."""
    return to_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": f"application/vnd.plataforma.{kind}.v1",
            "config": descriptor(EMPTY, _EMPTY_TYPE),
            "layers": [descriptor(EMPTY, _EMPTY_TYPE)],
            "annotations": {_NOTE + kind: to_json(data).decode()},
        }
    )


def read_note(manifest: bytes, kind: str, *, what: str) -> Any:
    """Read the note of a manifest.

    Raises:
        IntegrityError: it has none.
    """
    data = from_json(manifest, what=what)
    notes = data.get("annotations") if isinstance(data, Mapping) else None
    text = notes.get(_NOTE + kind) if isinstance(notes, Mapping) else None
    if not isinstance(text, str):
        raise IntegrityError(f"{what} is no {kind} that this library pushed: push it with `plataforma publish`")
    return from_json(text, what=what)


def read_release(manifest: bytes, module_id: str, version: str, *, what: str) -> Release:
    """Read the release of a manifest that stands under a version's tag.

    Raises:
        IntegrityError: it is of another module or version, or its layer is not the archive.
    """
    release = Release.from_data(read_note(manifest, "release", what=what))
    if (release.id, release.version) != (module_id, version):
        raise IntegrityError(f"{what} holds {release.id} {release.version}: the registry answers one for another")
    layers = from_json(manifest, what=what).get("layers")
    if not isinstance(layers, list) or layers[:1] != [_layer(release.archive)]:
        raise IntegrityError(f"{what} is damaged: its layer is not the archive that the release names")
    return release


def _layer(blob: BlobRef) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
