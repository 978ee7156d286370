"""Methods of builtin types that are named without a value, or by their special name.

::

    sorted(names, key=str.lower)        str.lower is a function here: one text in, priced as ``text.lower()``
    seen = set().__contains__           the special methods that builtin functions stand for
    str.maketrans("ab", "xy")
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._classes import Classes
from plataforma_sdk.sandbox.restricted._costs import COSTS
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._method_names import HASHED, NATIVE
from plataforma_sdk.sandbox.restricted._methods import Methods
from plataforma_sdk.sandbox.restricted._names import PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMethod, SealedType, unseal_type

__all__ = ["TypeMethods"]

_Bind = Callable[[Any], Any]
_FUNCTIONS: Final = types.FunctionType | types.MethodType | types.BuiltinFunctionType
_SPECIAL: Final = {(str, "format"), (list, "sort")}


class TypeMethods:
    """The methods of types in one sandbox.

    Args:
        meter: what they are charged to.
        methods: the methods of values.
        classes: the module's own.
        functions: the builtin functions by name, as the module sees them.
    """

    def __init__(self, meter: Meter, methods: Methods, classes: Classes, functions: Mapping[str, Any]) -> None:
        self._meter = meter
        self._methods = methods
        self._classes = classes
        self._bound: dict[str, _Bind] = {
            f"__{name}__": _apply(functions[name]) for name in ("len", "iter", "next", "repr", "hash", "reversed")
        }
        self._bound["__contains__"] = self._contains
        self._bound["__getitem__"] = self._getitem

    # --- str.lower -------------------------------------------------------------------------------------------------

    def unbound(self, kind: type, name: str) -> SealedFunction:
        """``str.lower``: a method of a builtin type, as a function whose first argument is the value."""
        if not self._is_offered(kind, name):
            where = " in the restricted tier" if hasattr(kind, name) else ""
            raise AttributeError(f"type object {kind.__name__!r} has no attribute {name!r}{where}")

        def method(value: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(value, kind):
                other = type(value).__name__
                raise TypeError(
                    f"descriptor {name!r} for {kind.__name__!r} objects doesn't apply to a {other!r} object"
                )
            if name in NATIVE:
                return getattr(value, name)(*args, **kwargs)
            return self._methods.attribute(value, name)(*args, **kwargs)

        return SealedFunction(method, name)

    def _is_offered(self, kind: type, name: str) -> bool:
        is_priced = name in COSTS.get(kind, ()) or (kind, name) in _SPECIAL
        return is_priced or (name in NATIVE | HASHED and callable(getattr(kind, name, None)))

    def make_translation(self, *args: Any) -> dict[int, Any]:
        """``str.maketrans(...)``."""
        for item in args:
            if type(item) is str or type(item) is dict:
                self._meter.charge(len(item) >> 6)
        return str.maketrans(*args)

    # --- value.__name__ --------------------------------------------------------------------------------------------

    def name_of(self, value: Any) -> str:
        """``value.__name__`` of a class or function."""
        if isinstance(value, SealedType):
            value = unseal_type(value)
        if isinstance(value, SealedFunction):
            return str(value._sdk_name)  # type: ignore[attr-defined]
        if isinstance(value, SealedMethod):
            value = value._sdk_function  # type: ignore[attr-defined]
        name = getattr(value, "__name__", None) if isinstance(value, type | _FUNCTIONS) else None
        if type(name) is not str:
            raise AttributeError(f"{type(value).__name__!r} object has no attribute '__name__'")
        return "_" + name[len(PREFIX) :] if name.startswith(PREFIX) else name

    def doc_of(self, value: Any) -> str | None:
        """``value.__doc__`` of a function or class of the module's."""
        is_own = isinstance(value, types.FunctionType | types.MethodType) or self._classes.owns(value)
        text = value.__doc__ if is_own else None
        return text if type(text) is str else None

    # --- value.__len__ ---------------------------------------------------------------------------------------------

    def special_method(self, value: Any, name: str) -> Any:
        """``value.__len__``, uncalled, of the module's own objects and classes, and of builtin values."""
        is_own = name == "__init__" or self._classes.owns(value)
        return self._classes.own_method(value, name) if is_own else self._special(value, name)

    def _special(self, value: Any, name: str) -> Any:
        """``value.__len__`` of a builtin value, uncalled: the builtin function that does the same."""
        bind = None if isinstance(value, type) else self._bound.get(name)
        if bind is None:
            raise AttributeError(f"{type(value).__name__!r} shows no {name!r} in the restricted tier")
        if not hasattr(type(value), name):
            raise AttributeError(f"{type(value).__name__!r} object has no attribute {name!r}")
        return bind(value)

    def _contains(self, value: Any) -> Callable[[Any], bool]:
        contains = self._methods.operators.contains
        return lambda item: contains(item, value)

    def _getitem(self, value: Any) -> Callable[[Any], Any]:
        item = self._methods.iterables.item
        return lambda key: item(value, key)


def _apply(function: Any) -> _Bind:
    return lambda value: lambda: function(value)
