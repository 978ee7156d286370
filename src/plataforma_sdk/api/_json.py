"""Plain JSON, as applications outside this platform write it: no tags, ``$`` keys kept."""

from __future__ import annotations

import json
from typing import Any

from plataforma_sdk import codec
from plataforma_sdk.errors import TransportError

__all__ = ["read_json", "write_json"]


def write_json(value: Any) -> bytes:
    """Write a value as plain JSON: Decimal, date and datetime as text, None as no body at all.

    Raises:
        CodecError: the value does not cross a boundary.
        TransportError: it holds bytes, which plain JSON cannot write.
    """
    if value is None:
        return b""
    plain = codec.copy_value(value)
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_write).encode()


def read_json(text: str) -> Any:
    """Read plain JSON as data that may cross a boundary.

    Raises:
        ValueError: it is not JSON.
        CodecError: it holds NaN, infinities or lone surrogates, or nests deeper than 64 levels.
        RecursionError: it nests so deep that the parser gave up.
    """
    if '"$' not in text:
        return codec.decode(text)  # without '$' both dialects are one, and this is the shorter way
    return codec.copy_value(json.loads(text, parse_constant=_refuse_constant))


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _write(value: Any) -> str:
    if isinstance(value, bytes):
        raise TransportError("A JSON body cannot hold bytes; send base64 text")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
