"""What one pass over a source has found, and how labels spread from name to name."""

from __future__ import annotations

import ast
from typing import Final

import attrs

from plataforma_sdk.security._labels import ROWS
from plataforma_sdk.security._value import NOTHING, Key, Value

__all__ = ["Facts", "Function", "Lookup", "Loop", "Sink"]

_ENTRIES: Final = frozenset({"", "on_load", "render", "__init_subclass__", "__set_name__"})
"""Functions that run before anybody asks for anything; ``""`` is the file itself."""


@attrs.define
class Function:
    """One function, or all of one name: methods are told apart by name alone.

    Attributes:
        name: its name; ``""`` is the file itself.
        line: where it begins.
        calls: names that it calls.
        parameters: its parameters' keys.
        for_loops: how many ``for`` loops the walk stands in.
    """

    name: str
    line: int
    calls: set[str] = attrs.field(factory=set)
    parameters: list[Key] = attrs.field(factory=list)
    for_loops: int = 0


@attrs.define
class Loop:
    """One ``while`` loop.

    Attributes:
        line: where it begins.
        function: in which it stands.
        ends: whether its test, or something in it, can end or suspend it.
    """

    line: int
    function: str
    ends: bool


@attrs.define(kw_only=True)
class Sink:
    """A call where a value ends: code, a process, the network, a file.

    Attributes:
        kind: ``"code"``, ``"process"``, ``"network"``, ``"write"`` ...
        name: what is called.
        line: where.
        function: in which it stands.
        labels: bits of `_labels`; after `Facts.spread`, those of the names it reads as well.
        reads: names that the arguments are made of.
        text: the constant parts of the arguments, parted by ``\\0``.
        first: the first argument.
        in_loop: whether it stands in a loop.
        in_flood: whether it stands in a loop over a range that is written, and very long.
        is_method: whether it is called on a value.
        first_labels: of the first argument, set by `Facts.spread`.
        guards: the tests of the ``if`` statements that it stands in.
    """

    kind: str
    name: str
    line: int
    function: str
    labels: int
    reads: tuple[Key, ...]
    text: str
    first: Value = NOTHING
    in_loop: bool = False
    in_flood: bool = False
    is_method: bool = False
    first_labels: int = 0
    guards: tuple[Value, ...] = ()


@attrs.define(kw_only=True)
class Lookup:
    """Something of power that is looked up by a name which is not constant: a module, a builtin, a global.

    Attributes:
        line: where.
        key: the name.
        labels: bits of `_labels`; after `Facts.spread`, those of the names it reads as well.
    """

    line: int
    key: Value
    labels: int = 0


