"""Host objects in a module's hands: sealed, so that a native attribute load finds nothing but what was put there.

Instrumented code loads attributes without a guard. That is sound only because whatever a module can reach is either its
own, a builtin value, or an object of a `SealedMeta` class: no attribute can be set or deleted, on it or on its class,
and whatever its class holds beside the published names begins with ``_``, which a module cannot write.
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, Final, NoReturn

__all__ = [
    "SealedFunction",
    "SealedMeta",
    "SealedMethod",
    "SealedType",
    "Sentinel",
    "namespace",
    "seal_type",
    "unseal_type",
]

_set: Final = object.__setattr__
_KEPT_CLASSES: Final = 512
"""Making a class takes 5 µs, a sandbox needs thirty."""


class SealedMeta(type):
    """The class of sealed classes: their attributes cannot be rebound, neither by a module nor by accident."""

    def __setattr__(cls, attribute: str, value: object) -> None:
        raise AttributeError(f"{cls.__name__} is sealed")

    def __delattr__(cls, attribute: str) -> None:
        raise AttributeError(f"{cls.__name__} is sealed")


def _refuse_write(self: object, *_: object) -> NoReturn:
    raise AttributeError(f"{type(self).__name__} is read-only")


class SealedFunction(metaclass=SealedMeta):
    """A function of the host's: callable, and nothing else. No globals, no closure, no ``__self__`` to be found."""

    __slots__ = ("_sdk_function", "_sdk_name")
    __setattr__ = __delattr__ = _refuse_write

    def __init__(self, function: Callable[..., Any], name: str = "function") -> None:
        _set(self, "_sdk_function", function)
        _set(self, "_sdk_name", name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._sdk_function(*args, **kwargs)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<function {self._sdk_name}>"  # type: ignore[attr-defined]


class SealedMethod(metaclass=SealedMeta):
    """A method in the body of a sealed class: it binds as a function does, and has nothing that could be written.

    A plain function takes attributes, and sandboxes share the functions of sealed classes: what one module wrote there,
    every other could read.
    """

    __slots__ = ("_sdk_function", "_sdk_is_abstract")
    __setattr__ = __delattr__ = _refuse_write

    def __init__(self, function: Callable[..., Any], *, is_abstract: bool = False) -> None:
        _set(self, "_sdk_function", function)
        _set(self, "_sdk_is_abstract", is_abstract)

    def __get__(self, instance: Any, _: type | None = None) -> Any:
        return self if instance is None else MethodType(self._sdk_function, instance)  # type: ignore[attr-defined]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._sdk_function(*args, **kwargs)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<function {self._sdk_function.__name__}>"  # type: ignore[attr-defined]


def namespace(name: str, members: Mapping[str, Any], shown: str | None = None) -> Any:
    """Make an object whose attributes are `members`, and nothing else: a vetted module, or a capability.

    Its class has a slot for each member: a load is one C-level descriptor, without a guard.
    """
    made: Any = object.__new__(_namespace_class(name, tuple(members)))
    _set(made, "_sdk_shown", shown or f"<module {name!r}>")
    for attribute, value in members.items():
        _set(made, attribute, value)
    return made


@functools.lru_cache(_KEPT_CLASSES)
def _namespace_class(name: str, members: tuple[str, ...]) -> Any:
    """Make the class of a namespace; it cannot be changed and holds names alone, so sandboxes share it."""
    body = {
        "__slots__": ("_sdk_shown", *members),
        "__setattr__": _refuse_write,
        "__delattr__": _refuse_write,
        "__repr__": lambda self: self._sdk_shown,
        "__module__": "sandbox",
    }
    return SealedMeta(name, (), body)


class Sentinel(metaclass=SealedMeta):
    """What ``object()`` makes: an object that is nothing but itself."""

    __slots__ = ()
    __setattr__ = __delattr__ = _refuse_write

    def __repr__(self) -> str:
        return "<object object>"


class SealedType(metaclass=SealedMeta):
    """Stands for a type: callable, usable in ``isinstance`` and ``except``, and without the attributes of a type.

    Subclasses add a slot for each class method that is vetted.
    """

    __slots__ = ("_sdk_make", "_sdk_type", "_sdk_unbound", "_sdk_union")
    __setattr__ = __delattr__ = _refuse_write

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._sdk_make(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<class {self._sdk_type.__name__!r}>"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __getitem__(self, _: object) -> SealedType:
        """``list[int]``: annotations are not evaluated, so a parametrised type is the type."""
        return self

    def __or__(self, other: object) -> SealedType:
        """``int | None`` at run time, in ``isinstance``."""
        return seal_type(object, _no_constructor, union=(self, other))

    __ror__ = __or__

    def __getattr__(self, attribute: str) -> Any:
        """``str.lower``, a function: what the stand-in does not hold itself."""
        if attribute.startswith("_") or self._sdk_unbound is None:
            raise AttributeError(f"type object {self._sdk_type.__name__!r} has no attribute {attribute!r}")
        return self._sdk_unbound(self._sdk_type, attribute)

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        """``class C(object)`` and ``class C(Iterable)`` are ``class C``: they mix nothing in. No other is a base."""
        is_bare = self._sdk_type is object or self._sdk_type.__module__ == "collections.abc"
        if is_bare and not self._sdk_union:
            return ()
        raise TypeError(f"{self._sdk_type.__name__} cannot be a base class in the restricted tier")


def _no_constructor(*_: object, **__: object) -> NoReturn:
    raise TypeError("a union of types cannot be called")


def seal_type(
    kind: type,
    make: Callable[..., Any],
    members: Mapping[str, Any] | None = None,
    *,
    union: tuple[Any, ...] = (),
    unbound: Callable[[type, str], Any] | None = None,
) -> SealedType:
    """Make the stand-in of `kind`; `make` is what calling it does, `members` its class methods and constants.

    `unbound` finds the methods that may be named without a value, ``str.lower``.
    """
    made: Any = object.__new__(_stand_in_class(kind.__name__, tuple(members or ())))
    _set(made, "_sdk_type", kind)
    _set(made, "_sdk_make", make)
    _set(made, "_sdk_union", union)
    _set(made, "_sdk_unbound", unbound)
    for attribute, value in (members or {}).items():
        _set(made, attribute, value)
    return made  # type: ignore[no-any-return]


@functools.lru_cache(_KEPT_CLASSES)
def _stand_in_class(name: str, members: tuple[str, ...]) -> Any:
    """Make the class of a stand-in; shared between sandboxes, as `_namespace_class` is."""
    return SealedMeta(name, (SealedType,), {"__slots__": members, "__module__": "sandbox"})


_MAX_TYPES: Final = 256


def unseal_type(kind: Any) -> Any:
    """Return the real type, or flat tuple of types, behind what a module passes to ``isinstance`` or ``except``.

    Raises:
        TypeError: more than 256 types: a tuple of shared tuples doubles with each level.
    """
    if isinstance(kind, SealedType) and not kind._sdk_union:
        return kind._sdk_type
    if type(kind) is not tuple and not isinstance(kind, SealedType):
        return type(None) if kind is None else kind
    found: list[Any] = []
    pending = [kind]
    count = 0
    while pending:
        item = pending.pop()
        count += 1
        inside = (
            item if type(item) is tuple else getattr(item, "_sdk_union", ()) if isinstance(item, SealedType) else ()
        )
        if count + len(pending) + len(inside) > _MAX_TYPES:
            raise TypeError(f"more than {_MAX_TYPES} types, or types nested without end")
        if inside or type(item) is tuple:
            pending.extend(reversed(inside))
        else:
            found.append(unseal_type(item))
    return tuple(found)
