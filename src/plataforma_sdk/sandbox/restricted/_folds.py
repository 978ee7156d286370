"""`sum`, `min` and `max`: at C speed over what cannot grow and is cheap to compare, step by step over the rest."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._iterables import Iterables
from plataforma_sdk.sandbox.restricted._weights import CONTAINERS, Scales

__all__ = ["Folds"]

_UNSUMMED: Final = (str, bytes, bytearray)
_EXACT: Final = frozenset({int, float, bool, complex})


class Folds:
    """The builtins of one sandbox that make one value of many."""

    def __init__(self, meter: Meter, scales: Scales, operators: Operators, iterables: Iterables) -> None:
        self._meter = meter
        self._scales = scales
        self._operators = operators
        self._iterables = iterables

    def sum(self, items: Any, start: Any = 0) -> Any:
        """``sum(...)``."""
        if type(start) in _UNSUMMED:
            return sum((), start)  # which says how to join texts
        items = self._iterables.consumed(items)
        if type(start) not in _EXACT:
            return self._add_up(start, items)
        if type(items) is range or (type(items) in (list, tuple) and _EXACT.issuperset(map(type, items))):
            return self._operators.grown(sum(items, start))
        rest: list[Any] = []
        iterator = iter(items)
        total = self._operators.grown(sum(_numbers(iterator, rest), start))
        return self._add_up(total, itertools.chain(rest, iterator)) if rest else self._checked(total)

    def sum_numbers(self, items: Any) -> Any:
        """``sum(...)`` of what is certainly numbers: a private list, or a generator expression that meters itself."""
        if type(items) is list:
            self._meter.charge(len(items) >> 5)
        return self._checked(self._operators.grown(sum(items)))

    def _add_up(self, total: Any, items: Any) -> Any:
        """Sum step by step: what is no number grows, and each step is charged."""
        for item in items:
            total = self._operators.add(total, item)
        return self._checked(total)

    def _checked(self, value: Any) -> Any:
        self._meter.check()
        return value

    def extreme(self, choose: Callable[..., Any]) -> Callable[..., Any]:
        weigh, cheap, iterables, meter = self._scales.weigh, self._meter.cheap, self._iterables, self._meter

        def extreme(choose: Any, *args: Any, key: Any = None, **kwargs: Any) -> Any:
            if len(args) == 1 and key is None:
                items = iterables.consumed(args[0])
            else:
                items = itertools.compress(args[0], meter.fuel) if len(args) == 1 else args
            if key is not None:
                keyed = _weighed_key(key, weigh, cheap)
                result = choose(items, key=keyed, **kwargs)
            elif type(items) in _UNSUMMED:
                result = choose(items, **kwargs)
            elif type(items) in CONTAINERS:
                if any(type(item) in CONTAINERS for item in items):
                    weigh(list(items))
                elif not cheap.issuperset(map(type, items)):
                    for item in items:
                        weigh(item)
                result = choose(items, **kwargs)
            else:
                result = choose((item if type(item) in cheap else weigh(item) for item in items), **kwargs)
            meter.check()
            return result

        return types.MethodType(extreme, choose)  # a plain function would take attributes


def _numbers(items: Iterator[Any], rest: list[Any]) -> Iterator[Any]:
    """Yield numbers, up to the first item that is none, which goes to `rest`."""
    for item in items:
        if type(item) not in _EXACT:
            rest.append(item)
            return
        yield item


def _weighed_key(key: Callable[[Any], Any], weigh: Callable[[Any], Any], cheap: set[type]) -> Callable[[Any], Any]:
    def keyed(item: Any) -> Any:
        value = key(item)
        return value if type(value) in cheap else weigh(value)

    return keyed
