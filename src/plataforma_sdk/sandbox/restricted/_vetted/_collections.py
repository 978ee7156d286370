"""`collections`: the C containers, and `namedtuple` as a record class of the module's own."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._containers import DefaultDict, Deque, OrderedDict
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace, seal_type

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["make_collections"]

_NAMEDTUPLE: Final = """
def make(name, fields):
    class Record:
        _fields = fields

        def __init__(self, *values, **named):
            if len(values) > len(fields):
                raise TypeError(f"{name} takes {len(fields)} values, not {len(values)}")
            given = dict(zip(fields, values))
            for key, value in named.items():
                if key not in fields or key in given:
                    raise TypeError(f"{name} got an unexpected or repeated field {key!r}")
                given[key] = value
            for field in fields:
                if field not in given:
                    raise TypeError(f"{name} needs the field {field!r}")
                setattr(self, field, given[field])

        def __iter__(self):
            for field in fields:
                yield getattr(self, field)

        def __len__(self):
            return len(fields)

        def __getitem__(self, index):
            return tuple(self)[index]

        def __contains__(self, value):
            return value in tuple(self)

        def __eq__(self, other):
            return tuple(self) == (tuple(other) if isinstance(other, Record) else other)

        def __lt__(self, other):
            return tuple(self) < tuple(other)

        def __hash__(self):
            return hash(tuple(self))

        def __repr__(self):
            return name + "(" + ", ".join([f"{field}={getattr(self, field)!r}" for field in fields]) + ")"

        def _asdict(self):
            return {field: getattr(self, field) for field in fields}

        def _replace(self, **changes):
            return Record(**{**self._asdict(), **changes})

    return Record
"""


_MAX_FIELDS = 256
_MAX_TEXT = 16_384


class _Collections:
    """Constructors of the containers, their arguments bounded."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def deque(self, items: Any = (), maxlen: Any = None) -> Any:
        return Deque(self._sandbox.iterables.star(items), maxlen)

    def defaultdict(self, factory: Any = None, *args: Any, **kwargs: Any) -> Any:
        return DefaultDict(factory, self._sandbox.builtins.make_dict(*args, **kwargs))

    def ordered_dict(self, *args: Any, **kwargs: Any) -> Any:
        return OrderedDict(self._sandbox.builtins.make_dict(*args, **kwargs))

    def counter(self, items: Any = (), **kwargs: Any) -> Any:
        made = collections.Counter(kwargs)
        self._sandbox.iterables.count_into(made, items)
        return made

    def namedtuple(self, name: Any, fields: Any) -> Any:
        if any(type(item) is str and len(item) > _MAX_TEXT for item in (name, fields)):
            raise ValueError(f"a namedtuple is described by at most {_MAX_TEXT:,} characters")
        names = fields.replace(",", " ").split() if type(fields) is str else list(self._sandbox.iterables.star(fields))
        if len(names) > _MAX_FIELDS:
            raise ValueError(f"a namedtuple of more than {_MAX_FIELDS} fields")
        for field in names:
            if type(field) is not str or not field.isidentifier() or field.startswith("_"):
                raise ValueError(
                    f"a field is a public name, not {field[:40] if type(field) is str else type(field).__name__!r}"
                )
        if type(name) is not str or not name.isidentifier():
            raise ValueError("the name of a namedtuple is an identifier")
        made = self._sandbox.run_source(_NAMEDTUPLE, "<library>/namedtuple.py")["make"](name, tuple(names))
        type.__setattr__(made, "__name__", name[:80])
        type.__setattr__(
            made, "_sdk_member_value", staticmethod(self._as_tuple)
        )  # it crosses a boundary as a tuple does
        return made

    def _as_tuple(self, record: Any) -> tuple[Any, ...]:
        """A subclass may have an ``__iter__`` of its own, without end."""
        return tuple(self._sandbox.iterables.star(record))


def make_collections(sandbox: Sandbox) -> Any:
    """`collections` without its abstract classes and `User...` classes."""
    own = _Collections(sandbox)
    return namespace(
        "collections",
        {
            "deque": seal_type(Deque, own.deque),
            "defaultdict": seal_type(DefaultDict, own.defaultdict),
            "OrderedDict": seal_type(OrderedDict, own.ordered_dict),
            "Counter": seal_type(collections.Counter, own.counter),
            "namedtuple": SealedFunction(own.namedtuple, "namedtuple"),
            "abc": sandbox.library("collections.abc"),
        },
    )
