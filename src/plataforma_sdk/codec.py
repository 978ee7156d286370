"""The one codec: what may cross between a module and the host, and how it is written.

JSON, and for what JSON lacks a tagged object ``{"$t": tag, "v": text}`` with the tags ``bytes`` (base64), ``datetime``
and ``date`` (ISO 8601), ``decimal`` and ``int`` (integers beyond 2**53, which other languages would round).
A key that begins with ``$`` is written with one ``$`` more. Tuples arrive as lists. Refused, with `CodecError`:
keys that are not strings, NaN and infinities, lone surrogates, depth over 64, and any other type.

`copy_value` is ``decode(encode(value))`` without the text between; the tiers that share the host's memory use it, so
that a module never holds an object of its neighbour. Belongs to the authoring layer: standard library only.
"""

from __future__ import annotations

import binascii
import datetime
import json
import marshal
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from plataforma_sdk.errors import CodecError

__all__ = ["MAX_DEPTH", "copy_value", "decode", "encode"]

MAX_DEPTH: Final = 64
"""How deep containers may nest; checked before parsing, so that a text cannot exhaust the parser's stack."""

_SAFE_INT: Final = 2**53
_TAG, _VALUE = "$t", "v"

_DIGITS: Final = bytes.maketrans(b"0123456789E", b"0000000000e")
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))
_ROUND_TO_SQUARE: Final = bytes.maketrans(b"{}", b"[]")

_dumps: Final = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode

_LEAVES: Final = frozenset({str, int, float, bool, type(None)})
_PLAIN: Final = _LEAVES | {dict, list, tuple}
_TEXT: Final = frozenset({str})
_NO_REFERENCES: Final = 2
"""A version of `marshal` that does not recognise an object that it has met before."""

_LONG: Final = b"0" * 16
"""With digits read as 0, a run of 16 may be an integer beyond 2**53: it is looked at more closely."""
_LONGER: Final = b"0" * 17


def encode(value: object) -> str:
    """Write `value` as compact JSON on one line.

    Raises:
        CodecError: the value holds something that does not cross; the message names the type and the place.
    """
    try:
        marshal.dumps(value, _NO_REFERENCES)  # type: ignore[arg-type]  # quick: no cycle passes, nor a depth without end
        text = "".join(_write_plain(value, 0))
        folded = text.encode().translate(_DIGITS)
    except (ValueError, TypeError, RecursionError):
        return _dumps(_to_wire(value, 0))  # what C cannot write: tagged, or refused with the place
    # C has written what the walk would, save where a text looks like a tag, an integer is beyond 2**53, it nests too
    # deep, or a key may have been a number, which C writes as text (a date among the values looks alike). `find` on
    # bytes, since `in` makes an error of a number first, and catches it: 0.6 µs in the guest.
    if '"$' in text or folded.find(_LONG) >= 0:
        return _dumps(_to_wire(value, 0))
    if text.count("[") + text.count("{") > MAX_DEPTH and not _is_shallow(folded):
        return _dumps(_to_wire(value, 0))
    if (
        folded.find(b'"0') >= 0
        or folded.find(b'"-0') >= 0
        or '"true":' in text
        or '"false":' in text
        or '"null":' in text
    ):
        return text if _is_plain(value, 0) else _dumps(_to_wire(value, 0))
    return text


def _is_shallow(raw: bytes) -> bool:
    try:
        _check_depth(raw)
    except CodecError:
        return False
    return True


def _is_plain(value: Any, depth: int) -> bool:
    """Whether a value is of the types of JSON alone, its keys texts: then C has written it as it is.

    A container costs a few calls, however many items it has; what holds others is walked.
    """
    kind = type(value)
    if kind is dict:
        if value and set(map(type, value)) != _TEXT:
            return False
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        return kind in _LEAVES
    if depth >= MAX_DEPTH:
        return False
    kinds = set(map(type, items))
    if kinds <= _LEAVES:
        return True
    return kinds <= _PLAIN and all(_is_plain(item, depth + 1) for item in items if type(item) not in _LEAVES)


