"""Publisher keys: ed25519, by the extra `trust`.

A key's fingerprint is ``"ed25519:"`` and the public key in hex. It is that short, and so there is nothing to look up
that could be another key of the same name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Self

from plataforma_sdk.errors import IntegrityError, RegistryError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["SigningKey", "check_fingerprint", "is_installed", "is_signed_by"]

_SCHEME: Final = "ed25519:"
_FINGERPRINT: Final = re.compile(r"ed25519:[0-9a-f]{64}", re.ASCII)


def check_fingerprint(text: Any) -> str:
    """Return the fingerprint of a key.

    Raises:
        IntegrityError: it is none.
    """
    if not isinstance(text, str) or _FINGERPRINT.fullmatch(text) is None:
        raise IntegrityError(f"{str(text)[:80]!r} is no fingerprint of a key: it reads 'ed25519:' and 64 hex digits")
    return text


def is_installed() -> bool:
    """Tell whether signatures can be made and verified here."""
    try:
        _ed25519()
    except RegistryError:
        return False
    return True


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise RegistryError(
            "Signatures need the extra 'trust': pip install \"plataforma-sdk[trust]\"; without it nothing can be "
            "verified, and nothing is taken for signed"
        ) from None
    return ed25519


class SigningKey:
    """A publisher's private key. Its text is a secret: whoever holds it publishes in the publisher's name."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the key; see `new` and `from_text`."""
        self._key = key
        self.fingerprint: Final = _SCHEME + key.public_key().public_bytes_raw().hex()

    @classmethod
    def new(cls) -> Self:
        """Make a key at random.

        Raises:
            RegistryError: the extra is missing.
        """
        return cls(_ed25519().Ed25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote.

        Raises:
            IntegrityError: anything else.
            RegistryError: the extra is missing.
        """
        found = re.fullmatch(r"plataforma-signing-key ed25519 ([0-9a-f]{64})\n", text, re.ASCII)
        if found is None:
            raise IntegrityError("This is no signing key of plataforma: it is damaged, or another program's")
        return cls(_ed25519().Ed25519PrivateKey.from_private_bytes(bytes.fromhex(found[1])))

    def to_text(self) -> str:
        """Write the private key, a line."""
        return f"plataforma-signing-key ed25519 {self.to_private_bytes().hex()}\n"

    def to_private_bytes(self) -> bytes:
        """Return the private key, 32 bytes."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        signature: bytes = self._key.sign(message)
        return signature

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint!r})"


def is_signed_by(fingerprint: str, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that of a key.

    Raises:
        IntegrityError: this is no fingerprint.
        RegistryError: the extra is missing.
    """
    from_bytes = _ed25519().Ed25519PublicKey.from_public_bytes
    from cryptography.exceptions import InvalidSignature

    try:
        from_bytes(bytes.fromhex(check_fingerprint(fingerprint).removeprefix(_SCHEME))).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
