"""Formatting: ``%``, f-strings, `str.format`, `str`, `repr`.

A width of ten digits is a gigabyte, ``{0.__globals__}`` an escape, and the repr of a shared structure has no end.
Source: CVE-2023-41039 and CVE-2023-41050 (RestrictedPython), CVE-2017-5524 (Zope): attribute access in `str.format`.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # the splitting of field names that string.Formatter uses
import decimal
import operator
import re
import string
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from plataforma_sdk.sandbox.restricted._addresses import MARK
from plataforma_sdk.sandbox.restricted._containers import OrderedDict
from plataforma_sdk.sandbox.restricted._errors import shown_by
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._weights import MAX_TEXT, Scales

__all__ = ["MAX_WIDTH", "Texts", "check_codec"]

_Read: TypeAlias = Callable[[Any, str], Any]

MAX_WIDTH: Final = 4096
_MAX_SPEC: Final = 64
_MAX_EXPONENT: Final = 5_000
_FREE_BITS: Final = 512
_PERCENT: Final = re.compile(r"%(?:\(([^)]*)\))?([-#0 +]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?(.)", re.DOTALL)
_NUMBER: Final = re.compile(r"\d+")
_PLAIN: Final = frozenset({int, float, bool, str, type(None)})
_MAPPINGS: Final = frozenset({dict, OrderedDict})
_CONVERSIONS: Final[dict[int, Any]] = {ord("s"): str, ord("r"): repr, ord("a"): ascii}

_imod: Final[Callable[[Any, Any], Any]] = operator.imod
_PERCENT_TYPES: Final = frozenset({str, bytes, bytearray})
_CODECS: Final = frozenset(["utf8", "utf16", "utf16le", "utf16be", "utf32", "ascii", "latin1", "iso88591", "cp1252"])


def check_codec(name: Any = "utf-8", *_: Any) -> None:
    """Refuse codecs that are slow or that load code: idna and punycode are quadratic."""
    if type(name) is not str or len(name) > _MAX_SPEC or name.lower().replace("-", "").replace("_", "") not in _CODECS:
        shown = name[:40] if type(name) is str else type(name).__name__
        raise LookupError(f"the encoding {shown!r} is not available; there are utf-8, utf-16, ascii, latin-1")


class Texts:
    """The formatting of one sandbox."""

    def __init__(self, meter: Meter, scales: Scales, operators: Operators) -> None:
        self._meter = meter
        self._scales = scales
        self._operators = operators

    def modulo(self, left: Any, right: Any) -> Any:
        """``left % right``: formatting, or a remainder."""
        kind = type(left)
        if kind is str or kind is bytes:
            return self._percent(left, right)
        if kind is bytearray:
            return bytearray(self._percent(bytes(left), right))
        self._operators._size_division(left, right)
        return left % right

    def modulo_in_place(self, left: Any, right: Any) -> Any:
        """``left %= right``."""
        if type(left) in _PERCENT_TYPES:
            return self.modulo(left, right)
        self._operators._size_division(left, right)
        return _imod(left, right)

    def _percent(self, pattern: Any, values: Any) -> Any:
        text = pattern if type(pattern) is str else pattern.decode("latin-1")
        self._meter.charge(len(text) >> 6)
        named: list[Any] = []
        for found in _PERCENT.finditer(text):
            if found[1] is not None:
                named.append(self._named(values, found[1], type(pattern)))
            for width in (found[3], found[4]):
                if width == "*":
                    raise ValueError("a width given as '*' is not available; use an f-string")
                if width:
                    self._check_width(width)
        shown = named or (values if type(values) is tuple else (values,))
        for value in shown:
            self._check_decimal(value)
            if type(value) is int:
                self._charge_digits(value)
            self._weigh_error(value)
        self._scales.text(shown)
        made = pattern % values
        if type(made) is str and MARK in made:
            made = self._scales.addresses.hidden(made, values)
        return self._operators.grown(made)

    def _named(self, values: Any, key: str, kind: type) -> Any:
        """Look up what ``%(key)s`` shows: of a dict, whose look-up runs no code of the module's."""
        if type(values) not in _MAPPINGS:
            raise TypeError("'%(name)s' takes a dict in the restricted tier")
        if "(" in key:
            raise ValueError("a name in '%(name)s' has no brackets")
        return dict.get(values, key if kind is str else key.encode("latin-1"))

    def _check_width(self, width: str) -> None:
        if len(width) > 6 or int(width) > MAX_WIDTH:  # noqa: PLR2004
            self._meter.trip("memory", None, MAX_WIDTH, "characters of width")

    def _check_decimal(self, value: Any) -> None:
        """``f"{Decimal('1e999999'):f}"`` writes every zero."""
        if isinstance(value, decimal.Decimal) and value.is_finite() and abs(value.adjusted()) > _MAX_EXPONENT:
            raise ValueError(f"a Decimal with an exponent beyond {_MAX_EXPONENT} is not formatted; use str()")

    def _weigh_error(self, value: Any) -> None:
        """``str(OSError(1, "", value))`` writes a value that is not among the error's arguments."""
        if isinstance(value, BaseException):
            self._scales.text(shown_by(value))

    def format(self, value: Any, spec: Any = "", conversion: int = -1) -> str:
        """``f"{value!conversion:spec}"``."""
        kind = type(value)
        if kind is int:
            self._charge_digits(value)
            if not spec and conversion == -1:
                return int.__repr__(value)
        if kind is str:
            self._operators.grown(value)
        elif kind not in _PLAIN:
            self._weigh_error(value)
            self._scales.text(value)
        convert = _CONVERSIONS.get(conversion)
        if convert is not None:
            value = self._hidden(convert(value), value)
        if not spec:
            return self._operators.grown(self._hidden(format(value), value))  # type: ignore[no-any-return]
        self._check_spec(spec)
        self._check_decimal(value)
        return self._operators.grown(format(value, spec))  # type: ignore[no-any-return]

    def _check_spec(self, spec: Any) -> None:
        if type(spec) is not str or len(spec) > _MAX_SPEC:
            raise ValueError(f"a format is a text of at most {_MAX_SPEC} characters")
        for found in _NUMBER.finditer(spec):
            self._check_width(found[0])

    def str_format(self, pattern: str, args: tuple[Any, ...], kwargs: dict[str, Any], read: _Read) -> str:
        """``pattern.format(*args, **kwargs)``; `read` is what loads an attribute, ``{0.name}``, behind its guard."""
        return self._fill(pattern, _Fields(args, kwargs, read), depth=0)

    def _fill(self, pattern: str, fields: _Fields, depth: int) -> str:
        if depth > 1:
            raise ValueError("Max string recursion exceeded")
        parts: list[str] = []
        size = 0
        self._meter.charge(len(pattern) >> 5)
        for literal, field, spec, conversion in string.Formatter().parse(pattern):
            parts.append(literal)
            if field is None:
                continue
            if conversion and conversion not in "rsa":
                raise ValueError(f"Unknown conversion specifier {conversion}")
            value = fields.value(field)
            spec = self._fill(spec, fields, depth + 1) if spec and "{" in spec else spec or ""  # noqa: PLW2901
            parts.append(self.format(value, spec, ord(conversion) if conversion else -1))
            self._meter.charge(1)
            size += len(parts[-1]) + len(literal)
            if size > MAX_TEXT:
                self._meter.trip("memory", size, MAX_TEXT, "bytes")
        return self._operators.grown("".join(parts))  # type: ignore[no-any-return]

    def text(self, value: Any = "", *rest: Any) -> str:
        """``str(value)``, or ``str(data, encoding)``."""
        if rest:
            if type(value) is bytes or type(value) is bytearray:  # of nothing else a text can be decoded
                self._operators.grown(value)
                check_codec(*rest[:1])
            return self._operators.grown(str(value, *rest))  # type: ignore[no-any-return]
        if type(value) is int:
            self._charge_digits(value)
        elif type(value) not in _PLAIN:
            self._weigh_error(value)
            self._scales.text(value)
        return self._operators.grown(self._hidden(str(value), value))  # type: ignore[no-any-return]

    def _hidden(self, text: str, value: Any) -> str:
        """Put numbers of the sandbox's own for the addresses in what C wrote of `value`."""
        return self._scales.addresses.hidden(text, value) if MARK in text and type(value) is not str else text

    def _charge_digits(self, number: int) -> None:
        """Charge the writing of a long number: it is quadratic, 15 µs for 4,000 digits."""
        bits = number.bit_length()
        if bits > _FREE_BITS:
            self._meter.charge(bits * bits >> 19)

    def repr(self, value: Any) -> str:
        """``repr(value)``."""
        if type(value) is int:
            self._charge_digits(value)
        self._scales.text(value)
        return self._operators.grown(self._hidden(repr(value), value))  # type: ignore[no-any-return]

    def ascii(self, value: Any) -> str:
        """``ascii(value)``."""
        self._scales.text(value)
        return self._operators.grown(self._hidden(ascii(value), value))  # type: ignore[no-any-return]


