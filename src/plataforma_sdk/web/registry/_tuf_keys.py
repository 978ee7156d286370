"""The keys of a registry as python-tuf takes them, and times as metadata states them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from plataforma_sdk.errors import RegistryError

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from plataforma_sdk.registry.trust import SigningKey

__all__ = ["moment", "signer_of"]


def signer_of(key: SigningKey) -> CryptoSigner:
    """Return what signs metadata with a key.

    Raises:
        RegistryError: the extra is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from securesystemslib.signer import CryptoSigner
    except ImportError:
        raise RegistryError(
            "TUF metadata needs the extra 'trust': pip install \"plataforma-sdk[trust]\"; without it none is signed"
        ) from None
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(key.to_private_bytes()))


def moment(seconds: float) -> datetime.datetime:
    """Return a time of the epoch in whole seconds, as metadata states it."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
