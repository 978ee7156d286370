"""Records as JSON text: one form for a value, and nothing but plain JSON read back."""

from __future__ import annotations

import json
from typing import Any

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry._verify import digest_of

__all__ = ["from_json", "seal", "to_json", "unseal"]


def to_json(data: Any) -> bytes:
    """Write plain data as compact JSON, keys sorted: equal data gives equal bytes."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def from_json(text: bytes | str, *, what: str) -> Any:
    """Read JSON of unknown origin.

    Raises:
        IntegrityError: it is none, or too deep; the message begins with `what`.
    """
    try:
        data = json.loads(text)
        if "\\ud" in str(text).lower():
            to_json(data)  # half a surrogate pair could be read, but never be written again
    except (ValueError, RecursionError) as error:  # a UnicodeError is a ValueError
        raise IntegrityError(f"{what} is damaged: it is no JSON ({type(error).__name__})") from None
    return data


def seal(data: Any) -> bytes:
    """Write plain data as a line with the digest of what follows, and JSON: for a place where bytes may rot."""
    body = to_json(data)
    return digest_of(body).encode() + b"\n" + body


def unseal(text: bytes, *, what: str) -> Any:
    """Read what `seal` wrote.

    Raises:
        IntegrityError: not a byte of it may be other than it was written.
    """
    digest, _, body = text.partition(b"\n")
    if digest_of(body).encode() != digest:
        raise IntegrityError(f"{what} is damaged: its bytes are not those that were written; restore it from a copy")
    return from_json(body, what=what)
