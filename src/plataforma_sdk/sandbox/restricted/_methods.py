"""Calling and loading methods of builtin values: what `COSTS` lists, at its price, and nothing else."""

from __future__ import annotations

import collections
import datetime
import decimal
import types
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from plataforma_sdk.sandbox.restricted._containers import Deque
from plataforma_sdk.sandbox.restricted._costs import COSTS
from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT, Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._iterables import Iterables
from plataforma_sdk.sandbox.restricted._method_names import GUARDED, HASHED
from plataforma_sdk.sandbox.restricted._names import PREFIX, is_frame_attribute, mangle
from plataforma_sdk.sandbox.restricted._tables import compact, compact_sometimes
from plataforma_sdk.sandbox.restricted._texts import Texts
from plataforma_sdk.sandbox.restricted._weights import DICTS, Scales, is_aware

__all__ = ["Methods", "attribute_named"]

_Args: TypeAlias = tuple[Any, ...]
_PLAIN_KINDS: Final = (types.FunctionType, types.MethodType, super)


class Methods:
    """The methods of builtin values in one sandbox.

    Attributes:
        costs: `COSTS`, and the sandbox's own types.
    """

    def __init__(  # noqa: PLR0917
        self, meter: Meter, scales: Scales, operators: Operators, iterables: Iterables, texts: Texts, sealed: type
    ) -> None:
        self.meter = meter
        self.scales = scales
        self.operators = operators
        self.iterables = iterables
        self.costs = dict(COSTS)
        self._texts = texts
        self._sealed = sealed
        self._special: dict[tuple[type, str], Callable[..., Any]] = {
            (str, "format"): lambda receiver, *args, **kwargs: texts.str_format(receiver, args, kwargs, self.read),
            (list, "sort"): self._sort,
            (list, "index"): self._index,
            (Deque, "index"): self._index,
            (set, "symmetric_difference_update"): self._symmetric_update,
            (collections.Counter, "update"): self._count,
            (collections.Counter, "subtract"): self._uncount,
        }

    def call(self, receiver: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """``receiver.method(*args, **kwargs)``."""
        kind = type(receiver)
        costs = self.costs.get(kind)
        if costs is None:
            return self._native(receiver, kind, method)(*args, **kwargs)
        special = self._special.get((kind, method))
        if special is not None:
            return special(receiver, *args, **kwargs)
        cost = costs.get(method)
        if cost is None:
            raise self._absent(kind, method)
        if kwargs:
            args, kwargs = self._positional(kind, method, args, kwargs)
        args = cost(self, receiver, args)
        result = getattr(receiver, method)(*args, **kwargs)
        return self.operators.grown(result)

    def make_call(self, meta: type) -> Callable[..., Any]:
        """Build ``_meth_``: as `call`, with a short way to the methods of the module's own classes."""
        slow = self.call

        def call(receiver: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            if type(type(receiver)) is meta and method != "mro":
                return getattr(receiver, method)(*args, **kwargs)
            return slow(receiver, method, *args, **kwargs)

        return call

    def _positional(self, kind: type, method: str, args: _Args, kwargs: dict[str, Any]) -> tuple[_Args, dict[str, Any]]:
        """Put keyword arguments where the cost function looks for them."""
        if method in ("update", "subtract") and kind in DICTS:
            return args, kwargs
        if method in ("encode", "decode"):
            args = args or (kwargs.pop("encoding", "utf-8"),)
            if "errors" in kwargs and len(args) == 1:  # the cost function refuses those that write many for one
                args += (kwargs.pop("errors"),)
            return args, kwargs
        if method in ("expandtabs", "split", "rsplit") and not args:
            first = kwargs.pop("tabsize", 8) if method == "expandtabs" else kwargs.pop("sep", None)
            return (first,), kwargs
        if method == "sort" or kind in _NAMED or self.costs[kind] is COSTS[decimal.Decimal]:
            return args, kwargs
        if set(kwargs) <= {"maxsplit", "keepends", "signed", "byteorder", "count", "last", "errors"}:
            return args, kwargs
        raise TypeError(f"{kind.__name__}.{method}() takes positional arguments here")

    def attribute(self, receiver: Any, name: str) -> Any:
        """``receiver.name``, not called: a bound method of a builtin value keeps its cost."""
        kind = type(receiver)
        costs = self.costs.get(kind)
        if costs is None:
            return self._native(receiver, kind, name)
        if name in costs or (kind, name) in self._special:
            return self._bound(receiver, name)
        if name in HASHED and hasattr(kind, name):
            native, hashed = getattr(receiver, name), self.scales.hashed
            return lambda key, *rest: native(hashed(key), *rest)
        raise self._absent(kind, name)

    def read(self, value: Any, name: Any) -> Any:
        """``getattr(value, name)``, the name as text."""
        attribute = attribute_named(name)
        if name in GUARDED or name in HASHED:
            return self.attribute(value, name)
        return getattr(value, attribute)

    def _bound(self, receiver: Any, name: str) -> Callable[..., Any]:
        call = self.call
        return lambda *args, **kwargs: call(receiver, name, *args, **kwargs)

    def _native(self, receiver: Any, kind: type, name: str) -> Any:
        """Load from what is no builtin value: the module's own objects, sealed ones, plain functions."""
        if isinstance(receiver, BaseException):
            if name in _REFUSED_OF_ERRORS and name not in vars(receiver):
                raise self._absent(kind, name)
            return getattr(receiver, name)
        if issubclass(type(kind), self._sealed):
            member = getattr(kind, "_sdk_member_value", None)
            if member is not None and not hasattr(receiver, name):  # a member of StrEnum has the methods of its text
                return self.attribute(member(receiver), name)
            return getattr(receiver, name)
        if issubclass(kind, self._sealed):  # one of the module's own classes
            if name == "mro":
                raise self._absent(kind, name)
            return getattr(receiver, name)
        if kind in _PLAIN_KINDS:
            return getattr(receiver, name)
        raise self._absent(kind, name)

    def _absent(self, kind: type, name: str) -> AttributeError:
        where = " in the restricted tier" if hasattr(kind, name) else ""  # what Python lacks too, it says in its words
        return AttributeError(f"{kind.__name__!r} object has no attribute {name!r}{where}")

    # --- special methods -----------------------------------------------------------------------------------------

    def _count(self, receiver: Any, items: Any = (), **counts: Any) -> None:
        self.iterables.count_into(receiver, items)
        self.iterables.count_into(receiver, counts)

    def _uncount(self, receiver: Any, items: Any = (), **counts: Any) -> None:
        self.iterables.count_into(receiver, items, -1)
        self.iterables.count_into(receiver, counts, -1)

    def _symmetric_update(self, receiver: set[Any], *args: Any) -> None:
        """The only method that leaves a table as large as it was."""
        receiver.symmetric_difference_update(*COSTS[set]["symmetric_difference_update"](self, receiver, args))
        compact(receiver)

    def _index(self, receiver: Any, *args: Any) -> Any:
        """``items.index(value)``: where it fails, C shows the value, however long its repr is, and its address.

        So C may say its own words of a short number or text alone.
        """
        args = COSTS[type(receiver)]["index"](self, receiver, args)
        if args:
            self.scales.weigh(args[0])
            if _is_short(args[0]):
                return receiver.index(*args)
        try:
            return receiver.index(*args)
        except ValueError:
            problem = "the value is not there"
        raise ValueError(problem)

    def _sort(self, receiver: list[Any], *, key: Any = None, reverse: bool = False) -> None:
        self.sort(receiver, key, reverse=reverse)

    def sort(self, items: list[Any], key: Any, *, reverse: bool) -> None:
        """Sort in place: comparisons of containers are weighed once for each element."""
        size = len(items)
        self.meter.charge((size * max(1, size.bit_length())) >> 6)
        keys = items if key is None else [key(item) for item in items]
        if len(keys) != len(items):
            raise ValueError("list modified during sort")
        if not self.meter.cheap.issuperset(map(type, keys)):
            rounds = max(1, size.bit_length())
            for number, item in enumerate(keys):
                if not number & _STRETCH_MASK:  # a million are weighed in a second, so the clock is looked at
                    self.meter.charge(_STRETCH_UNITS)
                self.scales.weigh(item)
                if type(item) is str or type(item) is bytes:
                    self.meter.charge((len(item) >> 12) * rounds)
                elif is_aware(item):
                    self.meter.charge((rounds >> 1) + 1)
        if key is None:
            items.sort(reverse=reverse)
        else:
            items[:] = [items[at] for at in sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)]

    # --- the hottest methods ---------------------------------------------------------------------------------------

    def quick_join(self) -> Callable[[Any, Any], Any]:
        """Build ``text.join(parts)``, with a short way for few parts of a module that never had a large text."""
        meter, grown, call = self.meter, self.operators.grown, self.call

        def join(receiver: Any, parts: Any) -> Any:
            if type(parts) is list and type(receiver) is str and len(parts) < _FEW and meter.largest < LARGE_TEXT:
                result = receiver.join(parts)
                return result if len(result) < _SHORT else grown(result)
            return call(receiver, "join", parts)

        return join

    def quick_replace(self) -> Callable[[Any, Any, Any], Any]:
        """Build ``text.replace(old, new)``, with a short way for short texts."""
        call = self.call

        def replace(receiver: Any, old: Any, new: Any) -> Any:
            if type(receiver) is str and type(old) is str and type(new) is str:  # noqa: SIM102
                if len(receiver) * len(new) < _SHORT and len(new) < _SHORT:
                    return receiver.replace(old, new)
            return call(receiver, "replace", old, new)

        return replace

    def popped(self, receiver: Any) -> Any:
        """``items.pop()``, which finds the first item of a set by a walk over its table."""
        if type(receiver) is set:
            compact_sometimes(receiver)
        return receiver.pop()

    def quick_discard(self) -> Callable[[Any, Any], Any]:
        """Build ``items.discard(item)``, with a short way for a set and a plain key."""
        call, hiding = self.call, self.meter.hiding

        def discard(receiver: Any, item: Any) -> Any:
            if type(receiver) is not set or type(item) in hiding:
                return call(receiver, "discard", item)
            receiver.discard(item)
            compact_sometimes(receiver)
            return None

        return discard


def attribute_named(name: Any) -> str:
    """Check the name of an attribute that came as text, and return what it is called inside."""
    if type(name) is not str:
        raise TypeError("the name of an attribute is a str")
    if len(name) > _MAX_NAME:  # an error would repeat it
        raise AttributeError(f"the name of an attribute has at most {_MAX_NAME} characters")
    if name.startswith(("__", PREFIX)) or name.endswith("__roles__") or is_frame_attribute(name):
        raise AttributeError(f"the attribute {name!r} is reserved")
    return mangle(name)


def _is_short(value: Any) -> bool:
    """Tell whether ``repr(value)`` is, and tells of nothing but the value."""
    kind = type(value)
    return kind in _SMALL or (kind is str and len(value) <= _FEW) or (kind is int and value.bit_length() <= _FEW)


_SMALL: Final = frozenset({float, bool, type(None)})
_NAMED: Final = frozenset({datetime.datetime, datetime.date, datetime.time})
_MAX_NAME: Final = 256
_STRETCH_MASK: Final = 127
_STRETCH_UNITS: Final = 16
_FEW: Final = 64
_SHORT: Final = 512
_REFUSED_OF_ERRORS: Final = frozenset(["obj", "object", "add_note", "with_traceback"])
