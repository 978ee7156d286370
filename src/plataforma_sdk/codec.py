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
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from plataforma_sdk.errors import CodecError

__all__ = ["MAX_DEPTH", "copy_value", "decode", "encode"]

MAX_DEPTH: Final = 64
"""How deep containers may nest; checked before parsing, so that a text cannot exhaust the parser's stack."""

_SAFE_INT: Final = 2**53
_PLAIN: Final = frozenset({str, float, bool, type(None)})
_TAG, _VALUE = "$t", "v"

_DIGITS: Final = bytes.maketrans(b"0123456789E", b"0000000000e")
_SUSPECTS: Final = ('"$', "\\u", "0e000", "0e+000", "0" * 17)
"""A text without any of these, digits read as 0, decodes to plain, finite, well-formed data: no second walk."""

_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))
_ROUND_TO_SQUARE: Final = bytes.maketrans(b"{}", b"[]")

_dumps: Final = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is refused")


def _refuse_type(value: object) -> NoReturn:
    raise _unknown(value)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _DECODER.scan_once  # type: ignore[attr-defined]


def _plain_writer() -> Callable[[Any, int], Iterable[str]]:
    """Return ``(value, 0) -> pieces of JSON``, made once: `JSONEncoder.encode` makes one for each text, 2 µs.

    Only for what `_is_plain` passes: it knows no types beside JSON's own, and would write any number as a key.
    """
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:  # an interpreter without the accelerator
        return lambda value, _level: (_dumps(value),)
    text = json.encoder.encode_basestring
    writer: Callable[[Any, int], Iterable[str]] = make(None, _refuse_type, text, None, ":", ",", False, False, False)
    return writer


def encode(value: object) -> str:
    """Write `value` as compact JSON on one line.

    Raises:
        CodecError: the value holds something that does not cross; the message names the type and the place.
    """
    if _is_plain(value, MAX_DEPTH):
        try:
            text = "".join(_write_plain(value, 0))
            if '"$' not in text and (text.isascii() or text.encode()):
                return text
        except ValueError:
            """Not a finite number, or a lone surrogate: the walk says where."""
    return _dumps(_to_wire(value, 0))


def _is_plain(value: object, depth: int) -> bool:
    """Whether a value is of JSON's own types alone, no subclasses, and nests no deeper than `depth`.

    Such a value is written by the encoder in C as it stands, but for keys that begin with ``$``, which the text shows.
    """
    kind = type(value)
    if kind is dict:
        for key in value:  # type: ignore[attr-defined]
            if type(key) is not str:
                return False
        items = value.values()  # type: ignore[attr-defined]
    elif kind is list or kind is tuple:
        items = value
    else:
        return kind in _PLAIN or (kind is int and -_SAFE_INT <= value <= _SAFE_INT)  # type: ignore[operator]
    if not depth:
        return False
    for item in items:  # a generator in `all` costs as much again
        kind = type(item)
        if kind in _PLAIN or (kind is int and -_SAFE_INT <= item <= _SAFE_INT):
            continue
        if kind is int or not _is_plain(item, depth - 1):
            return False
    return True


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
    folded = raw.translate(_DIGITS).decode("latin-1")  # `in` takes five times as long on bytes
    for suspect in _SUSPECTS:
        if suspect in folded:
            return _from_wire(value)
    return value


def _parse(text: str) -> Any:
    """Parse JSON; a text without spaces around it, as `encode` writes it, costs no more than the scanner of C."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else _DECODER.decode(text)


def copy_value(value: object) -> Any:
    """Return what the other side of a boundary would receive: ``decode(encode(value))``, in one walk.

    Raises:
        CodecError: as `encode`.
    """
    return _copy(value, 0)


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


_write_plain: Final = _plain_writer()
