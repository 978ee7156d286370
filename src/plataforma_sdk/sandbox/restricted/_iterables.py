"""Iterating, where C would: star arguments, constructors, lazy builtins, generators.

An iterable may have no end, so C code only ever gets a container, whose size is charged, or an iterator that burns
fuel. Lazy iterators nest on the C stack: `MAX_NESTING` deep is refused, and so are more than `MAX_GENERATORS` live
ones, since freeing a chain of some thousands overruns the stack of CPython itself.
"""

from __future__ import annotations

import collections
import functools
import inspect
import itertools
import operator
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._containers import Deque, make_slice
from plataforma_sdk.sandbox.restricted._fuel import LARGE_TEXT, SLICE, Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._tables import compact, compact_sometimes
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, DICTS, HASH_TABLES, MAX_ITEMS, VIEWS, Scales

__all__ = ["MAX_GENERATORS", "MAX_NESTING", "Iterables"]

MAX_NESTING: Final = 64
MAX_GENERATORS: Final = 5_000
_iadd: Final[Callable[[Any, Any], Any]] = operator.iadd
_ior: Final[Callable[[Any, Any], Any]] = operator.ior
_FREE_ITEMS: Final = 64
_FIRST_STRETCH: Final = 32
_MAX_RANGE: Final = 1 << 63
_NUMBERS: Final = frozenset({int, float, bool})
_FREE_KEYS: Final = 1_024
_ITEM_BYTES: Final = 96
_BATCH: Final = 128
_BATCH_UNITS: Final = 8
_SIZED: Final = CONTAINERS | {str, bytes}
_FILLED: Final = frozenset({list, bytearray})


