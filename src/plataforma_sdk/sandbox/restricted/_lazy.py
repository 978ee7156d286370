"""The builtins that return iterators: as generators, whose frames CPython counts, so that nesting is bounded."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._iterables import Iterables

__all__ = ["LazyBuiltins"]

_NARROW: Final = 16
"""Sources of ``zip`` that cost no more than a turn."""


class LazyBuiltins:
    """`enumerate`, `zip`, `map`, `filter`, `iter` and `next` of one sandbox."""

    def __init__(self, meter: Meter, iterables: Iterables) -> None:
        self._meter = meter
        self._iterables = iterables

    def enumerate(self, items: Any, start: int = 0) -> Iterator[Any]:
        """``enumerate(...)``, as a generator: CPython counts its frames, so nesting cannot smash the C stack."""
        return self._iterables.over(items, (pair for pair in enumerate(items, start)))  # type: ignore[no-any-return]

    def zip(self, *sources: Any, strict: bool = False) -> Any:
        """``zip(...)``."""
        return self._over_many(sources, self._rows(sources, strict=bool(strict)))

    def _rows(self, sources: tuple[Any, ...], *, strict: bool) -> Iterator[Any]:
        """Zip; a row of many is charged by its width."""
        width = len(sources)
        if width <= _NARROW:
            return (row for row in zip(*sources, strict=strict))
        return self._wide_rows(sources, width, strict=strict)

    def _wide_rows(self, sources: tuple[Any, ...], width: int, *, strict: bool) -> Iterator[Any]:
        for row in zip(*sources, strict=strict):
            self._meter.charge(width >> 3)
            self._meter.alloc(width * 40)
            yield row

    def _over_many(self, sources: tuple[Any, ...], made: Iterator[Any]) -> Any:
        deepest = next((item for item in sources if type(item) is types.GeneratorType), sources[0] if sources else ())
        for source in sources:
            self._iterables.sought(source)
        return self._iterables.over(deepest, made)

    def map(self, function: Any, *sources: Any) -> Any:
        """``map(...)``."""
        fuel = self._meter.fuel
        if len(sources) == 1:
            made = _mapped(function, zip(sources[0], fuel, strict=False))
        else:
            made = _mapped_rows(function, zip(self._rows(sources, strict=False), fuel, strict=False))
        return self._over_many(sources, made)

    def filter(self, function: Any, source: Any) -> Iterator[Any]:
        """``filter(...)``."""
        fuel = self._meter.fuel
        made = (item for item, _ in zip(source, fuel, strict=False) if (item if function is None else function(item)))
        return self._iterables.over(source, made)  # type: ignore[no-any-return]

    def iter(self, source: Any, *sentinel: Any) -> Any:
        """``iter(...)``."""
        if not sentinel:
            self._iterables.sought(source)
            return iter(source)
        return self._iterables.over(
            (), (item for item, _ in zip(iter(source, *sentinel), self._meter.fuel, strict=False))
        )

    def next(self, iterator: Any, *default: Any) -> Any:
        """``next(...)``."""
        result = next(iterator, *default)
        self._meter.check()
        return result


def _mapped(function: Any, items: Iterator[Any]) -> Iterator[Any]:
    """Call `function` for each item; one that is out of values, as ``next`` is, ends the map.

    In a generator expression its StopIteration would become a RuntimeError (PEP 479).
    """
    for item, _ in items:
        try:
            made = function(item)
        except StopIteration:
            return
        yield made


def _mapped_rows(function: Any, rows: Iterator[Any]) -> Iterator[Any]:
    for row, _ in rows:
        try:
            made = function(*row)
        except StopIteration:
            return
        yield made