@attrs.define
class Facts:
    """What one pass over a source has found; lines stand beside everything."""

    imports: list[tuple[str, int]] = attrs.field(factory=list)
    computed_imports: list[int] = attrs.field(factory=list)
    strings: list[tuple[str, int]] = attrs.field(factory=list)
    decoded: list[tuple[str, int]] = attrs.field(factory=list)
    hidden: list[tuple[str, int]] = attrs.field(factory=list)
    attributes: list[tuple[str, int]] = attrs.field(factory=list)
    names: list[str] = attrs.field(factory=list)
    sinks: list[Sink] = attrs.field(factory=list)
    loops: list[Loop] = attrs.field(factory=list)
    bombs: list[int] = attrs.field(factory=list)
    swallowed: list[int] = attrs.field(factory=list)
    long_functions: list[tuple[str, int, int]] = attrs.field(factory=list)
    functions: dict[str, Function] = attrs.field(factory=dict)
    calls: list[tuple[str, list[Value]]] = attrs.field(factory=list)
    handlers: list[tuple[str, Value]] = attrs.field(factory=list)
    endpoints: dict[str, int] = attrs.field(factory=dict)
    secret_fields: list[int] = attrs.field(factory=list)
    searches: list[tuple[int, Value]] = attrs.field(factory=list)
    removals: list[int] = attrs.field(factory=list)
    pixels: list[int] = attrs.field(factory=list)
    entries: list[tuple[str, Value, int]] = attrs.field(factory=list)
    machine_code: list[int] = attrs.field(factory=list)
    lookups: list[Lookup] = attrs.field(factory=list)
    in_comprehension: int = 0
    _parents: list[int | None] = attrs.field(factory=list)
    _bound: list[set[str]] = attrs.field(factory=list)
    _flows: list[tuple[Key, Value]] = attrs.field(factory=list)
    _labels: dict[Key, int] = attrs.field(factory=dict)
    _parts: set[Key] = attrs.field(factory=set)
    _readers: dict[Key, list[Key]] = attrs.field(factory=dict)

    # --- while reading ---------------------------------------------------------------------------------------------

    def new_scope(self, parent: int | None) -> int:
        """Open a scope, and return its number."""
        self._parents.append(parent)
        self._bound.append(set())
        return len(self._parents) - 1

    def bind(self, scope: int, name: str) -> None:
        """Say that a scope binds a name."""
        self._bound[scope].add(name)

    def bind_parameters(self, scope: int, function: Function, names: list[str]) -> None:
        """Bind a function's parameters; those of several functions of one name are joined to the same calls."""
        self._bound[scope].update(names)
        own = [(scope, name) for name in names if name not in ("self", "cls")]
        for place, key in enumerate(own):
            if place < len(function.parameters):
                self._flows.append((key, Value(reads=(function.parameters[place],))))
            else:
                function.parameters.append(key)

    def flow(self, target: Key, value: Value) -> None:
        """Say that a name may hold a value."""
        if value.labels or value.reads:
            self._flows.append((target, value))

    def part_of(self, value: Value) -> Value:
        """Return what a value holds, save that it is no whole record any more."""
        if not value.reads:
            return Value(labels=value.labels & ~ROWS)
        key = (0, f"part:{len(self._parts)}")
        self._parts.add(key)
        self.flow(key, Value(reads=value.reads))
        return Value(labels=value.labels & ~ROWS, reads=(key,))

    def pick(self, value: Value, owner: Value) -> None:
        """Say that a value is one field of its owner's; what is put into it, the owner has."""
        part = self.part_of(value)
        value.labels, value.reads = part.labels, part.reads
        for read in owner.reads[-1:]:
            self.flow(read, part)

    def measure(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Note a function's length."""
        self.long_functions.append((node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1))

    # --- afterwards ------------------------------------------------------------------------------------------------

    def spread(self) -> None:
        """Carry labels along all flows until nothing changes, then to the sinks."""
        for called, values in self.calls:
            function = self.functions.get(called)
            if function is not None:
                for parameter, value in zip(function.parameters, values, strict=False):
                    self.flow(parameter, value)
        for name, value in self.handlers:
            for parameter in self.functions[name].parameters if name in self.functions else ():
                self.flow(parameter, value)
        pending: list[Key] = []
        for target, value in self._flows:
            key = self._resolve(target)
            for read in value.reads:
                self._readers.setdefault(self._resolve(read), []).append(key)
            if value.labels & ~self._labels.get(key, 0):
                self._labels[key] = self._labels.get(key, 0) | value.labels
                pending.append(key)
        self._carry(pending)
        self.settle()

    def receive(self, keys: list[Key], labels: int) -> bool:
        """Carry labels that come from another file of the package, and say whether they were news; then `settle`."""
        pending = []
        for key in map(self._resolve, keys):
            if labels & ~self._labels.get(key, 0):
                self._labels[key] = self._labels.get(key, 0) | labels
                pending.append(key)
        self._carry(list(pending))
        return bool(pending)

    def settle(self) -> None:
        """Hand the labels on to what is looked at: sinks and look-ups."""
        for sink in self.sinks:
            sink.labels |= self.labels_of(sink.reads)
            sink.first_labels = sink.first.labels | self.labels_of(sink.first.reads)
        for lookup in self.lookups:
            lookup.labels = lookup.key.labels | self.labels_of(lookup.key.reads)

    def _carry(self, pending: list[Key]) -> None:
        while pending:
            key = pending.pop()
            whole = self._labels[key]
            for reader in self._readers.get(key, ()):
                labels = whole & ~ROWS if reader in self._parts else whole
                if labels & ~self._labels.get(reader, 0):
                    self._labels[reader] = self._labels.get(reader, 0) | labels
                    pending.append(reader)

    def labels_of(self, reads: tuple[Key, ...]) -> int:
        """Return what the names hold, once `spread` has run."""
        labels = 0
        for read in reads:
            labels |= self._labels.get(self._resolve(read), 0)
        return labels

    def _resolve(self, key: Key) -> Key:
        scope: int | None
        scope, name = key
        while scope:
            if name in self._bound[scope]:
                return scope, name
            scope = self._parents[scope]
        return 0, name

    def labelled_names(self) -> set[str]:
        """Return the names of the file itself that hold something."""
        return {name for scope, name in self._labels if scope == 0}

    def runs_at_load(self) -> set[str]:
        """Return the names of the functions that run before anybody asks for anything."""
        found = {name for name in _ENTRIES if name in self.functions}
        pending = list(found)
        while pending:
            for called in self.functions[pending.pop()].calls - found:
                if called in self.functions:
                    found.add(called)
                    pending.append(called)
        return found