def _unknown_to_c(value: object) -> None:
    raise ValueError(type(value).__name__)


def _make_writer() -> Callable[[Any, int], Any]:
    """Return the C encoder itself, ``(value, level) -> texts``; `json.JSONEncoder.encode` makes one for each text."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, _level: [_dumps(value)]
    writer: Callable[[Any, int], Any] = make(
        None, _unknown_to_c, json.encoder.encode_basestring, None, ":", ",", False, False, False
    )
    return writer


_write_plain: Final = _make_writer()


def decode(text: str | bytes) -> Any:
    """Read what `encode` wrote.

    Raises:
        CodecError: the text is not JSON of this dialect, or nests deeper than `MAX_DEPTH`.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text  # or json.loads would guess UTF-16 behind the checks
        raw = text.encode()
        _check_depth(raw)
        value = _parse(text)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"Not a value of the codec: {error}") from None
    return _from_wire(value) if _is_suspect(text, raw.translate(_DIGITS)) else value


def _is_suspect(text: str, folded: bytes) -> bool:
    """Whether a text, digits read as 0, may hold what is not plain, finite, well-formed data; else it needs no walk."""
    return (
        '"$' in text
        or "\\u" in text
        or folded.find(b"0e000") >= 0
        or folded.find(b"0e+000") >= 0
        or folded.find(_LONGER) >= 0
    )


def copy_value(value: object) -> Any:
    """Return what the other side of a boundary would receive: ``decode(encode(value))``, in one walk.

    Raises:
        CodecError: as `encode`.
    """
    return _copy(value, 0)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is refused")


_scan: Final[Callable[[str, int], tuple[Any, int]]] = vars(json.JSONDecoder(parse_constant=_refuse_constant))[
    "scan_once"
]
"""The C scanner itself, ``(text, start) -> (value, end)``; `json.loads` makes one for each text."""


def _parse(text: str) -> Any:
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return json.loads(
            text, parse_constant=_refuse_constant
        )  # what is around the value, or an error that says where
    return value if end == len(text) else json.loads(text, parse_constant=_refuse_constant)


