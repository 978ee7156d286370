"""What a property of an element may hold, each kind with its check.

A check takes what an author or an untrusted guest wrote and returns the plain value of the wire; a value that is on
the wire already passes unchanged. So one table serves the builders and the host alike.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError

__all__ = [
    "CURRENCY",
    "DATE",
    "FIELD_NAME",
    "FLAG",
    "ICON",
    "IMAGE_URL",
    "LABEL",
    "NUMBER",
    "PLAIN",
    "SCALAR",
    "SCALARS",
    "TEXT",
    "Kind",
    "MisfitError",
    "choice",
    "depth_of",
    "integer",
    "is_number",
    "plain",
    "unique",
]

MAX_LABEL_CHARS: Final = 1_000
MAX_TEXT_CHARS: Final = 100_000
MAX_EXPONENT: Final = 1_000
MAX_INT_BITS: Final = 4_096
"""Beyond, a number is no figure to show but an attack: ``int(Decimal("1e999999999"))`` and its text fill the memory."""
MAX_PLAIN_DEPTH: Final = 6
"""Levels of an action's arguments and of a plugin's properties: a tree of full depth still fits into the codec's."""
MAX_URL_CHARS: Final = 2_048
MAX_DATA_URL_CHARS: Final = 1_400_000
"""An image of one MiB, in base64."""

_SCALAR_TYPES: Final = frozenset({str, int, float, bool, type(None), Decimal, datetime.date, datetime.datetime})
_ICON: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_HTTPS: Final = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?(?:[/?][!-~]*)?", re.ASCII)
_DATA_IMAGE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/]+={0,2}", re.ASCII)


class MisfitError(ValueError):
    """A value that is not of a kind; its text, if any, says what exactly is wrong."""


@attrs.frozen
class Kind:
    """What a property may hold.

    Attributes:
        expects: the kind in words, for messages: ``"a text of at most 1,000 characters"``.
        check: returns the value for the wire, or raises `MisfitError`; a text in it says what exactly is wrong.
    """

    expects: str
    check: Callable[[Any], Any]


def plain(value: object) -> str:
    """Strip a subclass of str, such as a StrEnum member, to the text itself; any other value is refused."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise MisfitError


def is_number(value: object) -> bool:
    """Whether a value is a finite number of a size that can be written out: int, float or Decimal, not bool."""
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT
    if isinstance(value, int):
        return value.bit_length() <= MAX_INT_BITS
    return isinstance(value, float) and math.isfinite(value)


def depth_of(value: object) -> int:
    """Count the containers around the deepest value of plain data."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def unique(values: Iterable[Any], what: str) -> None:
    """Refuse a value that comes twice."""
    seen = set()
    for value in values:
        if value in seen:
            raise MisfitError(f"the {what} {value!r} comes twice")
        seen.add(value)


def integer(low: int, high: int) -> Kind:
    """Make the kind of the whole numbers from `low` to `high`."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise MisfitError
        return int(value)

    return Kind(f"a whole number from {low:,} to {high:,}", check)


def choice(*names: str) -> Kind:
    """Make the kind that holds one of `names`."""

    def check(value: Any) -> str:
        name = plain(value)
        if name not in names:
            raise MisfitError
        return name

    return Kind(f"one of {', '.join(names)}", check)


def _bounded(limit: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = plain(value)
        if len(text) > limit:
            raise MisfitError
        _encodable(text)
        return text

    return check


def _encodable(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise MisfitError("it holds a lone surrogate") from None


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = plain(value)
        if not pattern.fullmatch(text):
            raise MisfitError
        return text

    return check


def _flag(value: Any) -> bool:
    if value is not True and value is not False:
        raise MisfitError
    return bool(value)


def _number(value: Any) -> Any:
    if not is_number(value):
        raise MisfitError
    return _reduced(value)


def _scalar(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        if len(value) > MAX_TEXT_CHARS:
            raise MisfitError(f"a text of more than {MAX_TEXT_CHARS:,} characters")
        _encodable(value)
    elif kind is int or kind is float or kind is Decimal:
        if not is_number(value):
            raise MisfitError("a number that cannot be shown; write None")
    elif kind not in _SCALAR_TYPES:
        return _scalar(_reduced(value))
    return value


def _reduced(value: Any) -> Any:
    """Reduce a subclass (an IntEnum member) to its base; refuse containers and foreign objects."""
    try:
        value = codec.copy_value(value)
    except CodecError as error:
        raise MisfitError(str(error)) from None
    if type(value) not in _SCALAR_TYPES:
        raise MisfitError(f"a {type(value).__name__} is no single value")
    return value


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise MisfitError
    return value


def _scalars(value: Any) -> Any:
    return [_scalar(item) for item in value] if isinstance(value, (list, tuple)) else _scalar(value)


def _plain(value: Any) -> Any:
    try:
        copy = codec.copy_value(value)
    except CodecError as error:
        raise MisfitError(str(error)) from None
    if depth_of(copy) > MAX_PLAIN_DEPTH:
        raise MisfitError(f"nested deeper than {MAX_PLAIN_DEPTH} levels")
    return copy


def _image_url(value: Any) -> str:
    url = plain(value)
    if len(url) <= MAX_URL_CHARS and _HTTPS.fullmatch(url):
        return url
    if len(url) <= MAX_DATA_URL_CHARS and _DATA_IMAGE.fullmatch(url):
        return url
    raise MisfitError


LABEL: Final = Kind(f"a text of at most {MAX_LABEL_CHARS:,} characters", _bounded(MAX_LABEL_CHARS))
TEXT: Final = Kind(f"a text of at most {MAX_TEXT_CHARS:,} characters", _bounded(MAX_TEXT_CHARS))
FLAG: Final = Kind("True or False", _flag)
NUMBER: Final = Kind("a finite number", _number)
SCALAR: Final = Kind("a text, number, bool, Decimal, date, datetime or None", _scalar)
SCALARS: Final = Kind("a single value, or a list of them", _scalars)
PLAIN: Final = Kind(f"plain data of at most {MAX_PLAIN_DEPTH} levels", _plain)
DATE: Final = Kind("a date", _date)
ICON: Final = Kind("an icon's name such as 'arrow-up', of a-z, 0-9 and single hyphens", _matching(_ICON))
FIELD_NAME: Final = Kind("a field's name, of letters, digits and _, at most 64", _matching(_NAME))
CURRENCY: Final = Kind("a currency's ISO 4217 code such as 'BRL'", _matching(_CURRENCY))
IMAGE_URL: Final = Kind(
    # Not SVG: where a viewer opens it by itself, its scripts run. Not http: a page over TLS would refuse it.
    "an https:// address in lower case without user name, or data:image/png, jpeg, gif, webp or avif in base64",
    _image_url,
)
