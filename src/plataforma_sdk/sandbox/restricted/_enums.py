"""Enumerations: members are objects of the module's own class, with a name and a value.

A member of `StrEnum` or `IntEnum` compares, hashes and prints as its value, and crosses a boundary as it; it is no str
or int, since a subclass of those would carry unguarded methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plataforma_sdk.sandbox.restricted._names import CLASS_DUNDERS, PREFIX
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["Enums"]


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
        meta = self._make_meta(sandbox.classes.meta)
        self.enum: Any = meta("Enum", (), {"__repr__": _show, "__str__": _show, "__hash__": _hash})
        mixed = {"__str__": _text, "__eq__": _equals, "__hash__": _hash_value, "__repr__": _show}
        self.int_enum: Any = meta("IntEnum", (self.enum,), mixed | self._arithmetic())
        self.str_enum: Any = meta("StrEnum", (self.enum,), mixed | self._arithmetic())
        for cls in (self.enum, self.int_enum, self.str_enum):
            type.__setattr__(cls, "_sdk_member_value", staticmethod(_value))
        type.__setattr__(self.int_enum, "__index__", _value)
        type.__setattr__(self.int_enum, "__int__", _value)

    def _arithmetic(self) -> dict[str, Any]:
        """Operators on the value, through the guards: a member may be as large as any number."""
        guard = self._sandbox.guard
        made: dict[str, Any] = {}
        for name, apply in (("add", guard("_add_")), ("mul", guard("_mul_")), ("mod", guard("_mod_"))):
            made[f"__{name}__"] = lambda self, other, apply=apply: apply(self.value, _plain(other))
            made[f"__r{name}__"] = lambda self, other, apply=apply: apply(_plain(other), self.value)
        made["__sub__"] = lambda self, other: self.value - _plain(other)
        made["__rsub__"] = lambda self, other: _plain(other) - self.value
        made["__floordiv__"] = lambda self, other: guard("_fdiv_")(self.value, _plain(other))
        made["__truediv__"] = lambda self, other: self.value / _plain(other)
        made["__neg__"] = lambda self: -self.value
        made["__bool__"] = lambda self: bool(self.value)
        made["__len__"] = lambda self: len(self.value)
        made["__contains__"] = lambda self, item: guard("_in_")(item, self.value)
        made |= {f"__{name}__": _compared(guard(f"_{name}_")) for name in ("lt", "le", "gt", "ge")}
        return {name: value for name, value in made.items() if name in CLASS_DUNDERS}

    def auto(self) -> Any:
        """``auto()``: the next number, or the name in lower case in a `StrEnum`."""
        return _Auto()

    def _make_meta(self, base: Any) -> Any:  # noqa: C901
        outer = self

        class EnumMeta(base):  # type: ignore[misc]
            def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any) -> Any:
                values = {key: value for key, value in body.items() if _is_member(key, value)} if bases else {}
                for key in values:
                    del body[key]
                made = super().__new__(mcs, name, bases, body, **keywords)
                outer._fill(made, values)
                return made

            def __call__(cls, value: Any) -> Any:
                for member in cls._sdk_members.values():
                    if member is value or member.value == value:
                        return member
                raise ValueError(f"{outer._sandbox.texts.repr(value)[:80]} is not a valid {cls.__name__}")

            def __iter__(cls) -> Iterator[Any]:
                return iter(list(cls._sdk_members.values()))

            def __len__(cls) -> int:
                return len(cls._sdk_members)

            def __getitem__(cls, name: str) -> Any:
                return cls._sdk_members[name]

            def __contains__(cls, value: Any) -> bool:
                return any(member is value or member.value == value for member in cls._sdk_members.values())

            def __setattr__(cls, attribute: str, value: object) -> None:
                raise AttributeError(f"{cls.__name__} is an enumeration; it cannot be changed")

            def __delattr__(cls, attribute: str) -> None:
                raise AttributeError(f"{cls.__name__} is an enumeration; it cannot be changed")

        return EnumMeta

    def _fill(self, cls: Any, values: dict[str, Any]) -> None:
        members: dict[str, Any] = {}
        number = 0
        for name, given in values.items():
            value = given
            if type(given) is _Auto:
                value = name.lower() if self._is_text(cls) else number + 1
            if type(value) is int:
                number = value
            member = next((item for item in members.values() if item.value == value), None)
            if member is None:
                member = object.__new__(cls)
                object.__setattr__(member, "name", name)
                object.__setattr__(member, "value", value)
            members[name] = member
            type.__setattr__(cls, name, member)
        type.__setattr__(cls, "_sdk_members", members)

    def _is_text(self, cls: Any) -> bool:
        return issubclass(cls, getattr(self, "str_enum", ()))


def _is_member(key: str, value: Any) -> bool:
    if key.startswith(("_", PREFIX)):
        return False
    return not hasattr(type(value), "__get__")


def _value(member: Any) -> Any:
    return member.value


def _show(member: Any) -> str:
    return f"{type(member).__name__}.{member.name}"


def _text(member: Any) -> str:
    return str(member.value)


def _hash(member: Any) -> int:
    return hash(member.name)


def _hash_value(member: Any) -> int:
    return hash(member.value)


def _equals(member: Any, other: Any) -> Any:
    return member.value == _plain(other)


def _plain(value: Any) -> Any:
    return value.value if getattr(type(value), "_sdk_member_value", None) is not None else value


def _compared(compare: Any) -> Any:
    return lambda self, other: compare(self.value, _plain(other))
