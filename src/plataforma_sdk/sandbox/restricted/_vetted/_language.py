"""`typing`, `abc`, `enum` and `dataclasses`: what a class statement leans on."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._records import Records
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace, seal_type

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_abc", "make_abstract", "make_dataclasses", "make_enum", "make_typing"]

_FORMS: Final = [
    "Any",
    "Optional",
    "Union",
    "Literal",
    "Final",
    "ClassVar",
    "Annotated",
    "Callable",
    "Iterable",
    "Iterator",
    "Generator",
    "AsyncIterator",
    "AsyncGenerator",
    "AsyncIterable",
    "Awaitable",
    "Coroutine",
    "Mapping",
    "MutableMapping",
    "Sequence",
    "MutableSequence",
    "Set",
    "MutableSet",
    "KeysView",
    "ValuesView",
    "ItemsView",
    "Collection",
    "Container",
    "Hashable",
    "Sized",
    "Reversible",
    "List",
    "Dict",
    "Tuple",
    "Type",
    "FrozenSet",
    "DefaultDict",
    "Deque",
    "Self",
    "Never",
    "NoReturn",
    "TypeAlias",
    "LiteralString",
    "Required",
    "NotRequired",
    "Concatenate",
    "Unpack",
    "TypeGuard",
    "SupportsFloat",
    "SupportsInt",
    "Text",
    "AnyStr",
    "NamedTuple",
]
_BASES: Final = ["Generic", "Protocol", "ABC", "TypedDict"]


class Form(metaclass=SealedMeta):
    """A name that only annotations use: it can be subscripted, joined by ``|`` and stand among the bases of a class."""

    __slots__ = ("_sdk_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_sdk_name", name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __getitem__(self, _: object) -> Form:
        return self

    def __or__(self, _: object) -> Form:
        return self

    __ror__ = __or__

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        return ()

    def __repr__(self) -> str:
        return f"typing.{self._sdk_name}"  # type: ignore[attr-defined]


def _same(value: Any) -> Any:
    return value


def _type_variable(name: Any, *_: Any, **__: Any) -> Form:
    if type(name) is not str:
        raise TypeError("the name of a type variable is a text")
    return Form(name[:80])


def _not_made(*_: Any, **__: Any) -> Any:
    raise TypeError("abstract classes make no objects")


def _abstract() -> dict[str, Any]:
    """Seal the abstract classes, which may stand in ``isinstance``, and among the bases of a class too."""
    names = [name for name in _FORMS if name in collections.abc.__all__]
    return {name: seal_type(getattr(collections.abc, name), _not_made) for name in names}


def make_abstract(_: Sandbox) -> Any:
    """`collections.abc`: the abstract classes alone."""
    return namespace("collections.abc", _abstract())


def make_typing(_: Sandbox) -> Any:
    """`typing` for annotations, which are not evaluated; nothing of it can be asked at run time."""
    members: dict[str, Any] = {name: Form(name) for name in (*_FORMS, *_BASES)} | _abstract()
    members["TYPE_CHECKING"] = False
    members["TypeVar"] = SealedFunction(_type_variable, "TypeVar")
    members["ParamSpec"] = SealedFunction(_type_variable, "ParamSpec")
    members["NewType"] = SealedFunction(lambda _, kind: kind, "NewType")
    members["cast"] = SealedFunction(lambda _, value: value, "cast")
    for name in ("final", "override", "overload", "runtime_checkable", "no_type_check"):
        members[name] = SealedFunction(_same, name)
    return namespace("typing", members)


def make_abc(sandbox: Sandbox) -> Any:
    """`abc.ABC` and `abstractmethod`; `register` and subclass hooks are left out."""

    def abstractmethod(function: Any) -> Any:
        if sandbox.classes.is_own_function(function):
            function.__isabstractmethod__ = True
        return function

    return namespace("abc", {"ABC": Form("ABC"), "abstractmethod": SealedFunction(abstractmethod, "abstractmethod")})


def make_dataclasses(sandbox: Sandbox) -> Any:
    """`dataclass`, `field` and the functions over them, as closures: no code is generated."""
    records = Records(sandbox)
    names = ("dataclass", "field", "fields", "asdict", "astuple", "replace", "is_dataclass")
    functions: dict[str, Callable[..., Any]] = {name: getattr(records, name) for name in names}
    members: dict[str, Any] = {name: SealedFunction(function, name) for name, function in functions.items()}
    members["KW_ONLY"] = Form("KW_ONLY")
    return namespace("dataclasses", members | {"FrozenInstanceError": AttributeError})


def make_enum(sandbox: Sandbox) -> Any:
    """`Enum`, `IntEnum`, `StrEnum`, `auto`, `unique`; members are plain objects with a name and a value."""
    from plataforma_sdk.sandbox.restricted._enums import Enums

    enums = Enums(sandbox)
    return namespace(
        "enum",
        {
            "Enum": enums.enum,
            "IntEnum": enums.int_enum,
            "StrEnum": enums.str_enum,
            "auto": SealedFunction(enums.auto, "auto"),
            "unique": SealedFunction(_same, "unique"),
        },
    )
