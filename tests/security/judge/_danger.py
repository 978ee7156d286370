"""What a module must never hold. A judge that finds nothing proves nothing, so tests hand it what it must find."""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Iterator
from typing import Any, Final

from tests.security.judge._host import SECRET

__all__ = ["dangerous"]

_JUDGE: Final = __package__ or "tests.security.judge"
_OPEN_MODULES: Final = frozenset({"sandbox", "builtins", "plataforma_sdk", "m"})
"""Where the classes that a module may hold come from; ``m`` is the payload itself in the naive set-up."""

_KEYS: Final = frozenset({
    "open", "eval", "exec", "compile", "__import__", "globals", "locals", "vars", "getattr", "setattr", "delattr",
    "input", "breakpoint", "system", "popen", "exec_module", "load_module",
})  # fmt: skip
_INTERNALS: Final = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.CellType)
_MAX_DEPTH: Final = 4
_MAX_ITEMS: Final = 60
_MANY_CLASSES: Final = 50


def dangerous(value: Any, *, spared: tuple[Any, ...] = ()) -> str | None:
    """Name what is dangerous about an object, as far as a module could use it, or None.

    Args:
        spared: objects that the payload was given on purpose.
    """
    return _search(value, set(map(id, spared)), 0)


def _search(value: Any, seen: set[int], depth: int) -> str | None:
    if id(value) in seen or depth > _MAX_DEPTH:
        return None
    seen.add(id(value))
    found = _itself(value)
    if found is not None:
        return found
    for item in _inside(value):
        found = _search(item, seen, depth + 1)
        if found is not None:
            return found
    return None


def _itself(value: Any) -> str | None:  # noqa: PLR0911 - one line a danger
    kind = type(value)
    if issubclass(kind, str | bytes | bytearray):
        return "the secret" if SECRET in (value if issubclass(kind, str) else value.decode("latin-1")) else None
    if issubclass(kind, _INTERNALS):
        return f"a {kind.__name__}"
    if issubclass(kind, type):
        return _class(value)
    if kind.__module__.startswith(_JUDGE):
        return f"a host object, {kind.__name__}"
    if issubclass(kind, types.FunctionType) and str(value.__globals__.get("__name__")).startswith(_JUDGE):
        return f"a host function, {value.__name__}"
    if issubclass(kind, types.MethodType) and type(value.__self__).__module__.startswith(_JUDGE):
        return f"a bound method of {type(value.__self__).__name__}"
    if issubclass(kind, types.BuiltinFunctionType) and value.__name__ in _KEYS:
        return f"the builtin {value.__name__}"
    return _namespace(value, kind)


def _class(cls: type) -> str | None:
    module = type.__getattribute__(cls, "__module__")
    is_open = isinstance(module, str) and module in _OPEN_MODULES and cls is not object and cls is not type
    return None if is_open else f"the class {cls.__name__}"


def _namespace(value: Any, kind: type) -> str | None:
    if issubclass(kind, types.MappingProxyType) and any(str(key).startswith("__") for key in value):
        return "the namespace of a class"
    if issubclass(kind, dict) and "__builtins__" in value:
        return "the globals of a module"
    if issubclass(kind, list | tuple) and len(value) > _MANY_CLASSES and all(isinstance(item, type) for item in value):
        return "a list of subclasses"
    return None


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | set | frozenset | collections.deque):
        yield from list(value)[:_MAX_ITEMS]
    elif isinstance(value, dict | types.MappingProxyType):
        for key, item in list(value.items())[:_MAX_ITEMS]:
            yield key
            yield item
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, types.MethodType):
        yield value.__self__
    elif isinstance(value, BaseException):
        yield from value.args
    yield from _own_attributes(value)


def _own_attributes(value: Any) -> Iterator[Any]:
    """What an object of the payload's own class carries, read without running any of its code."""
    if type(value).__module__ in ("sandbox", "m") or isinstance(value, BaseException):
        try:
            attributes = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        yield from list(attributes.values())[:_MAX_ITEMS]
