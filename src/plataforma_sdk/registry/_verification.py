"""What a fetched package is held to, and what a verification found."""

from __future__ import annotations

import attrs

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._records import Release
from plataforma_sdk.registry.trust import Identity, Verdict

__all__ = ["Verification", "check_content"]


@attrs.frozen(kw_only=True)
class Verification:
    """What was verified of a release; what is wrong with one raises.

    Attributes:
        checked: each thing in a line, for people.
        key: fingerprint of the key whose signature was verified, or None.
        identity: who signed the archive by sigstore, or None.
        metadata: the TUF metadata that lists its index, or None where the registry has none.
    """

    checked: tuple[str, ...] = ()
    key: str | None = None
    identity: Identity | None = None
    metadata: str | None = None

    @property
    def signer(self) -> str:
        """Who signed, for people."""
        return " and ".join(str(who) for who in (self.key, self.identity) if who) or "nobody"

    @classmethod
    def of(cls, release: Release, verdict: Verdict | None, metadata: str | None) -> Verification:
        """Say what was verified of a release whose bytes were all read and checked."""
        key, identity = (None, None) if verdict is None else (verdict.key, verdict.identity)
        lines = [
            f"index listed by {metadata}" if metadata else "",
            f"attestation signed by {key}" if key else "",
            f"archive signed by {identity}, by sigstore" if identity else "",
            f"archive {release.archive.digest}",
            f"content {release.digest}",
            *(f"{name} {blob.digest}" for name, blob in release.attachments.items()),
        ]
        return cls(checked=tuple(filter(None, lines)), key=key, identity=identity, metadata=metadata)


def check_content(release: Release, package: ModulePackage) -> None:
    """Make sure that the archive holds the module that the release names: an index must not pass one off as another.

    Raises:
        IntegrityError: it holds another one.
    """
    claimed = (release.id, release.version, release.digest)
    if (package.id, package.version, package.digest) != claimed:
        raise IntegrityError(
            f"{release.id} {release.version}: the archive holds {package.id} {package.version} ({package.digest}), "
            f"not {release.digest}; nothing of it was used: tell whoever runs the registry",
            module=release.id,
        )
