"""Dataclass-like records: the methods are closures over the fields, so that no source is generated and compiled."""

# ruff: noqa: SLF001 - slots named _sdk_ are private to this package

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

from plataforma_sdk.sandbox.restricted._names import PREFIX, is_frame_attribute
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta

__all__ = ["Records"]

_MISSING: Final = object()
_MAX_FIELDS: Final = 128
_FIELDS: Final = "_sdk_fields"
_MAX_DEPTH: Final = 64
_HIDDEN_OF_ERRORS: Final = frozenset(["obj", "object", "add_note", "with_traceback"])


class Field(metaclass=SealedMeta):
    """What ``field(...)`` returns, and what ``fields()`` lists: `name` and `default` can be read."""

    __slots__ = ("_sdk_factory", "_sdk_has_default", "_sdk_is_init", "_sdk_is_kw_only", "_sdk_shows", "default", "name")

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("read-only")

    __delattr__ = __setattr__  # type: ignore[assignment]


@attrs.frozen
class _Options:
    init: bool = True
    repr: bool = True
    eq: bool = True
    order: bool = False
    frozen: bool = False
    kw_only: bool = False


class Records:
    """The records of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    # --- the functions of `dataclasses` ------------------------------------------------------------------------------

    def dataclass(self, cls: Any = None, **options: Any) -> Any:
        """``@dataclass`` and ``@dataclass(frozen=True)``."""
        options.pop("slots", None)
        options.pop("unsafe_hash", None)
        options.pop("match_args", None)
        unknown = set(options) - {field.name for field in attrs.fields(_Options)}
        if unknown:
            raise TypeError(f"dataclass() has no option {', '.join(sorted(unknown))} in the restricted tier")
        chosen = _Options(**{name: bool(value) for name, value in options.items()})
        return self._build(cls, chosen) if cls is not None else lambda cls: self._build(cls, chosen)

    def field(
        self, *, default: Any = _MISSING, default_factory: Any = _MISSING, init: bool = True, repr: bool = True,  # noqa: A002
        kw_only: bool = False, **_: Any,
    ) -> Field:  # fmt: skip
        """``field(default_factory=list)``."""
        return self._field("", default, default_factory, is_init=init, shows=repr, is_kw_only=kw_only)

    def _field(
        self,
        name: str,
        default: Any,
        factory: Any,
        *,
        is_init: bool = True,
        shows: bool = True,
        is_kw_only: bool = False,
    ) -> Field:
        has_default = default is not _MISSING or factory is not _MISSING
        return Field(
            name=name, default=None if default is _MISSING else default, _sdk_has_default=has_default,
            _sdk_factory=None if factory is _MISSING else factory, _sdk_is_init=is_init, _sdk_shows=shows,
            _sdk_is_kw_only=is_kw_only,
        )  # fmt: skip

    def fields(self, record: Any) -> tuple[Field, ...]:
        """The fields of a record or record class."""
        cls = record if isinstance(record, self._sandbox.classes.meta) else type(record)
        found = getattr(cls, _FIELDS, None)
        if found is None:
            raise TypeError("fields() takes a dataclass")
        return tuple(found)

    def is_dataclass(self, record: Any) -> bool:
        """Whether `record` is one."""
        cls = record if isinstance(record, self._sandbox.classes.meta) else type(record)
        return getattr(cls, _FIELDS, None) is not None

    def asdict(self, record: Any) -> dict[str, Any]:
        """Copy a record into a dict, records inside it too."""
        _check_record(record, "asdict")
        self.fields(record)
        return self._plain(record, 0)  # type: ignore[no-any-return]

    def astuple(self, record: Any) -> tuple[Any, ...]:
        """Copy a record into a tuple."""
        _check_record(record, "astuple")
        return tuple(self._plain(getattr(record, item.name), 1) for item in self.fields(record))  # type: ignore[attr-defined]

    def replace(self, record: Any, **changes: Any) -> Any:
        """Copy a record with changes; of a class it would be a call of the metaclass, with a body of the module's."""
        _check_record(record, "replace")
        values = {item.name: getattr(record, item.name) for item in self.fields(record) if item._sdk_is_init}  # type: ignore[attr-defined]
        return type(record)(**{**values, **changes})

    def _plain(self, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("records nested too deeply")
        self._sandbox.meter.charge(1)
        if self.is_dataclass(value) and not isinstance(value, type):
            return {item.name: self._plain(getattr(value, item.name), depth + 1) for item in self.fields(value)}  # type: ignore[attr-defined]
        if type(value) is list or type(value) is tuple:
            return type(value)([self._plain(item, depth + 1) for item in value])
        if type(value) is dict:
            return {key: self._plain(item, depth + 1) for key, item in value.items()}
        return value

    # --- building ------------------------------------------------------------------------------------------------

    def _build(self, cls: Any, options: _Options) -> Any:
        if not isinstance(cls, self._sandbox.classes.meta):
            raise TypeError("dataclass() takes a class of the module")
        fields = self._collect(cls, options)
        type.__setattr__(cls, _FIELDS, fields)
        methods: dict[str, Callable[..., Any]] = {}
        if options.init:
            methods["__init__"] = _make_init(cls, fields)
        if options.repr:
            methods["__repr__"] = self._make_repr(cls, fields)
        if options.eq:
            methods["__eq__"] = self._make_compare(cls, fields, "_eq_")
        if options.order:
            methods |= {
                f"__{name}__": self._make_compare(cls, fields, f"_{name}_") for name in ("lt", "le", "gt", "ge")
            }
        for name, method in methods.items():
            if name not in vars(cls):
                type.__setattr__(cls, name, method)
        if options.frozen:
            type.__setattr__(cls, "__setattr__", _refuse)
            type.__setattr__(cls, "__delattr__", _refuse)
        self._set_hash(cls, fields, options)
        type.__setattr__(cls, "__match_args__", tuple(item.name for item in fields if item._sdk_is_init))  # type: ignore[attr-defined]
        return cls

    def _set_hash(self, cls: Any, fields: tuple[Field, ...], options: _Options) -> None:
        if options.eq and options.frozen:
            type.__setattr__(cls, "__hash__", self._make_hash(cls, fields))
        elif options.eq and "__hash__" not in vars(cls):
            type.__setattr__(cls, "__hash__", None)

    def _collect(self, cls: Any, options: _Options) -> tuple[Field, ...]:
        found: dict[str, Field] = {}
        for base in reversed(cls.__mro__[1:]):
            found.update({item.name: item for item in vars(base).get(_FIELDS, ())})
        is_kw_only = options.kw_only
        for name, annotation in vars(cls).get("__annotations__", {}).items():
            if "ClassVar" in annotation:
                continue
            if annotation.endswith("KW_ONLY"):
                is_kw_only = True
                continue
            _check_field(cls, name)
            found[name] = self._from_class(cls, name, is_kw_only=is_kw_only)
        if len(found) > _MAX_FIELDS:
            raise TypeError(f"a record of more than {_MAX_FIELDS} fields")
        return tuple(found.values())

    def _from_class(self, cls: Any, name: str, *, is_kw_only: bool) -> Field:
        default = vars(cls).get(name, _MISSING)
        if isinstance(default, Field):
            made = Field(
                name=name, default=default.default, _sdk_factory=default._sdk_factory,  # type: ignore[attr-defined]
                _sdk_has_default=default._sdk_has_default, _sdk_is_init=default._sdk_is_init,  # type: ignore[attr-defined]
                _sdk_shows=default._sdk_shows, _sdk_is_kw_only=default._sdk_is_kw_only or is_kw_only,  # type: ignore[attr-defined]
            )  # fmt: skip
            if made._sdk_has_default and made._sdk_factory is None:  # type: ignore[attr-defined]
                type.__setattr__(cls, name, default.default)  # type: ignore[attr-defined]
            else:
                type.__delattr__(cls, name)
            return made
        if type(default) in (list, dict, set):
            raise ValueError(f"mutable default for field {name}: write field(default_factory=...)")
        return self._field(name, default, _MISSING, is_kw_only=is_kw_only)

    def _make_hash(self, cls: Any, fields: tuple[Field, ...]) -> Callable[..., Any]:
        names = [item.name for item in fields]  # type: ignore[attr-defined]
        made, charge = self._sandbox.builtins.hash, self._sandbox.meter.charge

        def __hash__(self: Any) -> int:  # noqa: N807
            _check_self(self, cls)
            charge(1)
            return made(tuple([getattr(self, name) for name in names]))

        return __hash__

    def _make_repr(self, cls: Any, fields: tuple[Field, ...]) -> Callable[..., Any]:
        names = [item.name for item in fields if item._sdk_shows]  # type: ignore[attr-defined]
        shown = self._sandbox.texts.repr
        grown, charge = self._sandbox.operators.grown, self._sandbox.meter.charge

        def __repr__(self: Any) -> Any:  # noqa: N807
            _check_self(self, cls)
            charge(1)
            parts = [f"{_public(name)}={shown(getattr(self, name))}" for name in names]
            return grown(f"{type(self).__name__}({', '.join(parts)})")

        return __repr__

    def _make_compare(self, cls: Any, fields: tuple[Field, ...], operator: str) -> Callable[..., Any]:
        names = [item.name for item in fields]  # type: ignore[attr-defined]
        compare, weigh = self._sandbox.guard(operator), self._sandbox.meter.charge

        def method(self: Any, other: Any) -> Any:
            _check_self(self, cls)
            if type(other) is not type(self):
                return NotImplemented
            weigh(1)
            return compare([getattr(self, name) for name in names], [getattr(other, name) for name in names])

        return method


def _make_init(cls: Any, fields: tuple[Field, ...]) -> Callable[..., Any]:
    taken = [item for item in fields if item._sdk_is_init]  # type: ignore[attr-defined]
    positional = [item.name for item in taken if not item._sdk_is_kw_only]  # type: ignore[attr-defined]
    accepted = frozenset(item.name for item in taken)  # type: ignore[attr-defined]
    plan = [(item.name, item._sdk_has_default, item._sdk_factory, item.default) for item in fields]  # type: ignore[attr-defined]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        _check_self(self, cls)
        if len(args) > len(positional):
            raise TypeError(f"{cls.__name__}() takes {len(positional)} positional arguments but {len(args)} were given")
        given = dict(zip(positional, args, strict=False))
        for key, value in kwargs.items():
            if key not in accepted or key in given:
                raise TypeError(f"{cls.__name__}() got an unexpected or repeated argument {_public(key)!r}")
            given[key] = value
        for name, has_default, factory, default in plan:
            if name in given:
                value = given[name]
            elif not has_default:
                raise TypeError(f"{cls.__name__}() is missing the argument {_public(name)!r}")
            else:
                value = default if factory is None else factory()
            object.__setattr__(self, name, value)
        after = getattr(self, "__post_init__", None)
        if after is not None:
            after()

    return __init__


def _check_self(value: Any, cls: Any) -> None:
    """Refuse foreign objects: a record's methods, called unbound, read and write attributes by name, unguarded."""
    if not isinstance(value, cls):
        raise TypeError(f"a method of {cls.__name__} takes a {cls.__name__}, not a {type(value).__name__}")


def _check_record(value: Any, function: str) -> None:
    if isinstance(value, type):
        raise TypeError(f"{function}() takes an instance of a dataclass, not the class")


def _check_field(cls: Any, name: str) -> None:
    """Refuse a field that leads out of the object, or into the engine's slots."""
    is_reserved = (name.startswith("_") and name != "_") or is_frame_attribute(name)
    if is_reserved or (issubclass(cls, BaseException) and name in _HIDDEN_OF_ERRORS):
        raise TypeError(f"{cls.__name__} cannot have the field {name!r} in the restricted tier")


def _refuse(self: Any, *_: Any) -> None:  # noqa: ARG001
    raise AttributeError("cannot assign to a field of a frozen record")


def _public(name: str) -> str:
    return "_" + name[len(PREFIX) :] if name.startswith(PREFIX) else name
