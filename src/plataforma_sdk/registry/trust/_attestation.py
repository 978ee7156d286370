"""What a publisher signs of a release: an in-toto statement about its archive, and all that a registry says of it.

**Source:** in-toto Attestation Framework, Statement v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry._records import BlobRef, Release
from plataforma_sdk.registry._verify import digest_of
from plataforma_sdk.registry.trust._envelope import open_envelope, seal_envelope
from plataforma_sdk.registry.trust._keys import SigningKey

__all__ = ["ATTESTATION", "Attestation", "attest", "read_attestation"]

ATTESTATION: Final = "attestation"
"""Name of the attachment."""

_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_BLOB_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "urn:plataforma:release:v1"
_MANIFEST: Final = "module.toml"
_UNSIGNED: Final = ("published_at", "yanked", "publisher", "attachments")
"""What a registry adds later, and what the attestation itself changes; attachments are signed one by one."""


@attrs.frozen(kw_only=True)
class Attestation:
    """A statement about a release whose signature was verified.

    Attributes:
        key: fingerprint of the key that signed.
        release: the release, as it was compared.
        manifest: digest of the bytes of ``module.toml``.
    """

    key: str
    release: Release
    manifest: str

    def check_package(self, package: ModulePackage) -> None:
        """Make sure that a package is what was signed; the archive's bytes were checked before it was unpacked.

        Raises:
            IntegrityError: other content, or another manifest.
        """
        found = digest_of(package.files[_MANIFEST])
        if package.digest != self.release.digest or found != self.manifest:
            raise IntegrityError(
                f"{self.release.id} {self.release.version}: the package ({package.digest}, manifest {found}) is not "
                f"the one that {self.key} signed ({self.release.digest}, manifest {self.manifest})",
                module=self.release.id,
            )


def attest(release: Release, manifest: bytes, key: SigningKey) -> tuple[Release, bytes]:
    """Sign a release: return it with its publisher and attestation, and the attestation's bytes to publish with it.

    Args:
        release: complete, but for these two.
        manifest: the bytes of ``module.toml`` in its package.
        key: the publisher's.
    """
    envelope = seal_envelope(_PAYLOAD_TYPE, _statement(release, digest_of(manifest)), [key])
    blob = BlobRef(digest_of(envelope), len(envelope), _BLOB_TYPE)
    attachments = {**release.attachments, ATTESTATION: blob}
    return attrs.evolve(release, publisher=key.fingerprint, attachments=attachments), envelope


def _statement(release: Release, manifest: str) -> dict[str, Any]:
    """Write all that is signed, so that verifying is comparing: nothing of it is left to be interpreted."""
    data = {name: value for name, value in release.to_data().items() if name not in _UNSIGNED}
    attachments = {name: blob.to_data() for name, blob in release.attachments.items() if name != ATTESTATION}
    return {
        "_type": _STATEMENT,
        "subject": [
            {
                "name": f"{release.id}@{release.version}",
                "digest": {"sha256": release.archive.digest.removeprefix("sha256:")},
            }
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "id": release.id,
            "version": release.version,
            "digest": release.digest,
            "manifest": manifest,
            "record": digest_of(to_json({**data, "attachments": attachments})),
        },
    }


def read_attestation(release: Release, envelope: bytes) -> Attestation:
    """Verify that the publisher whom a release names signed it, all of it.

    Raises:
        IntegrityError: another key signed, or something else was signed.
        RegistryError: the extra is missing.
    """
    what = f"the attestation of {release.id} {release.version}"
    statement, signers = open_envelope(envelope, payload_type=_PAYLOAD_TYPE, what=what)
    if release.publisher is None or signers != {release.publisher}:
        raise IntegrityError(
            f"{what} is signed by {', '.join(sorted(signers))}, and the release names {release.publisher or 'nobody'} "
            "as its publisher",
            module=release.id,
        )
    predicate = statement.get("predicate")
    manifest = predicate.get("manifest") if isinstance(predicate, Mapping) else None
    if not isinstance(manifest, str) or statement != _statement(release, manifest):
        raise IntegrityError(
            f"{what} is about something else: {', '.join(_differences(statement, release)) or 'no release'}; the "
            "registry shows another release than the publisher signed",
            module=release.id,
        )
    return Attestation(key=release.publisher, release=release, manifest=manifest)


def _differences(statement: Mapping[str, Any], release: Release) -> list[str]:
    expected, found = _statement(release, ""), statement
    names = [name for name in ("_type", "predicateType", "subject") if found.get(name) != expected[name]]
    inner = found.get("predicate")
    if isinstance(inner, Mapping):
        return names + [
            name for name, value in expected["predicate"].items() if name != "manifest" and inner.get(name) != value
        ]
    return [*names, "predicate"]
