"""Sealed twins of the error classes, generated from `plataforma_sdk.errors`.

``except PermissionDeniedError`` works in a module, and the exception that it catches carries the same fields; but the
class it names is a twin, sealed, so that nothing of the host's own classes is in the module's hands.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk import errors
from plataforma_sdk.errors import HostCallError, PlataformaError
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta, SealedMethod

__all__ = ["TWINS", "from_twin", "shown_by", "to_twin"]

_PASSED: Final = (TypeError, ValueError, KeyError, IndexError, AttributeError, LookupError, TimeoutError, RuntimeError)
_MAX_TEXT: Final = 2_000
_MAX_BITS: Final = 64
_MAX_CHARS: Final = 65_536
_MAX_DEPTH: Final = 4
_MAX_VALUES: Final = 100
_FIELDS: Final[dict[type[BaseException], tuple[str, ...]]] = {
    OSError: ("errno", "strerror", "filename", "filename2"),
    SyntaxError: ("msg", "filename", "lineno"),
    UnicodeDecodeError: ("encoding", "reason"),
    UnicodeEncodeError: ("encoding", "reason"),
    UnicodeTranslateError: ("reason",),
}
"""Class of error -> what its ``str`` shows beside its arguments."""
_MAX_FIELD_VALUES: Final = 2_000
_MAX_FIELD_DEPTH: Final = 16
_MAX_FIELD_BITS: Final = 1_024
_MAX_NAME: Final = 80
_CUT: Final = "..."


def _make_init(original: type[PlataformaError]) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        if not isinstance(self, TWINS[original.__name__]):
            raise TypeError(f"{original.__name__}.__init__ takes a {original.__name__}, not a {type(self).__name__}")
        for value in (*args, *kwargs.values()):
            _check_argument(value)
        _fill(self, original(*args, **kwargs))

    return SealedMethod(__init__)


def _check_argument(value: Any, depth: int = 0) -> int:
    """Refuse what the original's constructor, which is host code, would format or iterate over without end.

    Returns how many values there are.
    """
    kind = type(value)
    if kind in (list, dict) and depth < _MAX_DEPTH and len(value) <= _MAX_VALUES:
        items = [*value, *value.values()] if kind is dict else value
        count = 1 + sum(_check_argument(item, depth + 1) for item in items)
    else:
        is_plain = kind in (str, int, float, bool, type(None))
        is_long = (kind is int and value.bit_length() > _MAX_BITS) or (kind is str and len(value) > _MAX_CHARS)
        if not is_plain or is_long:
            raise TypeError("in the restricted tier these errors are made of short texts and numbers")
        count = 1
    if count > _MAX_VALUES:
        raise TypeError(f"an error carries at most {_MAX_VALUES} values")
    return count


def _fill(twin: Any, error: PlataformaError) -> None:
    """Copy the fields of an error of the host's: what is no plain data is shown as text."""
    twin.args = (error.message,)
    twin.message = error.message
    copier = _Copier(lambda value: str(value)[:_MAX_TEXT])
    for field in error.fields:
        setattr(twin, field, copier.copy(getattr(error, field, None)))


@attrs.define
class _Copier:
    """Copies plain data into exact builtin values, within bounds; of anything else only a name is left.

    A module may set the fields of an error to objects with a ``__str__``, to structure that holds itself, or to a list
    that is shared 2**40 times: none of its code runs here, and the copy has an end.
    """

    _named: Callable[[Any], str]
    _left: int = _MAX_FIELD_VALUES

    def copy(self, value: Any, depth: int = 0) -> Any:
        """Return the copy."""
        self._left -= 1
        if self._left < 0 or depth > _MAX_FIELD_DEPTH:
            return _CUT
        if type(value) is list or type(value) is tuple:
            return [self.copy(item, depth + 1) for item in value[: max(self._left, 0)]]
        if type(value) is dict:
            pairs = itertools.islice(value.items(), max(self._left, 0))
            return {str(self._scalar(key)): self.copy(item, depth + 1) for key, item in pairs}
        return self._scalar(value)

    def _scalar(self, value: Any) -> Any:
        if value is None or type(value) is bool or type(value) is float:
            return value
        if isinstance(value, str):
            return str.__getitem__(value, slice(_MAX_CHARS))
        if isinstance(value, bytes):
            return bytes.__getitem__(value, slice(_MAX_CHARS))
        if isinstance(value, int) and int.bit_length(value) <= _MAX_FIELD_BITS:
            return int.__add__(value, 0)
        return self._named(value)


def _kind_of(value: Any) -> str:
    return f"<{type(value).__name__[:_MAX_NAME]}>"


def _make_twins() -> dict[str, Any]:
    twins: dict[str, Any] = {}
    originals = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, PlataformaError)]
    for original in sorted(originals, key=lambda cls: len(cls.__mro__)):
        parent = twins.get(original.__mro__[1].__name__, Exception)
        body = {
            "__init__": _make_init(original),
            "__module__": "plataforma_sdk",
            "__doc__": None,
            "_sdk_class": original,
        }
        twins[original.__name__] = SealedMeta(original.__name__, (parent,), body)
    return twins


TWINS: Final = _make_twins()
"""Name of an error class -> its twin."""


def to_twin(error: Exception) -> Exception:
    """Return what a module sees of an error of the host's; nothing of the error itself is kept."""
    if not isinstance(error, PlataformaError):
        text = _text_of(error)
        for kind in _PASSED:
            if type(error) is kind:
                return kind(text)
        error = HostCallError(type(error).__name__, text)
    cls = TWINS.get(type(error).__name__) or TWINS["PlataformaError"]
    twin: Exception = cls.__new__(cls)
    _fill(twin, error)
    return twin


def shown_by(error: BaseException) -> tuple[Any, ...]:
    """Return what ``str(error)`` writes: its arguments, and what some classes keep beside them, in C or settable."""
    shown: list[Any] = list(error.args) if type(error.args) is tuple else []
    for kind, fields in _FIELDS.items():
        if isinstance(error, kind):
            shown += [vars(kind)[field].__get__(error) for field in fields]
    return tuple(shown)


def from_twin(error: BaseException, module: str) -> PlataformaError | None:
    """Return the host's error behind a twin that a module let through, or None where it is no twin."""
    original = vars(type(error)).get("_sdk_class")  # a subclass of the module's own is a fault of the module
    if original is None:
        return None
    held, copier = vars(error), _Copier(_kind_of)
    fields = {name: copier.copy(held.get(name)) for name in original.fields}
    fields["module"] = fields.get("module") or module
    message = held.get("message")
    rebuilt: PlataformaError = original._rebuild(message[:_MAX_TEXT] if type(message) is str else "", fields)
    return rebuilt


def _text_of(error: Exception) -> str:
    """Write the message of an error that came out of a call of the host's.

    It may be an error of the module's, passing through a function of the host's that called back: then neither its
    ``__str__`` nor the repr of what it carries has an end.
    """
    if type(type(error)) is type and type(error).__module__ != "builtins":
        return str(error)[:_MAX_TEXT]
    copier, args = _Copier(_kind_of), BaseException.args.__get__(error)  # type: ignore[attr-defined]
    is_plain = all(
        type(item) in (str, bytes) or isinstance(item, Path) or copier.copy(item) is item for item in shown_by(error)
    )
    if is_plain and type(type(error)) is type and not isinstance(error, UnicodeError):
        return str(error)[:_MAX_TEXT]
    return ", ".join([str(copier._scalar(item))[:_MAX_TEXT] for item in args[:_MAX_DEPTH]])[:_MAX_TEXT]
