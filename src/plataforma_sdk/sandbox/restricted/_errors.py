"""Sealed twins of the error classes, generated from `plataforma_sdk.errors`.

``except PermissionDeniedError`` works in a module, and the exception that it catches carries the same fields; but the
class it names is a twin, sealed, so that nothing of the host's own classes is in the module's hands.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

from typing import Any, Final

from plataforma_sdk import errors
from plataforma_sdk.errors import HostCallError, PlataformaError
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta, SealedMethod

__all__ = ["TWINS", "from_twin", "to_twin"]

_PASSED: Final = (TypeError, ValueError, KeyError, IndexError, AttributeError, LookupError, TimeoutError, RuntimeError)
_MAX_TEXT: Final = 2_000
_MAX_BITS: Final = 64
_MAX_CHARS: Final = 65_536
_MAX_DEPTH: Final = 4
_MAX_VALUES: Final = 100


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
    twin.args = (error.message,)
    twin.message = error.message
    for field in error.fields:
        value = getattr(error, field, None)
        setattr(twin, field, value if isinstance(value, str | int | float | type(None)) else _plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bytes | type(None)) else str(value)[:_MAX_TEXT]


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
        text = str(error)[:_MAX_TEXT]
        for kind in _PASSED:
            if type(error) is kind:
                return kind(text)
        error = HostCallError(type(error).__name__, text)
    cls = TWINS.get(type(error).__name__) or TWINS["PlataformaError"]
    twin: Exception = cls.__new__(cls)
    _fill(twin, error)
    return twin


def from_twin(error: BaseException, module: str) -> PlataformaError | None:
    """Return the host's error behind a twin that a module let through, or None where it is no twin."""
    original = vars(type(error)).get("_sdk_class")  # a subclass of the module's own is a fault of the module
    if original is None:
        return None
    fields = {name: _plain(vars(error).get(name)) for name in original.fields}
    fields["module"] = fields.get("module") or module
    rebuilt: PlataformaError = original._rebuild(str(vars(error).get("message", ""))[:_MAX_TEXT], fields)
    return rebuilt
