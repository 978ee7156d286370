"""DSSE envelopes, in one form only: what could be written in two ways is refused.

**Source:** Dead Simple Signing Envelope, protocol 1.0.0; its encoding of what is signed binds the type to the payload.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry.trust._keys import SigningKey, check_fingerprint, is_signed_by

__all__ = ["MAX_ENVELOPE_BYTES", "open_envelope", "seal_envelope"]

MAX_ENVELOPE_BYTES: Final = 64 << 10
_MAX_SIGNATURES: Final = 4


def _to_sign(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal_envelope(payload_type: str, data: Any, keys: Iterable[SigningKey]) -> bytes:
    """Sign plain data with each of the keys."""
    payload = to_json(data)
    signed = {key.fingerprint: key.sign(_to_sign(payload_type, payload)) for key in keys}
    signatures = [{"keyid": name, "sig": base64.b64encode(sig).decode()} for name, sig in sorted(signed.items())]
    return to_json(
        {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type, "signatures": signatures}
    )


def open_envelope(text: bytes, *, payload_type: str, what: str) -> tuple[Any, frozenset[str]]:
    """Verify an envelope, every signature of it, and return its data and the keys that signed.

    Whether these are the keys that should have is for the caller to say.

    Args:
        text: from whoever it comes.
        payload_type: what it must hold; an envelope of another type is not looked into.
        what: its name for messages.

    Raises:
        IntegrityError: too large, not in the one form, of another type, or a signature is wrong.
        RegistryError: the extra is missing.
    """
    fields = _canonical(text, what)
    if fields.keys() != {"payload", "payloadType", "signatures"}:
        raise IntegrityError(f"{what} is no envelope: it has other fields than payload, payloadType and signatures")
    if fields["payloadType"] != payload_type:
        raise IntegrityError(f"{what} holds {str(fields['payloadType'])[:80]!r}, and {payload_type!r} was expected")
    payload = _decoded(fields["payload"], what)
    message = _to_sign(payload_type, payload)
    signed = frozenset(_signers(fields["signatures"], message, what))
    return _canonical(payload, what), signed


def _signers(signatures: Any, message: bytes, what: str) -> list[str]:
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= _MAX_SIGNATURES:
        raise IntegrityError(f"{what} has no signatures, or more than {_MAX_SIGNATURES}")
    signers: list[str] = []
    for entry in signatures:
        if not isinstance(entry, Mapping) or entry.keys() != {"keyid", "sig"}:
            raise IntegrityError(f"{what} has a signature that does not name its key")
        key = check_fingerprint(entry["keyid"])
        if key in signers:
            raise IntegrityError(f"{what} has two signatures of the key {key}")
        if not is_signed_by(key, message, _decoded(entry["sig"], what)):
            raise IntegrityError(f"{what}: the signature of the key {key} is wrong: what it signed was something else")
        signers.append(key)
    return signers


def _canonical(text: bytes, what: str) -> Mapping[str, Any]:
    """Read an object that is written as we write it: no key twice, no other spelling of the same."""
    if len(text) > MAX_ENVELOPE_BYTES:
        raise IntegrityError(f"{what} has {len(text):,} bytes; at most {MAX_ENVELOPE_BYTES:,} are read")
    data = from_json(text, what=what)
    if not isinstance(data, Mapping) or not _is_written_so(data, text):
        raise IntegrityError(f"{what} is not written in the one form that is read: compact JSON, keys sorted")
    return data


def _is_written_so(data: Any, text: bytes) -> bool:
    try:
        return to_json(data) == text
    except (ValueError, RecursionError):  # NaN, which json reads
        return False


def _decoded(text: Any, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise IntegrityError(f"{what} is damaged: a part of it is no base64") from None
    if base64.b64encode(data).decode() != text:  # bits that decoding drops could carry another envelope
        raise IntegrityError(f"{what} is damaged: its base64 is not in the one form")
    return data