class _Fields:
    """Finds the values that the fields of a format name, counting those without a name."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], read: _Read) -> None:
        self._args = args
        self._kwargs = kwargs
        self._read = read
        self._number = 0
        self._is_counted: bool | None = None

    def value(self, field: str) -> Any:
        """Return what ``{field}`` stands for: ``0``, ``name``, ``0.attribute``, ``name[key]``, in any order."""
        first, rest = _string.formatter_field_name_split(field)
        value = self._first(first)
        for is_attribute, key in rest:
            if len(field) > _MAX_SPEC:
                raise ValueError(f"a field of more than {_MAX_SPEC} characters")
            value = self._read(value, key) if is_attribute else value[key]
        return value

    def _first(self, first: Any) -> Any:
        is_counted = first == ""
        if is_counted or type(first) is int:
            if self._is_counted is not None and self._is_counted is not is_counted:
                way = "automatic field numbering to manual field specification"
                back = "manual field specification to automatic field numbering"
                raise ValueError(f"cannot switch from {back if is_counted else way}")
            self._is_counted = is_counted
            if is_counted:
                first, self._number = self._number, self._number + 1
            if first >= len(self._args):
                raise IndexError(f"Replacement index {first} out of range for positional args tuple")
            return self._args[first]
        return self._kwargs[first]
