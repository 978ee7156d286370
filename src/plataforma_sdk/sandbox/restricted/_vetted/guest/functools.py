"""`functools`, written in the restricted language itself."""

# ruff: noqa: ARG001, D103, F821 - written as the original is

from typing import Any

_copy_name: Any  # defined by the engine: a function's name belongs to what it wraps


def reduce(function: Any, iterable: Any, *initial: Any) -> Any:
    has_value = bool(initial)
    value = initial[0] if initial else None
    for item in iterable:
        if has_value:
            value = function(value, item)
        else:
            value, has_value = item, True
    if not has_value:
        raise TypeError("reduce() of empty iterable with no initial value")
    return value


def partial(function: Any, *args: Any, **kwargs: Any) -> Any:
    def call(*more: Any, **others: Any) -> Any:
        return function(*args, *more, **{**kwargs, **others})

    return call


def wraps(original: Any) -> Any:
    return lambda function: _copy_name(function, original)


def cache(function: Any) -> Any:
    return lru_cache(None)(function)


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    if callable(maxsize):
        return lru_cache(128)(maxsize)

    def decorate(function: Any) -> Any:
        kept: dict[Any, Any] = {}

        def call(*args: Any, **kwargs: Any) -> Any:
            key = (args, tuple(sorted(kwargs.items()))) if kwargs else args
            if key in kept:
                return kept[key]
            value = function(*args, **kwargs)
            if maxsize is not None and len(kept) >= maxsize:
                del kept[next(iter(kept))]
            kept[key] = value
            return value

        return _copy_name(call, function)

    return decorate


def cached_property(function: Any) -> Any:
    name = "_cached_" + str(id(function))

    def read(self: Any) -> Any:
        if not hasattr(self, name):
            setattr(self, name, function(self))
        return getattr(self, name)

    return property(read)


def total_ordering(cls: Any) -> Any:
    return cls


def cmp_to_key(compare: Any) -> Any:
    class Key:
        def __init__(self, value: Any) -> None:
            self.value = value

        def __lt__(self, other: Any) -> Any:
            return compare(self.value, other.value) < 0

        def __eq__(self, other: Any) -> Any:
            return compare(self.value, other.value) == 0

        def __hash__(self) -> int:
            return hash(self.value)

    return Key
