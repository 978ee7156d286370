"""Classes of a module: what they may derive from, and how exceptions and ``with`` meet a limit."""

from __future__ import annotations

import asyncio
import builtins
import functools
import sys
from collections import defaultdict
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._errors import TWINS
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._iterables import WRAPPED
from plataforma_sdk.sandbox.restricted._names import CLASS_DUNDERS, PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta, SealedType, unseal_type

__all__ = ["Classes"]

_ENGINE_NAMES: Final = ("_t", "_w")
_NOTHING: Final = object()


class Classes:
    """The classes of one sandbox.

    Attributes:
        meta: the metaclass of every class that the module defines; made anew for each sandbox, so that one module's
            classes are nobody else's.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.exported: set[type] = {object, *TWINS.values()}
        self.meta = self._make_meta()

    def export(self, cls: type) -> None:
        """Let the module derive from a sealed class."""
        self.exported.add(cls)

    def _make_meta(self) -> type[SealedMeta]:
        check_base, clean = self._check_base, self._clean

        class ModuleMeta(SealedMeta):
            def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any) -> ModuleMeta:
                for base in bases:
                    check_base(base)
                made = super().__new__(mcs, name, bases, clean(body), **keywords)
                if issubclass(made, BaseException) and made.args is BaseException.args:
                    type.__setattr__(made, "args", _Arguments())
                type.__setattr__(made, "__abstractmethods__", frozenset(_abstract_names(made)))
                return made

            def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> None:
                type.__init__(cls, name, bases, body)

            def __setattr__(cls, attribute: str, value: object) -> None:
                type.__setattr__(cls, attribute, value)

            def __delattr__(cls, attribute: str) -> None:
                type.__delattr__(cls, attribute)

        ModuleMeta.__name__ = "type"  # what errors call the class of a class
        return ModuleMeta

    def _check_base(self, base: type) -> None:
        if base in self.exported or isinstance(base, self.meta):
            return
        if isinstance(base, type) and issubclass(base, Exception) and base.__module__ == "builtins":  # noqa: SIM102
            if not issubclass(base, BaseExceptionGroup):
                return
        raise TypeError(f"{getattr(base, '__name__', base)!s} cannot be a base class in the restricted tier")

    def _clean(self, body: dict[str, Any]) -> dict[str, Any]:
        """Drop what the engine left in a class body, and refuse special methods that are not on the list."""
        if body.pop("__orig_bases__", None) is not None:  # a base was Generic[T] or the like
            body.setdefault("__class_getitem__", _same_class)
        for key in list(body):
            if key == "_w" or (key.startswith("_t") and key[2:].isdigit()):
                del body[key]
            elif key.startswith("__") and key not in CLASS_DUNDERS:
                raise TypeError(f"{key} cannot be defined in the restricted tier")
        body["__module__"] = "sandbox"
        getter = body.get("__getattr__")
        if getter is not None:
            body["__getattr__"] = _public_getter(getter)
        for name in ("__exit__", "__aexit__"):
            if name in body:
                body[name] = self._leaving(name, body[name])
        return body

    def _leaving(self, name: str, function: Any) -> Callable[..., Any]:
        """Wrap what stands as ``__exit__``, decorators included: it gets no traceback and swallows no limit."""
        if not isinstance(function, FunctionType):
            raise TypeError(f"{name} is an ordinary method in the restricted tier")
        return self.exit_method(function) if name == "__exit__" else self.async_exit_method(function)

    def generic(self, cls: Any) -> Any:
        """``class C[T]``: a parametrised class is the class."""
        if "__class_getitem__" not in vars(cls):
            type.__setattr__(cls, "__class_getitem__", _same_class)
        return cls

    def build_class(
        self, function: Callable[[], Any], name: str, *bases: Any, metaclass: Any = None, **keywords: Any
    ) -> Any:
        """What a class statement calls; its metaclass is always ours."""
        if metaclass is not self.meta:
            raise TypeError("a class statement of the restricted tier has no metaclass")
        return builtins.__build_class__(function, name, *bases, metaclass=metaclass, **keywords)

    def owns(self, value: Any) -> bool:
        """Whether `value` is an object or class of the module's, or its ``super()``."""
        kind = type(value)
        return kind is super or isinstance(kind, self.meta) or isinstance(value, self.meta)

    def writable(self, target: Any) -> Any:
        """Return `target` where the module may set attributes: its own classes, instances and functions."""
        kind = type(target)
        if isinstance(kind, self.meta) or issubclass(kind, self.meta) or kind is defaultdict:
            return target
        if kind is FunctionType and (target.__globals__.get("_meta_") is self.meta or WRAPPED in vars(target)):
            return target
        raise TypeError(f"a {kind.__name__} takes no attributes in the restricted tier")

    def own_method(self, value: Any, name: str) -> Any:
        """``value.__name__`` for a special method, of the module's own objects and classes, and of ``super()``."""
        if self.owns(value):
            return getattr(value, name)
        if name == "__init__" and isinstance(value, type) and (value in self.exported or issubclass(value, Exception)):
            return getattr(value, name)
        raise AttributeError(f"{type(value).__name__!r} shows no {name!r} in the restricted tier")

    # --- exceptions ----------------------------------------------------------------------------------------------

    def caught(self, kind: Any) -> Any:
        """Check what stands behind ``except``, at the moment when an exception is there to be matched.

        Running out of stack or memory ends the module, as every hard limit does, and cannot be caught.
        """
        error = sys.exception()
        self.check_error(error)
        return self._catchable(kind)

    def check_error(self, error: BaseException | None) -> None:
        """Turn a limit that arrived as an ordinary exception into the limit."""
        self._meter.check()
        if isinstance(error, RecursionError):
            self._meter.trip("stack", unit="frames")
        if isinstance(error, MemoryError):
            self._meter.trip("memory", unit="bytes")

    def _catchable(self, kind: Any) -> Any:
        if type(kind) is tuple:
            kinds = unseal_type(kind)
            self._meter.charge(len(kinds) << 2)
            return tuple([self._catchable(item) for item in kinds])
        if isinstance(kind, SealedType):
            kind = unseal_type(kind)
        if isinstance(kind, type) and (issubclass(kind, Exception) or kind is asyncio.CancelledError):
            return kind
        raise TypeError("catching classes that do not inherit from BaseException is not allowed")

    def raised(self, error: Any) -> Any:
        """Return what ``raise`` may raise: a stand-in becomes its class; only the engine raises limits."""
        kind = unseal_type(error) if isinstance(error, SealedType) else error
        if isinstance(kind, type) and (issubclass(kind, Exception) or kind is asyncio.CancelledError):
            return kind
        if isinstance(kind, Exception | asyncio.CancelledError):
            return kind
        raise TypeError("only subclasses of Exception can be raised")

    def exit_method(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``__exit__``: it gets no traceback, and swallows no limit. After a limit it does not run."""
        check, meter = self.check_error, self._meter

        def leave(self: Any, kind: Any, error: Any, _: Any) -> bool:
            if meter.is_stopped:
                return False
            check(error)
            result = function(self, _shown(kind), _shown(error), None)
            return bool(result) and (kind is None or issubclass(kind, Exception))

        functools.update_wrapper(leave, function, assigned=("__name__", "__qualname__"), updated=())
        return _plain(leave, function)

    def async_exit_method(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As `exit_method`, for ``__aexit__``."""
        check, meter = self.check_error, self._meter

        async def leave(self: Any, kind: Any, error: Any, _: Any) -> bool:
            if meter.is_stopped:
                return False
            check(error)
            result = await function(self, _shown(kind), _shown(error), None)
            return bool(result) and (kind is None or issubclass(kind, Exception))

        return _plain(leave, function)


class _Arguments:
    """``args`` of the module's own errors: C makes a tuple of whatever is assigned, ``range(10**9)`` too, unmetered."""

    __slots__ = ()

    def __get__(self, error: Any, _: Any = None) -> Any:
        return BaseException.args if error is None else BaseException.args.__get__(error)  # type: ignore[attr-defined]

    def __set__(self, error: Any, value: Any) -> None:
        if type(value) is not tuple:
            raise TypeError("the args of an error are a tuple in the restricted tier")
        BaseException.args.__set__(error, value)  # type: ignore[attr-defined]


def _plain(wrapper: Callable[..., Any], wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Leave nothing on a wrapper but what it wraps, which is the module's memory."""
    vars(wrapper).clear()
    vars(wrapper)[WRAPPED] = wrapped
    return wrapper


def _shown(value: Any) -> Any:
    """A module does not see what only the engine raises."""
    if isinstance(value, Exception) or (isinstance(value, type) and issubclass(value, Exception)):
        return value
    return None


def _public_getter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``__getattr__``: it sees private names as they were written, and never special ones."""

    def get(self: Any, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if attribute.startswith(PREFIX):
            attribute = "_" + attribute[len(PREFIX) :]
        return function(self, attribute)

    return _plain(get, function)


def _abstract_names(cls: type) -> set[str]:
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if _is_abstract(value)}
    return {name for name in names if _is_abstract(getattr(cls, name, None))}


def _is_abstract(value: object) -> bool:
    return bool(vars(value).get("__isabstractmethod__")) if isinstance(value, FunctionType) else False


_same_class: Final = classmethod(lambda cls, _: cls)