class Iterables:
    """The iteration of one sandbox."""

    def __init__(self, meter: Meter, scales: Scales, operators: Operators) -> None:
        self._meter = meter
        self._scales = scales
        self._operators = operators
        self._live: set[weakref.ref[Any]] = set()
        self._depths: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._pending_depth = 0

    # --- counting loops ------------------------------------------------------------------------------------------

    def make_counted(self) -> Callable[..., Any]:
        """Build ``range(...)`` of a loop that makes every turn: its turns are charged before, and it stays native."""
        source, take = self._meter.source, self._meter.take

        def counted(start: Any, *rest: Any) -> Any:
            if not rest and type(start) is int and start <= SLICE:
                if start <= 0:
                    return ()
                slice_: Any = source.current
                left = slice_.__length_hint__()
                if start < left and source.tripped is None:
                    slice_.__setstate__(SLICE - left + start)
                    return range(start)
                granted = take(start)
                return range(start) if granted == start else self._stretches(range(start), granted)
            made = self.make_range(start, *rest)
            size = _length(made)
            granted = take(min(size, SLICE)) if size else 0
            return made if granted == size else self._stretches(made, granted)

        return counted

    def make_listed(self) -> Callable[[list[Any]], Any]:
        """Build ``for x in xs`` of a private list that stays as it is: the turns are charged before, a slice at most.

        Whether they are depends on their number alone, so that the trip point does not move with the slices.
        """
        source, take, fuel = self._meter.source, self._meter.take, self._meter.fuel

        def listed(items: list[Any]) -> Any:
            size = len(items)
            slice_: Any = source.current
            left = slice_.__length_hint__()
            if size < left and source.tripped is None:
                slice_.__setstate__(SLICE - left + size)
                return items
            if size > SLICE:
                return itertools.compress(items, fuel)
            granted = take(size) if size else 0
            if granted == size:
                return items
            rest = iter(items)  # as many turns as were paid, and a unit for each one more
            return itertools.chain(itertools.islice(rest, granted), itertools.compress(rest, fuel))

        return listed

    def stepped(self, start: Any, *rest: Any) -> Any:
        """``range(...)`` of a loop that may be left early: charged in stretches that grow with the way made."""
        made = self.make_range(start, *rest)
        size = _length(made)
        granted = self._meter.take(min(size, _FIRST_STRETCH)) if size else 0
        return made if granted == size else self._stretches(made, granted)

    def make_range(self, *args: Any) -> range:
        """``range(...)``, within 64 bits: beyond, each step is a big integer."""
        made = range(*args)
        if not (-_MAX_RANGE < made.start < _MAX_RANGE and -_MAX_RANGE < made.stop < _MAX_RANGE):
            self._meter.trip("fuel")
        return made

    def _stretches(self, made: range, granted: int) -> Iterator[int]:
        """Chain the stretches of a range; the first is paid."""
        return itertools.chain(made[:granted], itertools.chain.from_iterable(self._rest(made, granted)))

    def _rest(self, made: range, at: int) -> Iterator[range]:
        size, take = _length(made), self._meter.take
        while at < size:
            granted = take(min(size - at, at * 3, SLICE))
            yield made[at : at + granted]
            at += granted

    # --- whole iterables -----------------------------------------------------------------------------------------

    def bounded(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """Iterate with fuel, and no further than a container may grow."""
        for count, item in enumerate(itertools.compress(iterable, self._meter.fuel), 1):
            if count > MAX_ITEMS:
                self._meter.trip("memory", count, MAX_ITEMS, "items")
            yield item
        self._meter.check()

    def star(self, iterable: Any) -> Any:
        """Return what C may iterate over to its end: a container as it is, charged; anything else as a list."""
        kind = type(iterable)
        if kind in _SIZED:
            if kind is set:
                compact(iterable)
            size = len(iterable)
            if size > _FREE_ITEMS:
                self._charge_copy(size)
                if kind is str and not iterable.isascii():
                    self._meter.alloc(size * 64)  # each character becomes a text of its own
            return iterable
        if kind is range:
            self._charge_copy(_length(iterable))
            self._meter.alloc(len(iterable) * 32)
            return iterable
        made = list(self.bounded(iterable))
        self._meter.alloc(len(made) * 8)
        return made

    def merged(self, source: Any) -> Any:
        """``**source``: a mapping of any class; what is none stays, and C says so."""
        if type(source) in DICTS or type(source) is types.MappingProxyType:
            self._charge_copy(len(source))
            if self._meter.largest >= LARGE_TEXT:  # an error about a keyword repeats it
                self._meter.alloc(sum(len(key) for key in source if type(key) is str))
            return source
        return self.mapping(source) if hasattr(source, "keys") else source

    def _charge_copy(self, size: int) -> None:
        if size > MAX_ITEMS:
            self._meter.trip("memory", size, MAX_ITEMS, "items")
        self._meter.charge(size >> 6)
        self._meter.alloc(size * 8)

    def consumed(self, iterable: Any) -> Any:
        """Return what C may iterate over without keeping it: sum, any, max."""
        kind = type(iterable)
        if kind in _SIZED:
            if kind is set:
                compact(iterable)
            self._meter.charge(len(iterable) >> 5)
            return iterable
        if kind is range and _length(iterable) <= MAX_ITEMS:
            self._meter.charge(len(iterable) >> 5)
            return iterable
        return itertools.compress(iterable, self._meter.fuel)

    def matched(self, subject: Any) -> Any:
        """Charge what the starred patterns of a ``match`` may copy of `subject`, and return it."""
        pending, count = [subject], 0
        while pending:
            item = pending.pop()
            kind = type(item)
            if kind is range:
                self._charge_copy(_length(item))
            elif kind in CONTAINERS:
                count += len(item)
                if count > MAX_ITEMS:
                    self._meter.trip("memory", count, MAX_ITEMS, "items")
                pending += dict.values(item) if kind in DICTS else item
        self._charge_copy(count)
        return subject

    def hashable(self, iterable: Any) -> Any:
        """As `star`, where each element will be hashed."""
        items = self.star(iterable)
        if type(items) not in DICTS:
            for item in items:
                if type(item) is tuple or type(item) is frozenset:
                    self._scales.hashed(item)
        return items

    def displayed(self, container: Any) -> Any:
        """Charge a large display."""
        self._meter.alloc(len(container) * 8)
        return container

    def shrunk(self, container: Any) -> Any:
        """Charge what deleting from, or assigning to a slice of, a container moves."""
        if type(container) in CONTAINERS:
            self._meter.charge(len(container) >> 9)
            compact_sometimes(container)
        return container

    def sliced(self, container: Any, start: Any, stop: Any, step: Any) -> Any:
        """``container[start:stop:step]``."""
        return self._operators.grown(container[start:stop:step])

    def set_slice(self, value: Any, container: Any, start: Any, stop: Any, step: Any) -> None:
        """``container[start:stop:step] = value``: a list takes any iterable; a module's own class whatever it likes."""
        self.shrunk(container)
        if type(container) in _FILLED and hasattr(type(value), "__iter__"):
            value = self.star(value)
        container[make_slice(start, stop, step)] = value

    def addend(self, value: Any) -> Any:
        """Return what C may append to a list by ``+=``; a class with ``__radd__`` adds itself instead."""
        return value if hasattr(type(value), "__radd__") else self.star(value)

    def add_in_place(self, left: Any, right: Any) -> Any:
        """``left += right``: a list takes any iterable."""
        if type(left) is list or type(left) is Deque:
            right = self.addend(right)
        made = _iadd(left, right)
        if type(made) is collections.Counter:  # it deletes what is not positive
            compact(made)
        return self._operators.grown(made)

    def or_in_place(self, left: Any, right: Any) -> Any:
        """``left |= right``: a dict takes any iterable of pairs."""
        if type(left) in DICTS and type(right) not in DICTS:
            right = self.mapping(right)
        self._operators.size_sets(left, right)
        return self._operators.grown(_ior(left, right))

    # --- sets and dicts ------------------------------------------------------------------------------------------

    def batches(self, items: Any) -> Iterator[list[Any]]:
        """Cut a container into pieces that C may hash at once, colliding keys or not."""
        iterator = iter(items)
        done = sharing = 0
        while batch := list(itertools.islice(iterator, _BATCH)):
            yield batch
            done += len(batch)
            self._meter.charge(_BATCH_UNITS)
            if done > _FREE_KEYS:
                sharing += len(batch) - len({hash(key) for key in batch})
                self._meter.charge(sharing * len(batch) >> 6)

    def count_into(self, counter: Any, source: Any, sign: int = 1) -> None:
        """``Counter.update`` and ``subtract``: of a mapping, or of elements in batches."""
        apply = counter.update if sign > 0 else counter.subtract
        if type(source) in DICTS:
            self._charge_copy(len(source))
            if not _NUMBERS.issuperset(map(type, source.values())):
                raise TypeError("a Counter counts in numbers")  # it would add up texts and lists, unguarded
            apply(source)
            return
        for batch in self.batches(self.hashable(source)):
            apply(batch)

    def keyed(self, keys: Any, value: Any) -> dict[Any, Any]:
        """``dict.fromkeys``."""
        made: dict[Any, Any] = {}
        for batch in self.batches(self.hashable(keys)):
            made.update(dict.fromkeys(batch, value))
        return made

    def unique(self, iterable: Any) -> set[Any]:
        """Make a set in batches: colliding keys cost O(n) each, so the clock is looked at in between."""
        items = self.hashable(iterable)
        if type(items) in (set, frozenset, dict):
            self._scales.collisions(items)
            return set(items)
        made: set[Any] = set()
        for batch in self.batches(items):
            made.update(batch)
        self._meter.alloc(len(made) * 40)
        return made

    def hashed_in_batches(self, iterable: Any) -> Any:
        """Return what C may hash to its end: a few items as they are, in their order, and many as a set."""
        items = self.hashable(iterable)
        return items if len(items) <= _BATCH else self.unique(items)

    def mapping(self, source: Any) -> dict[Any, Any]:
        """Make a dict from a mapping or from pairs, in batches."""
        if type(source) in DICTS or type(source) is types.MappingProxyType:
            self._charge_copy(len(source))
            return dict(source)
        if hasattr(source, "keys"):
            return {self._scales.hashed(key): source[key] for key in self.star(source.keys())}
        made: dict[Any, Any] = {}
        for number, pair in enumerate(self.bounded(source)):
            if not hasattr(type(pair), "__iter__") and not hasattr(type(pair), "__getitem__"):
                raise TypeError(f"cannot convert dictionary update sequence element #{number} to a sequence")
            items = self.star(pair)
            if len(items) != 2:  # noqa: PLR2004
                what = f"dictionary update sequence element #{number} has length {len(items)}; 2 is required"
                raise ValueError(what)
            key, value = items
            made[self._scales.hashed(key)] = value
        self._meter.alloc(len(made) * 64)
        return made

    # --- lazy iterators ------------------------------------------------------------------------------------------

    def generator_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Count what a generator function or coroutine function makes, as long as it lives."""
        live, meter = self._live, self._meter
        if function.__code__.co_flags & inspect.CO_ASYNC_GENERATOR:
            meter.makes_async_generators = True
        reference, forget = weakref.ref, self._live.discard

        def make(*args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            live.add(reference(made, forget))
            if len(live) > MAX_GENERATORS:
                meter.trip("memory", len(live), MAX_GENERATORS, "generators")
            return made

        functools.update_wrapper(make, function, updated=())
        del make.__wrapped__  # type: ignore[attr-defined]
        return make

    def nested(self, source: Any) -> Any:
        """Note how deep `source` is nested, for the lazy iterator about to be made over it."""
        kind = type(source)
        if kind is types.GeneratorType or kind is types.AsyncGeneratorType:
            depth = self._depths.get(source, 0) + 1
            if depth > MAX_NESTING:
                self._meter.trip("stack", depth, MAX_NESTING, "iterators")
            self._pending_depth = depth
        else:
            self._pending_depth = 0 if kind in _SIZED or kind is range else 1
        return source

    def lazy(self, generator: Any) -> Any:
        """Give a new lazy iterator the depth that was noted."""
        if self._pending_depth:
            self._depths[generator] = self._pending_depth
        self._pending_depth = 0
        return generator

    def sought(self, source: Any) -> None:
        """Charge the search for the first item, which may stand at the end of a table."""
        if type(source) in HASH_TABLES:
            if type(source) is set:
                compact(source)
            size = len(source) * _ITEM_BYTES if type(source) in VIEWS else sys.getsizeof(source)
            self._meter.charge(size >> 15)

    def over(self, source: Any, generator: Iterator[Any]) -> Any:
        """Make `generator`, a real generator over `source`, one that counts."""
        self.sought(source)
        self.nested(source)
        return self.lazy(generator)

    async def compress_async(self, iterable: Any, fuel: Iterator[int]) -> Any:
        """``async for`` in a comprehension, with fuel."""
        async for item in iterable:
            for _ in fuel:
                break
            else:
                self._meter.check()
            yield item


def _length(numbers: range) -> int:
    try:
        return len(numbers)
    except OverflowError:
        return sys.maxsize