def _check_depth(raw: bytes) -> None:
    """Refuse deep texts at the speed of C: keep brackets only, then take the innermost level away, level by level."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    skeleton = _ESCAPED.sub(b"", raw) if b"\\" in raw else raw
    skeleton = b"".join(skeleton.translate(_ROUND_TO_SQUARE, _NOT_STRUCTURE).split(b'"')[::2])
    for _ in range(MAX_DEPTH):
        skeleton = skeleton.replace(b"[]", b"")
        if not skeleton:
            return
    raise CodecError(f"Nested deeper than {MAX_DEPTH} levels, or brackets do not match; send a flatter value")


def _check_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CodecError("A text holds a lone surrogate; encode it, or send it as bytes") from None
    return text


def _check_number(number: float) -> float:
    if not math.isfinite(number):
        raise CodecError(f"{number} is not a JSON number; send None or a text")
    return number


def _check_level(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise CodecError(f"Nested deeper than {MAX_DEPTH} levels (or a cycle); send a flatter value")


def _check_key(key: object) -> str:
    if not isinstance(key, str):
        raise CodecError(f"A key is a {type(key).__name__}, not a string: {str(key)[:60]!r}; write str(key)")
    return _check_text(_plain_text(key))


def _plain_text(text: str) -> str:
    """Strip a subclass of str (a StrEnum member) to the text itself, whatever its ``__str__`` says."""
    return text if type(text) is str else str.__getitem__(text, slice(None))


def _unknown(value: object) -> CodecError:
    return CodecError(
        f"A {type(value).__name__} does not cross a boundary; send JSON values, bytes, Decimal, date or datetime"
    )


def _base(value: object) -> object:
    """Reduce an instance of a subclass to its base value, so that a boundary never carries behaviour."""
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, bytearray):
        return bytes(value)
    raise _unknown(value)


def _to_wire(value: Any, depth: int) -> Any:  # noqa: PLR0911 - one return for each kind of value
    kind = type(value)
    if kind is str:
        return _check_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -_SAFE_INT <= value <= _SAFE_INT else _write_int(value, depth)
    if kind is float:
        return _check_number(value)
    if kind is dict:
        _check_level(depth + 1)
        return {_escape(_check_key(key)): _to_wire(item, depth + 1) for key, item in value.items()}
    if kind is list or kind is tuple:
        _check_level(depth + 1)
        return [_to_wire(item, depth + 1) for item in value]
    write = _WRITERS.get(kind)
    if write is None:
        return _to_wire(_base(value), depth)
    _check_level(depth + 1)
    return write(value)


def _copy(value: Any, depth: int) -> Any:  # noqa: PLR0911 - as `_to_wire`
    kind = type(value)
    if kind is str:
        return _check_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        if not -_SAFE_INT <= value <= _SAFE_INT:
            _write_int(value, depth)
        return value
    if kind is float:
        return _check_number(value)
    if kind is dict:
        _check_level(depth + 1)
        return {_check_key(key): _copy(item, depth + 1) for key, item in value.items()}
    if kind is list or kind is tuple:
        _check_level(depth + 1)
        return [_copy(item, depth + 1) for item in value]
    if kind in _WRITERS:
        _check_level(depth + 1)
        text = _WRITERS[kind](value)[_VALUE]  # refuses what would not survive the text, such as Decimal("NaN")
        if kind is datetime.datetime and value.tzinfo is not None:
            return datetime.datetime.fromisoformat(text)  # a fixed offset: a zone is an object of the sender's
        return value  # immutable
    return _copy(_base(value), depth)


def _escape(key: str) -> str:
    return f"${key}" if key.startswith("$") else key


def _write_int(value: int, depth: int) -> dict[str, str]:
    _check_level(depth + 1)
    try:
        return {_TAG: "int", _VALUE: str(value)}
    except ValueError:
        raise CodecError("An integer of more than 4,300 digits does not cross; send it as bytes") from None


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise CodecError(f"Decimal {value} is not finite; send None or a text")
    return str(value)


def _tagged(tag: str, text: Callable[[Any], str]) -> Callable[[Any], dict[str, str]]:
    return lambda value: {_TAG: tag, _VALUE: text(value)}


_WRITERS: Final[dict[type, Callable[[Any], dict[str, str]]]] = {
    bytes: _tagged("bytes", lambda value: binascii.b2a_base64(value, newline=False).decode()),
    datetime.datetime: _tagged("datetime", datetime.datetime.isoformat),
    datetime.date: _tagged("date", datetime.date.isoformat),
    Decimal: _tagged("decimal", _decimal_text),
}

_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "bytes": lambda text: binascii.a2b_base64(text, strict_mode=True),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "decimal": lambda text: _check_decimal(Decimal(text)),
    "int": int,
}


def _check_decimal(value: Decimal) -> Decimal:
    _decimal_text(value)
    return value


def _from_wire(value: Any) -> Any:
    """Resolve tags and escapes of parsed JSON and refuse what only the parser lets through."""
    kind = type(value)
    if kind is str:
        return _check_text(value)
    if kind is float:
        return _check_number(value)
    if kind is list:
        return [_from_wire(item) for item in value]
    if kind is not dict:
        return value
    if _TAG in value:
        return _read_tagged(value)
    return {_unescape(_check_text(key)): _from_wire(item) for key, item in value.items()}


def _unescape(key: str) -> str:
    if not key.startswith("$"):
        return key
    if not key.startswith("$$"):
        raise CodecError(f"The key {key[:60]!r} begins with one '$', which is reserved for tags")
    return key[1:]


def _read_tagged(value: dict[str, Any]) -> Any:
    tag, text = value[_TAG], value.get(_VALUE)
    reader = _READERS.get(tag) if isinstance(tag, str) else None
    if reader is None or not isinstance(text, str) or value.keys() != {_TAG, _VALUE}:
        raise CodecError(f"Not a tagged value: {str(value)[:80]}")
    try:
        return reader(text)
    except (ValueError, InvalidOperation) as error:
        raise CodecError(f"Not a {tag}: {str(text)[:60]!r} ({error})") from None
