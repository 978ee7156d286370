"""The builtins of a module: the same names, each bounded, and none of those that lead out."""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import abc
import builtins
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._classes import Classes
from plataforma_sdk.sandbox.restricted._containers import make_slice, seal_descriptors
from plataforma_sdk.sandbox.restricted._folds import Folds
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._iterables import Iterables
from plataforma_sdk.sandbox.restricted._lazy import LazyBuiltins
from plataforma_sdk.sandbox.restricted._methods import Methods, attribute_named
from plataforma_sdk.sandbox.restricted._sealed import SealedType, Sentinel, seal_type, unseal_type
from plataforma_sdk.sandbox.restricted._texts import Texts, check_codec
from plataforma_sdk.sandbox.restricted._type_methods import TypeMethods
from plataforma_sdk.sandbox.restricted._weights import MAX_TEXT, Scales

__all__ = ["Builtins"]

_ABSTRACT_UNITS: Final = 16
"""Asking an abstract class for a class that it has not seen takes up to 60 µs, and 0.5 µs from then on."""

_MAX_DIGITS: Final = 4_300
_MAX_ROUNDING: Final = 1_000
_MISSING: Final = object()
_DIGITS: Final = frozenset({str, bytes, bytearray})


class Builtins:
    """The builtin functions and types of one sandbox."""

    def __init__(  # noqa: PLR0917
        self,
        meter: Meter,
        scales: Scales,
        operators: Operators,
        iterables: Iterables,
        texts: Texts,
        methods: Methods,
        classes: Classes,
        output: Callable[[str], None],
    ) -> None:
        self._meter = meter
        self._scales = scales
        self._operators = operators
        self._iterables = iterables
        self._texts = texts
        self._methods = methods
        self._classes = classes
        self._output = output
        self.typed = TypeMethods(meter, methods)
        self.folds = Folds(meter, scales, operators, iterables)
        self._tokens: dict[type, SealedType] = {}

    def table(self) -> dict[str, Any]:
        """Return the builtins by name."""
        types_by_name = self._types()
        self._tokens.update({stand_in._sdk_type: stand_in for stand_in in types_by_name.values()})
        self._tokens[Sentinel] = types_by_name["object"]
        return self._functions() | types_by_name | _ERRORS

    # --- types ---------------------------------------------------------------------------------------------------

    def _types(self) -> dict[str, SealedType]:
        unique, typed = self._iterables.unique, self.typed
        made: list[tuple[type, Callable[..., Any], dict[str, Any]]] = [
            (str, self._texts.text, {"maketrans": typed.make_translation}),
            (int, self.make_int, {"from_bytes": self._from_bytes}),
            (float, self.make_float, {}),
            (bool, bool, {}),
            (complex, self._make_complex, {}),
            (bytes, self.make_bytes, {"fromhex": self._from_hex}),
            (bytearray, self.make_bytearray, {}),
            (list, self.make_list, {}),
            (tuple, self.make_tuple, {}),
            (dict, self.make_dict, {"fromkeys": self._from_keys}),
            (set, self.make_set, {}),
            (frozenset, lambda items=(): frozenset(unique(items)), {}),
            (range, self._iterables.make_range, {}),
            (slice, make_slice, {}),
            (object, Sentinel, {}),
        ]
        return (
            seal_descriptors()
            | {kind.__name__: seal_type(kind, make, members, unbound=typed.unbound) for kind, make, members in made}
            | {kind.__name__: seal_type(kind, _not_made) for kind in _POSITIONED}
            | {kind.__name__: seal_type(kind, _made_plainly(kind)) for kind in _LINKED}
        )

    def make_int(self, *args: Any, **kwargs: Any) -> int:
        """``int(...)``."""
        if args:
            value = args[0]
            if type(value) in _DIGITS:
                if len(value) > _MAX_DIGITS:
                    raise ValueError(f"an integer of more than {_MAX_DIGITS:,} digits")
                self._meter.charge(len(value) * len(value) >> 15)  # reading digits is quadratic
            self.check_exponent(value)
        return int(*args, **kwargs)

    def counted(self, count: int) -> Iterator[Any]:
        """Count up to `count` with fuel."""
        return self._iterables.bounded(range(count))

    def check_exponent(self, value: Any) -> None:
        """Refuse a Decimal whose integer would have no end of digits."""
        adjusted = getattr(value, "adjusted", None) if type(value).__name__ == "Decimal" else None
        if adjusted is not None and value.is_finite():
            self._meter.charge(max(adjusted(), 0) >> 4)
        if adjusted is not None and value.is_finite() and adjusted() > _MAX_DIGITS:
            raise ValueError(f"a Decimal of more than {_MAX_DIGITS:,} digits before the point")

    def make_float(self, *args: Any) -> float:
        """``float(...)``."""
        if args and type(args[0]) in _DIGITS:
            self._meter.charge(len(args[0]) >> 6)
            if len(args[0]) > _MAX_DIGITS:
                raise ValueError("a number of too many digits")
        return float(*args)

    def _make_complex(self, *args: Any) -> complex:
        if any(type(item) is str and len(item) > _MAX_DIGITS for item in args):
            raise ValueError("a number of too many digits")
        return complex(*args)

    def _in_base(self, write: Callable[[Any], str]) -> Callable[[Any], str]:
        """Guard `bin`, `oct` and `hex`: a text of up to 32,768 characters for one integer."""
        grown = self._operators.grown
        return types.MethodType(lambda convert, number: grown(convert(number)), write)

    def make_bytes(self, source: Any = b"", *args: Any) -> bytes:
        """``bytes(...)``."""
        if args:  # before C encodes the name itself, of megabytes
            check_codec(*args[:1])
        if isinstance(source, int):
            if source > MAX_TEXT:
                self._meter.trip("memory", source, MAX_TEXT, "bytes")
        elif type(source) is str:
            if len(args) > 1 and args[1] not in ("strict", "ignore", "replace"):
                raise LookupError("errors= takes strict, ignore or replace")
        elif hasattr(type(source), "__iter__"):
            source = self._iterables.star(source)
        return self._operators.grown(bytes(source, *args))  # type: ignore[no-any-return]

    def make_bytearray(self, source: Any = b"", *args: Any) -> bytearray:
        """``bytearray(...)``."""
        return bytearray(self.make_bytes(source, *args))

    def make_list(self, items: Any = ()) -> list[Any]:
        """``list(...)``."""
        return list(self._iterables.star(items))

    def make_tuple(self, items: Any = ()) -> tuple[Any, ...]:
        """``tuple(...)``."""
        return tuple(self._iterables.star(items))

    def make_set(self, items: Any = ()) -> set[Any]:
        """``set(...)``."""
        return self._iterables.unique(items)

    def make_dict(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        """``dict(...)``."""
        if not args:
            return kwargs
        made = self._iterables.mapping(*args)
        made.update(kwargs)
        return made

    def _from_bytes(self, data: Any, *args: Any, **kwargs: Any) -> int:
        return self._operators.grown(int.from_bytes(self._iterables.star(data)[:_MAX_DIGITS], *args, **kwargs))  # type: ignore[no-any-return]

    def _from_hex(self, text: Any) -> bytes:
        if type(text) is not str:
            raise TypeError("fromhex() takes a text")
        self._meter.charge(len(text) >> 6)
        return self._operators.grown(bytes.fromhex(text))  # type: ignore[no-any-return]

    def _from_keys(self, keys: Any, value: Any = None) -> dict[Any, Any]:
        return self._iterables.keyed(keys, value)

    # --- functions -----------------------------------------------------------------------------------------------

    def _functions(self) -> dict[str, Any]:
        texts, lazy = self._texts, LazyBuiltins(self._meter, self._iterables)
        return _NATIVE | {
            "__build_class__": self._classes.build_class,
            "round": self.round,
            "divmod": self._operators.divmod,
            "bin": self._in_base(bin),
            "oct": self._in_base(oct),
            "hex": self._in_base(hex),
            "pow": self._operators.pow,
            "issubclass": self.issubclass,
            "isinstance": self.isinstance,
            "hash": self.hash,
            "repr": texts.repr,
            "ascii": texts.ascii,
            "format": texts.format,
            "sum": self.folds.sum,
            "min": self.folds.extreme(min),
            "max": self.folds.extreme(max),
            "sorted": self.sorted,
            "any": self.any,
            "all": self.all,
            "enumerate": lazy.enumerate,
            "zip": lazy.zip,
            "map": lazy.map,
            "filter": lazy.filter,
            "reversed": reversed,
            "iter": lazy.iter,
            "next": lazy.next,
            "getattr": self.getattr,
            "hasattr": self.hasattr,
            "setattr": self.setattr,
            "delattr": self.delattr,
            "print": self.print,
            "type": self.kind,
            "id": self._scales.addresses.identity,
            "anext": self.anext,
        }

    def round(self, number: Any, digits: Any = None) -> Any:
        """``round(...)``."""
        self.check_exponent(number)
        if digits is None:
            return round(number)
        if type(digits) is not int or abs(digits) > _MAX_ROUNDING:
            raise ValueError(f"digits beyond {_MAX_ROUNDING}")
        self._operators.size_rounding(number, digits)
        return round(number, digits)

    def isinstance(self, value: Any, kind: Any) -> bool:
        """``isinstance(...)``."""
        return isinstance(value, self._unsealed(kind))

    def issubclass(self, cls: Any, kind: Any) -> bool:
        """``issubclass(...)``."""
        return issubclass(unseal_type(cls), self._unsealed(kind))

    def _unsealed(self, kind: Any) -> Any:
        """Charge the walk over many types: one call of ``isinstance`` is no unit by itself."""
        kind = unseal_type(kind)
        if type(kind) is tuple:
            self._meter.charge(len(kind) << 2)
            if abc.ABCMeta in map(type, kind):
                self._meter.charge(len(kind) * _ABSTRACT_UNITS)
        elif type(kind) is abc.ABCMeta:
            self._meter.charge(_ABSTRACT_UNITS)
        return kind

    def hash(self, value: Any) -> int:
        """``hash(...)``."""
        return self._scales.addresses.hash(value, hash(self._scales.hashed(value)))

    def sorted(self, items: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
        """``sorted(...)``."""
        made = self.make_list(items)
        self._methods.sort(made, key, reverse=reverse)
        return made

    def anext(self, iterator: Any, *default: Any) -> Any:
        """``anext(...)``; with a default, CPython's own object crashes when a chain of them is freed."""
        if not default:
            return anext(iterator)
        return self._iterables.generator_function(_anext_or)(iterator, *default)

    def any(self, items: Any) -> bool:
        """``any(...)``."""
        result = any(self._iterables.consumed(items))
        self._meter.check()
        return result

    def all(self, items: Any) -> bool:
        """``all(...)``."""
        result = all(self._iterables.consumed(items))
        self._meter.check()
        return result

    # --- attributes by name ------------------------------------------------------------------------------------------

    def getattr(self, value: Any, name: Any, default: Any = _MISSING) -> Any:
        """``getattr(...)``."""
        try:
            return self._methods.read(value, name)
        except AttributeError:
            if default is _MISSING:
                raise
            return default

    def hasattr(self, value: Any, name: Any) -> bool:
        """``hasattr(...)``."""
        try:
            self.getattr(value, name)
        except AttributeError:
            return False
        return True

    def setattr(self, target: Any, name: Any, value: Any) -> None:
        """``setattr(...)``."""
        setattr(self._classes.writable(target), attribute_named(name), value)

    def delattr(self, target: Any, name: Any) -> None:
        """``delattr(...)``."""
        delattr(self._classes.writable(target), attribute_named(name))

    def kind(self, value: Any) -> Any:
        """``type(value)``: the module's own classes as they are, any other type as a stand-in."""
        kind = type(value)
        if isinstance(kind, self._classes.meta):
            return kind
        stand_in = self._tokens.get(kind)
        if stand_in is None:
            if isinstance(value, Exception) and kind.__module__ == "builtins":
                return kind
            stand_in = self._tokens[kind] = seal_type(kind, _not_made)
        return stand_in

    def print(self, *values: Any, sep: Any = " ", end: Any = "\n", flush: Any = False) -> None:  # noqa: ARG002
        """``print(...)``: output goes to the host's log."""
        for name, value in (("sep", sep), ("end", end)):
            if value is not None and type(value) is not str:
                raise TypeError(f"{name} must be None or a string, not {type(value).__name__}")
        text = (" " if sep is None else sep).join([self._texts.text(value) for value in values])
        self._operators.grown(text)
        self._meter.charge(1 + (len(text) >> 8))
        self._output(text)


async def _anext_or(iterator: Any, default: Any) -> Any:
    try:
        return await anext(iterator)
    except StopAsyncIteration:
        return default


def _made_plainly(kind: type[Exception]) -> Callable[..., Exception]:
    def make(*args: Any) -> Exception:
        if len(args) > 1 or any(type(item) not in (str, int, float, bool, type(None)) for item in args):
            raise TypeError(f"{kind.__name__}() takes one text in the restricted tier")
        return kind(*args)

    return make


def _not_made(*_: Any, **__: Any) -> Any:
    raise TypeError("objects of this type are not made by calling it")


_NATIVE: Final[dict[str, Any]] = {
    "abs": abs,
    "callable": callable,
    "chr": chr,
    "ord": ord,
    "len": len,
    "hex": hex,
    "oct": oct,
    "bin": bin,
    "Ellipsis": Ellipsis,
    "NotImplemented": NotImplemented,
    "aiter": aiter,
    "super": super,
}
"""What is harmless as it is."""

_POSITIONED: Final = (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
"""Errors that are caught but not made: str() of one with a position of the module's choosing reads any memory.

Source: CPython gh-123378.
"""

_LINKED: Final = (AttributeError, NameError, UnboundLocalError, ImportError, ModuleNotFoundError, SyntaxError)
"""Errors that keep objects beside their arguments: freeing a chain of some 100,000 of them overruns the C stack."""

_ERRORS: Final[dict[str, Any]] = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception) and not issubclass(value, BaseExceptionGroup)
    if value not in (*_POSITIONED, *_LINKED)
}
