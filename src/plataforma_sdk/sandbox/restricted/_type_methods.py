"""Methods of builtin types that are named without a value, and the names of types and functions.

::

    sorted(names, key=str.lower)        str.lower is a function here: one text in, priced as ``text.lower()``
    str.maketrans("ab", "xy")
"""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

import types
from typing import Any, Final

from plataforma_sdk.sandbox.restricted._costs import COSTS
from plataforma_sdk.sandbox.restricted._fuel import Meter
from plataforma_sdk.sandbox.restricted._method_names import HASHED, NATIVE
from plataforma_sdk.sandbox.restricted._methods import Methods
from plataforma_sdk.sandbox.restricted._names import PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMethod, SealedType, unseal_type

__all__ = ["TypeMethods"]

_FUNCTIONS: Final = types.FunctionType | types.MethodType | types.BuiltinFunctionType
_SPECIAL: Final = {(str, "format"), (list, "sort")}
_MAX_TABLE: Final = 4_096


class TypeMethods:
    """The methods of types in one sandbox.

    Args:
        meter: what they are charged to.
        methods: the methods of values, which each of these calls.
    """

    def __init__(self, meter: Meter, methods: Methods) -> None:
        self._meter = meter
        self._methods = methods
        self._kept: dict[tuple[type, str], SealedFunction] = {}

    def unbound(self, kind: type, name: str) -> SealedFunction:
        """``str.lower``: a method of a builtin type, as a function whose first argument is the value."""
        kept = self._kept.get((kind, name))
        if kept is None:
            if not _is_offered(kind, name):
                where = " in the restricted tier" if hasattr(kind, name) else ""
                raise AttributeError(f"type object {kind.__name__!r} has no attribute {name!r}{where}")
            kept = self._kept[kind, name] = SealedFunction(self._function(kind, name), name)
        return kept

    def _function(self, kind: type, name: str) -> Any:
        methods = self._methods

        def method(*args: Any, **kwargs: Any) -> Any:
            if not args:
                raise TypeError(f"unbound method {kind.__name__}.{name}() needs an argument")
            value, *rest = args
            member = getattr(type(value), "_sdk_member_value", None)
            if member is not None:  # a member of StrEnum or IntEnum is taken for its value
                value = member(value)
            if not isinstance(value, kind):
                other = type(value).__name__
                raise TypeError(
                    f"descriptor {name!r} for {kind.__name__!r} objects doesn't apply to a {other!r} object"
                )
            if name in NATIVE:
                return getattr(value, name)(*rest, **kwargs)
            return methods.attribute(value, name)(*rest, **kwargs)

        return method

    def make_translation(self, *args: Any) -> dict[int, Any]:
        """``str.maketrans(...)``."""
        for item in args:
            if type(item) in (str, dict) and len(item) > _MAX_TABLE:
                raise ValueError(f"a table of more than {_MAX_TABLE:,} characters")
        self._meter.charge(sum(len(item) >> 4 for item in args if type(item) in (str, dict)))
        return str.maketrans(*args)

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


def _is_offered(kind: type, name: str) -> bool:
    """Whether values of the type have the method; what is no method, ``date.year``, is no function either."""
    if name in COSTS.get(kind, ()) or (kind, name) in _SPECIAL:
        return True
    return (name in NATIVE or name in HASHED) and callable(getattr(kind, name, None))
