"""What a module can reach, and how large it is: a walk over its own objects that stops at everything of the host's.

Sizes are those of `sys.getsizeof`; shared objects count once. Nothing of the module's is called: sizes and contents
come from C, so a class cannot lie about itself or burn fuel here.

The walk goes in breadth: containers are added up before the thousand numbers in each of them are looked at, so that a
module which holds too much is known early. An object with a single owner is met only there and is not remembered, which
spares most of the memory that a walk would take itself. Of a big container whose every so many-th element is a number
or a text the rest is taken for the same; a thorough walk does not believe that.
"""

from __future__ import annotations

import gc
import inspect
import itertools
import sys
import types
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from plataforma_sdk.sandbox.restricted._crossing import Box
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, DICTS, SCALARS

__all__ = ["Reach"]

_Inside: TypeAlias = Callable[[Any], list[Any]]

_SLOT_BYTES: Final = 8
"""The values of an object's attributes lie beside it, and `sys.getsizeof` does not count them."""

_BIG: Final = 1_024
_SAMPLES: Final = 128
_SLICED: Final = (list, tuple)

_TRANSPARENT: Final = frozenset(["builtins", "itertools", "collections", "functools", "operator", "re", "types"])
"""Modules of C types that hold what they were given: iterators, views, methods, partial functions, matches."""

_ENGINE: Final = "plataforma_sdk"
_HOSTS: Final = (type, types.ModuleType, types.CodeType)


class Reach:
    """Walks what one sandbox holds.

    Args:
        meta: the metaclass of the module's own classes.
        namespaces: file -> its globals.
        template: globals that are the engine's, the same in each file.

    Attributes:
        visited: objects looked at by the last measure.
    """

    def __init__(self, meta: type, namespaces: Mapping[str, dict[str, Any]], template: Mapping[str, Any]) -> None:
        self.visited = 0
        self._meta = meta
        self._namespaces = namespaces
        self._engine_names = frozenset(template) | {"__builtins__", "__name__"}
        self._fuel = template["_fuel_"]
        self._own: frozenset[int] = frozenset()
        self._estimated = 0
        self._plain: dict[Any, _Inside | None] = dict.fromkeys(SCALARS)
        self._plain |= {types.FunctionType: self._function, types.FrameType: self._frame}
        self._thorough = dict.fromkeys(CONTAINERS - DICTS, list) | dict.fromkeys(DICTS, self._items)
        self._quick = dict.fromkeys(CONTAINERS - DICTS, self._sampled) | dict.fromkeys(DICTS, self._sampled_items)

    def measure(
        self, roots: Iterable[Any], frame: types.FrameType | None, limit: int, *, is_thorough: bool = False
    ) -> int:
        """Add up what is reachable from the module's globals, from `roots`, and from its frames under `frame`.

        Stops adding beyond `limit`. Cost: 0.1 to 0.4 µs an object; nothing for the many numbers or texts of a big
        container, unless the walk is thorough.
        """
        self._own = frozenset(map(id, self._namespaces.values()))
        self._estimated = self.visited = 0
        found = [*roots, *self._namespaces.values()]
        while frame is not None:
            if self._is_own(frame.f_globals):
                found.extend(_locals(frame))
            frame = frame.f_back
        return self._walk(found, limit, self._plain | (self._thorough if is_thorough else self._quick))

    def _walk(self, found: list[Any], limit: int, kinds: dict[Any, _Inside | None]) -> int:
        seen: set[int] = set()
        waiting: deque[tuple[_Inside, Any]] = deque()
        size, owners = sys.getsizeof, sys.getrefcount
        total = 0
        while True:
            self.visited += len(found)
            for value in found:
                if owners(value) > _ALONE:
                    if id(value) in seen:
                        continue
                    seen.add(id(value))
                kind = type(value)
                if kind not in kinds:
                    kinds[kind] = self._of_kind(kind)
                inside = kinds[kind]
                if inside is not _hosts:
                    total += size(value)
                    if inside is not None:
                        waiting.append((inside, value))
            if total + self._estimated > limit or not waiting:
                return total + self._estimated
            inside, value = waiting.popleft()
            found = inside(value)
            if inside is _referents:
                total += _SLOT_BYTES * len(found)

    def _sampled(self, values: Any) -> list[Any]:
        """Open a container; one of many scalars is estimated, each divided by its owners, and stays closed."""
        if len(values) <= _BIG:
            return list(values)
        step = len(values) // _SAMPLES
        samples = values[::step] if type(values) in _SLICED else list(itertools.islice(values, 0, None, step))
        if not SCALARS.issuperset(map(type, samples)):
            return list(values)
        shares = [sys.getsizeof(item) / max(sys.getrefcount(item) - _ALONE + 1, 1) for item in samples]
        self._estimated += int(sum(shares) / len(shares) * len(values))
        return []

    def _sampled_items(self, mapping: Mapping[Any, Any]) -> list[Any]:
        if len(mapping) <= _BIG:
            return self._items(mapping)
        return [*self._sampled(mapping), *self._sampled(_values(mapping))]

    def _items(self, mapping: Mapping[Any, Any]) -> list[Any]:
        if id(mapping) in self._own:
            return [value for name, value in mapping.items() if name not in self._engine_names]
        return [*mapping, *_values(mapping)]

    def _of_kind(self, kind: type) -> _Inside | None:
        """Decide how to look into values of a type; None where there is nothing inside."""
        module = str(getattr(kind, "__module__", ""))
        if isinstance(kind, self._meta) or kind is self._meta:
            return _referents
        held: _Inside | None = getattr(kind, "_sdk_held", None)
        if held is not None:
            return held
        if isinstance(kind, SealedMeta):  # a record or a match holds what is the module's, a vetted module nothing
            return _hosts if kind is Box or module == "sandbox" else _referents
        if issubclass(kind, _HOSTS) or module.startswith(_ENGINE):
            return _hosts
        return _referents if issubclass(kind, BaseException) or module in _TRANSPARENT else None

    def _function(self, function: types.FunctionType) -> list[Any]:
        """Open the module's own; of the engine's, only what it closes over: a function that it wraps, a cache."""
        if self._is_own(function.__globals__):
            return gc.get_referents(function)
        is_engines = str(function.__globals__.get("__name__")).startswith(_ENGINE)
        return list(function.__closure__ or ()) if is_engines else []

    def _frame(self, frame: types.FrameType) -> list[Any]:
        return gc.get_referents(frame) if self._is_own(frame.f_globals) else []

    def _is_own(self, names: dict[str, Any]) -> bool:
        """Whether code with these globals is this sandbox's, of a file whose import failed too."""
        return names.get("_fuel_") is self._fuel


_referents: Final[_Inside] = gc.get_referents


def _hosts(_: Any) -> list[Any]:
    """Stands for what is the host's: it is not looked into, and not counted."""
    return []


def _values(mapping: Mapping[Any, Any]) -> Collection[Any]:
    """The values, by the type's own method: an instance may have been given another one."""
    return dict.values(mapping) if isinstance(mapping, dict) else mapping.values()


def _locals(frame: types.FrameType) -> list[Any]:
    names = frame.f_locals
    values = list(names.values())
    if type(names) is dict and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        names.clear()  # up to Python 3.12 a copy, which would keep the values alive as long as the frame
    return values


def _count_owners() -> int:
    for value in [[object()]]:
        for inner in list(value):
            return sys.getrefcount(inner)
    return 0


_ALONE: Final = _count_owners()
"""What `sys.getrefcount` says of an object with one owner: that one, the list and the name of the walk's, the call."""
