"""Classes of a module: what they may derive from, and how exceptions and ``with`` meet a limit."""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import asyncio
import builtins
import decimal
import functools
import sys
from collections.abc import Callable
from types import FunctionType, MethodWrapperType, WrapperDescriptorType
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._errors import TWINS
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._names import CLASS_DUNDERS, PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, SealedMethod, SealedType, unseal_type
from plataforma_sdk.sandbox.restricted._weights import Scales

__all__ = ["Classes"]

_LIMITS: Final = (RecursionError, MemoryError)
_MAX_CHAIN: Final = 256
_MAX_BASES: Final = 16
_MAX_MRO: Final = 64
_SLOTS: Final = frozenset({MethodWrapperType, WrapperDescriptorType})
_LEAVING: Final = ("__exit__", "__aexit__")
_SHOWING: Final = ("__repr__", "__str__")
_DECIMAL_TEXT: Final = "the operation is not defined for these numbers"


class Classes:
    """The classes of one sandbox.

    Args:
        meter: measures the sandbox.
        scales: weighs what C shows or compares.
        counted: wraps a coroutine function so that its live coroutines are counted.

    Attributes:
        meta: the metaclass of every class that the module defines; made anew for each sandbox, so that one module's
            classes are nobody else's.
        generic: the ``__class_getitem__`` of generic classes: ``C[int]`` is ``C``, annotations are not evaluated.
    """

    def __init__(
        self, meter: Meter, scales: Scales, counted: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        self._meter = meter
        self._scales = scales
        self._counted = counted
        self.exported: set[type] = {object, *TWINS.values()}
        self.generic = classmethod(SealedFunction(lambda cls, _: cls, "__class_getitem__"))
        self.meta = self._make_meta()

    def export(self, cls: type) -> None:
        """Let the module derive from a sealed class."""
        self.exported.add(cls)

    def _make_meta(self) -> type[SealedMeta]:
        check_base, clean, charge = self._check_base, self._clean, self._meter.charge

        class ModuleMeta(SealedMeta):
            def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any) -> ModuleMeta:
                if len(bases) > _MAX_BASES:
                    raise TypeError(f"a class of more than {_MAX_BASES} bases")
                for base in bases:
                    check_base(base)
                ancestors = {cls for base in bases for cls in base.__mro__}
                if len(ancestors) >= _MAX_MRO:
                    raise TypeError(f"a class with more than {_MAX_MRO} ancestors")
                charge(8 + ((len(body) + sum(len(vars(base)) for base in ancestors)) >> 2))
                body = clean(body)
                if any(getattr(base, "args", None) is BaseException.args for base in bases):
                    body.setdefault("args", _Arguments())
                made = super().__new__(mcs, name, bases, body, **keywords)  # it calls __init_subclass__: all is checked
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
            body.setdefault("__class_getitem__", self.generic)
        for key in list(body):
            if key == "_w" or (key.startswith("_t") and key[2:].isdigit()):
                del body[key]
            elif key.startswith("_") and key != "_" and key not in CLASS_DUNDERS:
                raise TypeError(f"{key} cannot be defined in the restricted tier")
        body["__module__"] = "sandbox"
        _check_match_arguments(body.get("__match_args__", ()))
        return self._wrapped(body)

    def _wrapped(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put the engine's wrappers around the special methods whose callers in C trust what they get."""
        for name in _LEAVING:
            if name in body:
                body[name] = self._leaving(name, body[name])
        for name in _SHOWING:
            if name in body:
                body[name] = self._showing(body[name])
        if body.get("__int__") is not None:
            body["__int__"] = self._counting(body["__int__"])
        getter = body.get("__getattr__")
        if getter is not None:
            body["__getattr__"] = _public_getter(getter)
        return body

    def build_class(
        self, function: Callable[[], Any], name: str, *bases: Any, metaclass: Any = None, **keywords: Any
    ) -> Any:
        """What a class statement calls; its metaclass is always ours."""
        if metaclass is not self.meta:
            raise TypeError("a class statement of the restricted tier has no metaclass")
        return builtins.__build_class__(function, name, *bases, metaclass=metaclass, **keywords)

    def writable(self, target: Any) -> Any:
        """Return `target` where the module may set attributes: its own classes and their instances."""
        kind = type(target)
        if isinstance(kind, self.meta) or issubclass(kind, self.meta):
            return target
        raise TypeError(f"a {kind.__name__} takes no attributes in the restricted tier")

    def own_method(self, value: Any, name: str) -> Any:
        """``value.__name__`` for a special method, of the module's own objects and classes, and of ``super()``."""
        kind = type(value)
        if kind is super or isinstance(kind, self.meta) or isinstance(value, self.meta):
            found = getattr(value, name)
            return self._weighed(found, name) if type(found) in _SLOTS and name != "__init__" else found
        if name == "__init__" and isinstance(value, type) and (value in self.exported or issubclass(value, Exception)):
            return getattr(value, name)
        raise AttributeError(f"{kind.__name__!r} shows no {name!r} in the restricted tier")

    def _weighed(self, slot: Any, name: str) -> Callable[..., Any]:
        """Guard a special method that C wrote: ``C.__str__([...])`` shows anything, ``C.__ne__(a, b)`` compares it."""
        weigh = self._scales.text if name in ("__str__", "__repr__") else self._scales.weigh
        addresses = self._scales.addresses

        def call(*args: Any) -> Any:
            for item in (getattr(slot, "__self__", None), *args):
                weigh(item)
            made = slot(*args)
            of = args[0] if args else getattr(slot, "__self__", None)
            if name == "__hash__":
                return addresses.hash(of, made)
            return addresses.hidden(made, of) if type(made) is str else made

        return call

    def is_own_function(self, value: Any) -> bool:
        """Whether `value` is a function that this module's code defined; coroutine functions stand behind a counter."""
        if type(value) is not FunctionType:
            return False
        return value.__globals__.get("_fuel_") is self._meter.fuel or value.__code__ is self._counted(_shown).__code__

    # --- exceptions ----------------------------------------------------------------------------------------------

    def caught(self, kind: Any) -> Any:
        """Check what stands behind ``except``, at the moment when an exception is there to be matched.

        Running out of stack or memory ends the module, as every hard limit does, and cannot be caught.
        """
        error = sys.exception()
        self.check_error(error)
        return self._catchable(kind)

    def check_error(self, error: BaseException | None) -> None:
        """Turn a limit that arrived as an ordinary exception into the limit, one that another error replaced as well.

        A long chain of errors is a limit too: freeing 300,000 `OSError`, one the cause of the next, crashes CPython.
        """
        self._meter.check()
        if error is None:
            return
        if isinstance(error, decimal.DecimalException):
            error.args = (_DECIMAL_TEXT,)  # C raises them with the classes of its signals, which are the host's
        if error.__context__ is None and error.__cause__ is None and not isinstance(error, _LIMITS):
            return
        pending: list[BaseException | None] = [error]
        seen: set[int] = set()
        while pending:
            item = pending.pop()
            if item is None or id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, RecursionError):
                self._meter.trip("stack", unit="frames")
            if isinstance(item, MemoryError):
                self._meter.trip("memory", unit="bytes")
            if len(seen) > _MAX_CHAIN:
                self._meter.trip("stack", len(seen), _MAX_CHAIN, "chained errors")
            pending += (item.__cause__, item.__context__)

    def _catchable(self, kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, Exception):
            return kind
        kind = unseal_type(kind)
        if type(kind) is tuple:
            self._meter.charge(len(kind) << 2)
            return tuple([self._catchable(item) for item in kind])
        if isinstance(kind, type) and (issubclass(kind, Exception) or kind is asyncio.CancelledError):
            return kind
        raise TypeError("only subclasses of Exception can be caught")

    def raised(self, error: Any) -> Any:
        """Return what ``raise`` may raise: a stand-in becomes its class; only the engine raises limits."""
        kind = unseal_type(error) if isinstance(error, SealedType) else error
        if isinstance(kind, type) and (issubclass(kind, Exception) or kind is asyncio.CancelledError):
            return kind
        if isinstance(kind, Exception | asyncio.CancelledError):
            return kind
        raise TypeError("only subclasses of Exception can be raised")

    # --- special methods that C calls ------------------------------------------------------------------------------

    def _showing(self, method: Any) -> Callable[..., Any]:
        """Wrap ``__repr__`` or ``__str__``: C joins what a hundred objects answer, and nobody sizes the answers."""
        show, scales = _bound(method), self._scales

        def answer(self: Any) -> Any:
            outer, scales.answered = scales.answered, 0
            try:
                text = show(self)
            finally:
                scales.answered = outer
            if type(text) is str:
                scales.answer(len(text))
            return text

        return _in_place_of(method, answer)

    def _counting(self, method: Any) -> Callable[..., Any]:
        """Wrap ``__int__``: ``"%d" % x`` writes the number that it answers, in quadratic time."""
        count, charge = _bound(method), self._meter.charge

        def answer(self: Any) -> int:
            number = count(self)
            if type(number) is not int:
                raise TypeError(f"__int__ returned non-int (type {type(number).__name__})")
            charge(number.bit_length() ** 2 >> 19)
            return number

        return _in_place_of(method, answer)

    # --- leaving ``with`` ------------------------------------------------------------------------------------------

    def _leaving(self, name: str, method: Any) -> Callable[..., Any]:
        """Wrap what a class body binds to ``__exit__`` or ``__aexit__``: it gets no traceback, and swallows no limit.

        Wrapped here, not where it is defined, since a decorator of the module's may put anything in its place. The name
        tells which it is: a plain ``with`` takes the coroutine of an ``async def __exit__`` for true.
        """
        wrap = self._exit_method if name == "__exit__" else self._async_exit_method
        return _in_place_of(method, wrap(_bound(method)))

    def _exit_method(self, function: Callable[..., Any]) -> Callable[..., Any]:
        check, meter = self.check_error, self._meter

        def leave(self: Any, kind: Any, error: Any, _: Any) -> bool:
            if meter.is_stopped:
                return False
            check(error)
            result = function(self, _shown(kind), _shown(error), None)
            return bool(result) and (kind is None or issubclass(kind, Exception))

        return leave

    def _async_exit_method(self, function: Callable[..., Any]) -> Callable[..., Any]:
        check, meter = self.check_error, self._meter

        async def leave(self: Any, kind: Any, error: Any, _: Any) -> bool:
            if meter.is_stopped:
                return False
            check(error)
            result = await function(self, _shown(kind), _shown(error), None)
            return bool(result) and (kind is None or issubclass(kind, Exception))

        return self._counted(leave)


