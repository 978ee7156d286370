"""Enumerations: members are objects of the module's own class, with a name and a value.

A member of `StrEnum` or `IntEnum` compares, hashes and prints as its value, and crosses a boundary as it; it is no str
or int, since a subclass of those would carry unguarded methods.
"""

# ruff: noqa: SLF001 - names that begin with _sdk_ are private to this package

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from plataforma_sdk.sandbox.restricted._names import CLASS_DUNDERS, PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["Enums"]


_MAX_MEMBERS = 512


class _Auto(metaclass=SealedMeta):
    """What ``auto()`` returns, until the class is made."""

    __slots__ = ()


class Enums:
    """The enumerations of one sandbox.

    Attributes:
        enum: the base class `Enum`.
        int_enum: the base class `IntEnum`.
        str_enum: the base class `StrEnum`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._equal = sandbox.guard("_eq_")
        meta = self._make_meta(sandbox.classes.meta)
        shown = {"__repr__": self._show, "__str__": self._show}
        self.enum: Any = meta("Enum", (), _functions(shown | {"__hash__": lambda member: hash(self._name(member))}))
        mixed = _functions({
            "__repr__": self._show, "__str__": self._text, "__eq__": self._equals,
            "__hash__": lambda member: hash(self._value(member)),
        } | self._arithmetic())  # fmt: skip
        self.int_enum: Any = meta("IntEnum", (self.enum,), dict(mixed))
        self.str_enum: Any = meta("StrEnum", (self.enum,), dict(mixed))
        for cls in (self.enum, self.int_enum, self.str_enum):
            type.__setattr__(cls, "_sdk_member_value", staticmethod(self._value))
        type.__setattr__(self.int_enum, "__index__", _function(self._value))
        type.__setattr__(self.int_enum, "__int__", _function(self._value))

    # --- members: name and value are read where the engine put them, never through the module's own properties -------

    def _name(self, member: Any) -> str:
        self._check(member)
        return member._sdk_name  # type: ignore[no-any-return]

    def _value(self, member: Any) -> Any:
        self._check(member)
        return member._sdk_value

    def _check(self, member: Any) -> None:
        if not isinstance(member, self.enum):
            raise TypeError(f"a method of Enum takes a member, not a {type(member).__name__}")

    def _show(self, member: Any) -> str:
        return f"{type(member).__name__}.{self._name(member)}"

    def _text(self, member: Any) -> str:
        return self._sandbox.texts.text(self._value(member))

    def _equals(self, member: Any, other: Any) -> Any:
        return self._equal(self._value(member), _plain(other))

    def _arithmetic(self) -> dict[str, Any]:
        """Operators on the value, through the guards: a member may be as large as any number."""
        guard, value = self._sandbox.guard, self._value
        made: dict[str, Any] = {}
        for name, apply in (("add", guard("_add_")), ("mul", guard("_mul_")), ("mod", guard("_mod_"))):
            made[f"__{name}__"] = lambda self, other, apply=apply: apply(value(self), _plain(other))
            made[f"__r{name}__"] = lambda self, other, apply=apply: apply(_plain(other), value(self))
        made["__sub__"] = lambda self, other: value(self) - _plain(other)
        made["__rsub__"] = lambda self, other: _plain(other) - value(self)
        made["__floordiv__"] = lambda self, other: guard("_fdiv_")(value(self), _plain(other))
        made["__truediv__"] = lambda self, other: value(self) / _plain(other)
        made["__neg__"] = lambda self: -value(self)
        made["__bool__"] = lambda self: bool(value(self))
        made["__len__"] = lambda self: len(value(self))
        made["__contains__"] = lambda self, item: guard("_in_")(item, value(self))
        for name, apply in [(name, guard(f"_{name}_")) for name in ("lt", "le", "gt", "ge")]:
            made[f"__{name}__"] = lambda self, other, apply=apply: apply(value(self), _plain(other))
        return {name: function for name, function in made.items() if name in CLASS_DUNDERS}

    def auto(self) -> Any:
        """``auto()``: the next number, or the name in lower case in a `StrEnum`."""
        return _Auto()

    def _make_meta(self, base: Any) -> Any:  # noqa: C901
        outer = self

        class EnumMeta(base):  # type: ignore[misc]
            def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any) -> Any:
                values = {key: value for key, value in body.items() if _is_member(key, value)} if bases else {}
                if len(values) > _MAX_MEMBERS:
                    raise TypeError(f"an enum of more than {_MAX_MEMBERS} members")
                for key in values:
                    del body[key]
                made = super().__new__(mcs, name, bases, body, **keywords)
                outer._fill(made, values)
                return made

            def __call__(cls, value: Any) -> Any:
                outer._sandbox.meter.charge(len(cls._sdk_members) >> 2)
                member = outer._find(cls._sdk_members, value)
                if member is not None:
                    return member
                raise ValueError(f"{outer._sandbox.texts.repr(value)[:80]} is not a valid {cls.__name__}")

            def __iter__(cls) -> Iterator[Any]:
                return iter(list(cls._sdk_members.values()))

            def __len__(cls) -> int:
                return len(cls._sdk_members)

            def __getitem__(cls, name: str) -> Any:
                return cls._sdk_members[name]

            def __contains__(cls, value: Any) -> bool:
                return outer._find(cls._sdk_members, value) is not None

            def __setattr__(cls, attribute: str, value: object) -> None:
                raise AttributeError(f"{cls.__name__} is an enumeration; it cannot be changed")

            def __delattr__(cls, attribute: str) -> None:
                raise AttributeError(f"{cls.__name__} is an enumeration; it cannot be changed")

        return EnumMeta

    def _find(self, members: dict[str, Any], value: Any) -> Any:
        return next((item for item in members.values() if item is value or self._equal(item._sdk_value, value)), None)

    def _fill(self, cls: Any, values: dict[str, Any]) -> None:
        members: dict[str, Any] = {}
        number = 0
        for name, given in values.items():
            value = given
            if type(given) is _Auto:
                value = name.lower() if self._is(cls, "str_enum") else number + 1
            value = self._checked(cls, name, value)
            if type(value) is int:
                number = value
            member = self._find(members, value)
            if member is None:
                member = object.__new__(cls)
                object.__setattr__(member, "_sdk_name", name)
                object.__setattr__(member, "_sdk_value", value)
                object.__setattr__(member, "name", name)
                object.__setattr__(member, "value", value)
            members[name] = member
            type.__setattr__(cls, name, member)
        type.__setattr__(cls, "_sdk_members", members)

    def _checked(self, cls: Any, name: str, value: Any) -> Any:
        """Demand a number of an `IntEnum` and a text of a `StrEnum`, exactly: C code takes a member for its value."""
        if self._is(cls, "int_enum"):
            if type(value) is not int and type(value) is not bool:
                raise TypeError(f"{cls.__name__}.{name} is a member of an IntEnum, so its value is an int")
            return int(value)
        if self._is(cls, "str_enum") and type(value) is not str:
            raise TypeError(f"{cls.__name__}.{name} is a member of a StrEnum, so its value is a str")
        return value

    def _is(self, cls: Any, base: str) -> bool:
        return issubclass(cls, getattr(self, base, ()))


def _functions(methods: dict[str, Any]) -> dict[str, Any]:
    """Make methods of what is bound to the enumerations: a bound method in a class body would not bind again."""
    return {name: method if type(method) is FunctionType else _function(method) for name, method in methods.items()}


def _function(method: Any) -> Any:
    def call(member: Any, *args: Any) -> Any:
        return method(member, *args)

    return call


def _is_member(key: str, value: Any) -> bool:
    if key.startswith(("_", PREFIX)):
        return False
    return not hasattr(type(value), "__get__")


def _plain(value: Any) -> Any:
    member_value = getattr(type(value), "_sdk_member_value", None)
    return value if member_value is None else member_value(value)
