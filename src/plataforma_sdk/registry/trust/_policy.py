"""What a client asks of a release before it takes it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

import attrs

from plataforma_sdk.registry._protocol import RegistryBackend
from plataforma_sdk.registry.trust._bundle import Identity
from plataforma_sdk.registry.trust._keys import check_fingerprint

__all__ = ["TrustPolicy"]


def _fingerprints(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(check_fingerprint(key) for key in keys)


def _distinct(identities: Iterable[Identity]) -> frozenset[Identity]:
    return frozenset(identities)


@attrs.frozen(kw_only=True)
class TrustPolicy:
    """Which releases are taken; whatever the policy, a key that was seen is held to, and a revoked one refused.

    Attributes:
        require: ``"signed"``: by any key, the first one seen is held to; ``"any"``: unsigned ones too; ``"keys"``: by
            one of `keys`; ``"identities"``: with a sigstore bundle of one of `identities`, by a key or not.
        keys: fingerprints, for ``"keys"``.
        identities: for ``"identities"``.
        sigstore_root: trusted root that sigstore bundles are verified against, a file; None for that of the public
            instance. A bundle is verified wherever there is one, whatever is required.

    >>> TrustPolicy.any().require
    'any'
    """

    require: Literal["signed", "any", "keys", "identities"] = "signed"
    keys: frozenset[str] = attrs.field(factory=frozenset, converter=_fingerprints)
    identities: frozenset[Identity] = attrs.field(factory=frozenset, converter=_distinct)
    sigstore_root: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))

    @classmethod
    def signed(cls) -> Self:
        """Take what is signed: the default for registries that others write to."""
        return cls(require="signed")

    @classmethod
    def any(cls) -> Self:
        """Take unsigned releases too: the default for registries that only this machine's user writes to."""
        return cls(require="any")

    @classmethod
    def of_keys(cls, keys: Iterable[str]) -> Self:
        """Take what one of these keys signed.

        Raises:
            IntegrityError: one is no fingerprint.
        """
        return cls(require="keys", keys=keys)

    @classmethod
    def of_identities(cls, identities: Iterable[Identity], *, sigstore_root: Path | None = None) -> Self:
        """Take what one of these people or workflows signed by sigstore."""
        return cls(require="identities", identities=identities, sigstore_root=sigstore_root)

    @classmethod
    def default_for(cls, backend: RegistryBackend) -> Self:
        """Return the default for a registry."""
        return cls.any() if backend.is_local else cls.signed()
