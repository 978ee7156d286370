"""Decides whether a release is taken: the policy, the signature, and what was seen before."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from typing import Final

import attrs

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry._lock import LockedModule
from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry._records import BlobRef, ModuleIndex, Release
from plataforma_sdk.registry._verify import digest_of, read_verified
from plataforma_sdk.registry.rules import namespace_of
from plataforma_sdk.registry.trust._attestation import ATTESTATION, Attestation, read_attestation
from plataforma_sdk.registry.trust._bundle import (
    BUNDLE,
    MAX_BUNDLE_BYTES,
    Identity,
    is_sigstore_installed,
    read_bundle,
)
from plataforma_sdk.registry.trust._envelope import MAX_ENVELOPE_BYTES
from plataforma_sdk.registry.trust._keys import is_installed
from plataforma_sdk.registry.trust._pins import Pin, PinStore
from plataforma_sdk.registry.trust._policy import TrustPolicy
from plataforma_sdk.registry.trust._rotation import MAX_ROTATIONS_BYTES, ROTATIONS, leads, read_rotations

__all__ = ["Trust", "Verdict"]

_LOG: Final = logger_of("plataforma_sdk.registry.trust")
_TRIES: Final = 5


@attrs.frozen(kw_only=True)
class Verdict:
    """Why a release was taken.

    Attributes:
        key: fingerprint of the key that signed it, or None.
        attestation: what was signed, or None.
        identity: who signed the archive by sigstore, or None.
        is_first_use: whether nothing was known of the module before: this key is believed because it came first.
        rotated_from: the key that passed the module on to this one since it was last seen, or None.
    """

    key: str | None
    attestation: Attestation | None = None
    identity: Identity | None = None
    is_first_use: bool = False
    rotated_from: str | None = None

    def check_package(self, release: Release, package: ModulePackage) -> None:
        """Make sure that a package, whose archive was checked before, is what was signed.

        Raises:
            IntegrityError: other content, or a record that says otherwise than its manifest.
        """
        if self.attestation is not None:
            self.attestation.check_package(package)
        elif self.identity is not None:  # who signed the archive alone: what a registry says beside it is not signed
            _check_record(release, package)


class Trust:
    """What one client believes; one for each state directory."""

    def __init__(self, policy: TrustPolicy, pins: PinStore, *, revoked: Iterable[str] = ()) -> None:
        """Take the policy, what was seen before, and the keys that are revoked."""
        self.policy: Final = policy
        self._pins = pins
        self._revoked = frozenset(revoked)

    async def verify(
        self, release: Release, backend: RegistryBackend, *, revision: int = 0, locked: LockedModule | None = None
    ) -> Verdict:
        """Fetch what a release is signed with, decide, and hold the module to that from now on.

        Args:
            release: what a registry says.
            backend: the registry.
            revision: of the index that the release stands in.
            locked: what a lock says of the module, believed where nothing else is known.

        Raises:
            IntegrityError: it is not taken; says why.
            RegistryError: it cannot be fetched, or the extra is missing that could verify it.
        """
        envelope = await _read(release, ATTESTATION, MAX_ENVELOPE_BYTES, backend)
        rotations = await _read(release, ROTATIONS, MAX_ROTATIONS_BYTES, backend)
        bundle = await _read(release, BUNDLE, MAX_BUNDLE_BYTES, backend)
        decide = functools.partial(
            self.decide, release, envelope, rotations, bundle, registry=backend.url, revision=revision, locked=locked
        )
        return decide() if bundle is None else await asyncio.to_thread(decide)

    def decide(
        self,
        release: Release,
        envelope: bytes | None,
        rotations: bytes | None = None,
        bundle: bytes | None = None,
        *,
        registry: str,
        revision: int = 0,
        locked: LockedModule | None = None,
    ) -> Verdict:
        """Do the same with what was fetched; see `verify`. Blocks for some milliseconds where there is a bundle."""
        identity = self._identity(release, bundle)
        attestation = self._attestation(release, envelope)
        key = attestation.key if attestation else None
        self._check_policy(release, key, identity)
        verdict = self._held(release, attestation, rotations, registry=registry, revision=revision, locked=locked)
        return attrs.evolve(verdict, identity=identity)

    def _held(
        self,
        release: Release,
        attestation: Attestation | None,
        rotations: bytes | None,
        *,
        registry: str,
        revision: int,
        locked: LockedModule | None,
    ) -> Verdict:
        """Hold a release to what is known of its module, and the module to the release from now on."""
        key = attestation.key if attestation else None
        for _ in range(_TRIES):
            pin = self._pins.get(release.id)
            known = pin or _pin_of(locked)
            if known is not None:
                _check_registry(release.id, known, registry)
            if pin is not None and pin.key != key and locked is not None and _is_locked(release, locked):
                return Verdict(key=key, attestation=attestation)
            verdict, now = self._compare(release, attestation, known, rotations, Pin(registry=registry, key=key))
            now = attrs.evolve(now, revision=max(now.revision, revision))
            if now == pin or self._pins.replace(release.id, pin, now):
                _report(release, verdict, registry)
                return verdict
        raise IntegrityError(f"{release.id}: other processes change what is known of it without end", module=release.id)

    def check_index(self, index: ModuleIndex, registry: str) -> None:
        """Make sure that an index is of the registry that the module is held to, and not older than was seen.

        Raises:
            IntegrityError: another registry, or an older index.
        """
        pin = self._pins.get(index.id)
        if pin is None:
            return
        _check_registry(index.id, pin, registry)
        if index.revision < pin.revision:
            raise IntegrityError(
                f"{index.id}: {registry} answered revision {index.revision}, and {pin.revision} was seen before: this "
                "is an old index, replayed or restored; tell whoever runs the registry",
                module=index.id,
            )
        if index.revision > pin.revision:
            self._pins.replace(index.id, pin, attrs.evolve(pin, revision=index.revision))

    # --- the parts of a decision ---

    def _attestation(self, release: Release, envelope: bytes | None) -> Attestation | None:
        who = f"{release.id} {release.version}"
        blob = release.attachments.get(ATTESTATION)
        if envelope is None:
            if blob is not None or release.publisher is not None:
                raise IntegrityError(f"{who} says that {release.publisher} signed it, and shows no signature")
            return None
        if blob is None or digest_of(envelope) != blob.digest:
            raise IntegrityError(f"{who}: this is not the attestation that the release names")
        pin = self._pins.get(release.id)
        if self.policy.require == "any" and not is_installed() and (pin is None or pin.key is None):
            _LOG.warning("%s is signed, and that cannot be verified here: install plataforma-sdk[trust]", who)
            return None
        return read_attestation(release, envelope)

    def _identity(self, release: Release, bundle: bytes | None) -> Identity | None:
        """Verify a sigstore bundle: one that does not is refused, whatever else was signed."""
        who = f"{release.id} {release.version}"
        blob = release.attachments.get(BUNDLE)
        if blob is None:
            return None
        if bundle is None or digest_of(bundle) != blob.digest:
            raise IntegrityError(f"{who}: this is not the sigstore bundle that the release names", module=release.id)
        if self.policy.require == "any" and not is_sigstore_installed():
            _LOG.warning("%s has a bundle, and that cannot be verified here: install plataforma-sdk[trust]", who)
            return None
        return read_bundle(release, bundle, root=self.policy.sigstore_root)

    def _check_policy(self, release: Release, key: str | None, identity: Identity | None) -> None:
        who = f"{release.id} {release.version}"
        if release.publisher in self._revoked:
            raise IntegrityError(
                f"{who} is signed by the key {release.publisher}, which is revoked here", module=release.id
            )
        if self.policy.require == "identities":
            _check_identity(release, identity, self.policy.identities)
        elif key is None:
            if self.policy.require != "any":
                raise IntegrityError(
                    f"{who} is not signed, and only signed modules are taken from this registry: ask its publisher to "
                    "sign it, or pass TrustPolicy.any() if you trust everybody who can write to the registry",
                    module=release.id,
                )
        elif self.policy.require == "keys" and key not in self.policy.keys:
            raise IntegrityError(
                f"{who} is signed by {key}, which is none of the {len(self.policy.keys)} keys that are trusted: if it "
                f"should be, plataforma key trust {key}",
                module=release.id,
            )

    def _compare(
        self,
        release: Release,
        attestation: Attestation | None,
        known: Pin | None,
        rotations: bytes | None,
        new: Pin,
    ) -> tuple[Verdict, Pin]:
        """Compare with what is known; return the verdict and what is known from now on."""
        chain = () if rotations is None else read_rotations(rotations, namespace=namespace_of(release.id))
        if chain and chain[-1].new != new.key:
            raise IntegrityError(
                f"{release.id} {release.version} is signed by {new.key}, and its rotations lead to {chain[-1].new}",
                module=release.id,
            )
        if known is None or (known.key is None and new.key is not None):  # what was unsigned could be anybody's
            return Verdict(key=new.key, attestation=attestation, is_first_use=True), attrs.evolve(
                new, rotations=len(chain)
            )
        if known.key == new.key:
            return Verdict(key=new.key, attestation=attestation), attrs.evolve(
                known, rotations=max(known.rotations, len(chain))
            )
        if new.key is None or known.key is None or not leads(chain, known.key, known.rotations, self._revoked):
            raise _changed_key(release, known.key, new.key)
        verdict = Verdict(key=new.key, attestation=attestation, rotated_from=known.key)
        return verdict, attrs.evolve(known, key=new.key, rotations=len(chain))


async def _read(release: Release, name: str, max_bytes: int, backend: RegistryBackend) -> bytes | None:
    blob: BlobRef | None = release.attachments.get(name)
    if blob is None:
        return None
    what = f"the {name} of {release.id} {release.version}"
    if blob.size > max_bytes:
        raise IntegrityError(f"{what} has {blob.size:,} bytes; at most {max_bytes:,} are read", module=release.id)
    return await read_verified(backend.fetch(release.id, blob), blob, what=what)


def _check_identity(release: Release, found: Identity | None, trusted: frozenset[Identity]) -> None:
    if found in trusted:
        return
    whom = f"signed by {found}" if found else "not signed by sigstore"
    expected = ", ".join(sorted(map(str, trusted))) or "nobody"
    raise IntegrityError(
        f"{release.id} {release.version} is {whom}, and what is taken here is signed by {expected}: ask its publisher "
        "for a bundle, or name this identity if you trust it",
        module=release.id,
    )


def _check_record(release: Release, package: ModulePackage) -> None:
    """Compare a record with the manifest that it was made from; what a resolution read of it was not signed itself."""
    manifest = package.manifest
    expected = {
        "sdk": manifest.sdk.text,
        "dependencies": {name: versions.text for name, versions in manifest.dependencies.items()},
        "licence": manifest.licence,
        "authors": manifest.authors,
    }
    wrong = [name for name, value in expected.items() if getattr(release, name) != value]
    if wrong:
        raise IntegrityError(
            f"{release.id} {release.version}: the registry says otherwise than the signed module.toml about "
            f"{', '.join(wrong)}; tell whoever runs the registry",
            module=release.id,
        )


def _pin_of(locked: LockedModule | None) -> Pin | None:
    if locked is None:
        return None
    return Pin(registry=locked.registry, key=locked.release.publisher, revision=locked.revision)


def _is_locked(release: Release, locked: LockedModule) -> bool:
    """Whether a lock names this very release: its key may have been rotated since, its bytes cannot have changed."""
    one, other = release, locked.release
    return (one.version, one.digest, one.archive, one.publisher) == (
        other.version,
        other.digest,
        other.archive,
        other.publisher,
    )


def _check_registry(module_id: str, known: Pin, registry: str) -> None:
    if known.registry != registry:
        raise IntegrityError(
            f"{module_id} is known from {known.registry}, and this is {registry}: a module does not move between "
            f"registries by itself; if it did move, plataforma key forget {module_id}",
            module=module_id,
        )


def _changed_key(release: Release, old: str | None, new: str | None) -> IntegrityError:
    now = f"signed by {new}" if new else "not signed"
    return IntegrityError(
        f"{release.id} {release.version} is {now}, and this module is known to be signed by {old}: nothing that "
        f"the old key signed passes it on. Ask the publisher; if that is right, plataforma key forget {release.id}",
        module=release.id,
    )


def _report(release: Release, verdict: Verdict, registry: str) -> None:
    if verdict.rotated_from:
        _LOG.warning("%s passed from the key %s to %s", release.id, verdict.rotated_from, verdict.key)
    elif verdict.is_first_use:
        _LOG.warning(
            "%s is used for the first time, from %s, %s: compared with nothing, and held to from now on",
            release.id,
            registry,
            f"signed by {verdict.key}" if verdict.key else "not signed",
        )