class _Arguments:
    """``args`` of the module's own errors: C makes a tuple of whatever is assigned, ``range(10**9)`` too, unmetered."""

    __slots__ = ()

    def __get__(self, error: Any, _: Any = None) -> Any:
        return BaseException.args if error is None else BaseException.args.__get__(error)  # type: ignore[attr-defined]

    def __set__(self, error: Any, value: Any) -> None:
        if type(value) is not tuple:
            raise TypeError("the args of an error are a tuple in the restricted tier")
        BaseException.args.__set__(error, value)  # type: ignore[attr-defined]


def _bound(method: Any) -> Callable[..., Any]:
    """Return what can be called with the object first, whatever a decorator put into the class body."""
    return method if type(method) is FunctionType else _binding(method)


def _in_place_of(method: Any, wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """Give a wrapper the name of what it wraps, and nothing else of it but that it is abstract."""
    functools.update_wrapper(wrapper, method, assigned=("__name__", "__qualname__"), updated=())
    wrapper.__dict__.clear()
    if _is_abstract(method):
        wrapper.__isabstractmethod__ = True  # type: ignore[attr-defined]
    return wrapper


def _binding(method: Any) -> Callable[..., Any]:
    """Bind what is no function as CPython would: a ``staticmethod``, or an object that can be called."""

    def call(self: Any, *args: Any) -> Any:
        get = getattr(type(method), "__get__", None)
        return (method if get is None else get(method, self, type(self)))(*args)

    return call


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

    return get


def _abstract_names(cls: type) -> set[str]:
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if _is_abstract(value)}
    return {name for name in names if _is_abstract(getattr(cls, name, None))}


def _is_abstract(value: object) -> bool:
    if type(value) is SealedMethod:
        return bool(value._sdk_is_abstract)  # type: ignore[attr-defined]
    return bool(vars(value).get("__isabstractmethod__")) if isinstance(value, FunctionType) else False


def _check_match_arguments(names: Any) -> None:
    """Refuse what the policy has not written: ``match`` loads these attributes natively."""
    if type(names) is not tuple or not all(type(name) is str and not name.startswith("__") for name in names):
        raise TypeError("__match_args__ is a tuple of literal names in the restricted tier")
