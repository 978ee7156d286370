"""What can be told about values before the code runs: certainly a number, certainly a text, certainly cheap.

Guards are left out only where these answer yes. A *number* is an int, float or bool; a *small* one is so small that no
product of a few of them is worth a guard. Both are claims about types, so they hold only for names bound by nothing but
number expressions in their own function.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox.restricted._names import mangle
from plataforma_sdk.sandbox.restricted._private_lists import is_list_of, uses_of
from plataforma_sdk.sandbox.restricted._scan import walk_scope
from plataforma_sdk.sandbox.restricted._trees import LOAD, children, constant, is_call_to, name, walk

__all__ = ["Knowledge", "infer", "is_float_constant", "is_small_constant"]

_MAX_TERMS: Final = 6
_MAX_ROUNDS: Final = 16
_SMALL: Final = 2**64
_RANGE_SMALL: Final = 2**31
_DIGITS: Final = 25
"""Characters that one term of a small number may add to its text."""

_UNSIZED: Final = 1 << 20
_GROWING: Final = (ast.Pow, ast.LShift, ast.MatMult)
_NUMERIC: Final = (int, float, bool)
_LISTS: Final = (ast.List, ast.ListComp)
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def is_float_constant(node: ast.expr) -> bool:
    """Tell whether it is written as a float."""
    return isinstance(node, ast.Constant) and type(node.value) is float


def is_small_constant(node: ast.expr) -> bool:
    """Whether `node` is a literal number below 2**64: a product with it grows by a bounded number of bits."""
    return isinstance(node, ast.Constant) and type(node.value) in _NUMERIC and abs(node.value) < _SMALL  # type: ignore[arg-type]


@attrs.frozen
class Knowledge:
    """What is known in one scope.

    Attributes:
        bound: names bound anywhere in the file, so builtins no longer.
        numbers: names that are only ever numbers here.
        small: names that are only ever small integers here.
        lists: names that only ever mean lists of numbers that nobody else can reach; see `_private_lists`.
        local: names of this scope alone, as they are called inside: nobody else rebinds them, a finalizer that runs
            between two reads neither.
        own: names bound by nothing but statements of this function: no expression, here or elsewhere, rebinds them.
        makes_generator: whether the function holds a ``yield``.
        floating: those of them that begin as a float: a hint which type to test first, and no claim.
    """

    bound: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    floating: frozenset[str] = frozenset()
    makes_generator: bool = False

    def is_builtin(self, identifier: str) -> bool:
        """Whether `identifier` still means the builtin."""
        return identifier not in self.bound

    def calls(self, node: ast.AST, *functions: str) -> bool:
        """Whether `node` calls one of these builtins."""
        return is_call_to(node, *functions) and self.is_builtin(node.func.id)  # type: ignore[attr-defined]

    def is_small(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether `node` is certainly a small number."""
        if depth > _MAX_TERMS:
            return False
        match node:
            case ast.Constant(value=value):
                return type(value) in _NUMERIC and abs(value) < _SMALL  # type: ignore[arg-type]
            case ast.Name(id=identifier):
                return identifier in self.small
            case ast.BinOp(left=left, op=op, right=right):
                return (
                    not isinstance(op, _GROWING) and self.is_small(left, depth + 1) and self.is_small(right, depth + 1)
                )
            case ast.UnaryOp(operand=operand):
                return self.is_small(operand, depth + 1)
        return self.calls(node, "len", "ord")

    def is_number(self, node: ast.expr, depth: int = 0) -> bool:  # noqa: PLR0911
        """Whether `node` is certainly a number, of any size."""
        if depth > _MAX_TERMS:
            return False
        if not depth and self.is_small(node):
            return True
        match node:
            case ast.Constant(value=value):
                return type(value) in _NUMERIC
            case ast.Name(id=identifier):
                return identifier in self.numbers
            case ast.BinOp(left=left, op=op, right=right):
                return self._is_number_operation(left, op, right, depth + 1)
            case ast.UnaryOp(op=op, operand=operand):
                return isinstance(op, ast.Not) or self.is_number(operand, depth + 1)
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_number(body, depth + 1) and self.is_number(orelse, depth + 1)
            case ast.Subscript() | ast.Call():
                return self._is_number_of_many(node, depth + 1)
        return False

    def _is_number_of_many(self, node: ast.Subscript | ast.Call, depth: int) -> bool:
        """Whether `node` is an element of a private list, or what a builtin makes of its numbers."""
        if isinstance(node, ast.Subscript):
            return self.is_list(node.value) and self.is_number(node.slice, depth)  # a slice object is no number
        if len(node.args) == 1 and not node.keywords and self.calls(node, "sum", "min", "max"):
            return self.are_numbers(node.args[0])
        return self.is_small(node)

    def are_numbers(self, node: ast.expr) -> bool:
        """Whether `node` is an iterable of numbers alone, which no code that runs meanwhile can change."""
        if isinstance(node, ast.GeneratorExp):
            return self.inside(node).is_number(node.elt)
        return self.is_list(node)

    def _is_number_operation(self, left: ast.expr, op: ast.operator, right: ast.expr, depth: int) -> bool:
        if isinstance(op, (*_GROWING, ast.Mult)):  # noqa: SIM102
            if not (isinstance(op, ast.Mult) and (is_small_constant(left) or is_small_constant(right))):
                return False
        return self.is_number(left, depth) and self.is_number(right, depth)

    def is_list(self, node: ast.expr) -> bool:
        """Whether `node` names a private list of numbers."""
        return isinstance(node, ast.Name) and node.id in self.lists

    def inside(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Knowledge:
        """What is known inside of a comprehension.

        A target of ``range`` is a small number, one of a private list a number; any other is unknown, whatever its name
        means outside.
        """
        generators = node.generators
        targets = Counter(part.id for item in generators for part in walk(item.target) if isinstance(part, ast.Name))
        rebound = {part.target.id for part in walk(node) if isinstance(part, ast.NamedExpr)}
        single = {
            item.target.id: item.iter
            for item in generators
            if isinstance(item.target, ast.Name) and targets[item.target.id] == 1
        }
        counters = {key for key, source in single.items() if self.is_range(source)} - rebound
        elements = {key for key, source in single.items() if self.is_list(source)} - rebound
        hidden = rebound.union(targets)
        return attrs.evolve(
            self,
            numbers=(self.numbers - hidden) | counters | elements,
            small=(self.small - hidden) | counters,
            lists=self.lists - hidden,
            local=self.local.union(map(mangle, targets)),
            own=self.own - hidden,
        )

    def is_text(self, node: ast.expr) -> bool:
        """Whether `node` is certainly a str."""
        match node:
            case ast.JoinedStr():
                return True
            case ast.Constant(value=value):
                return type(value) is str
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.is_text(left) or self.is_text(right)
        return self.calls(node, "str")

    def text_size(self, node: ast.expr) -> int:
        """At most how many characters the text `node` has, where that can be told; else `_UNSIZED`."""
        match node:
            case ast.Constant(value=str() as value):
                return len(value)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.text_size(left) + self.text_size(right)
            case ast.JoinedStr(values=values):
                return sum(map(self.text_size, values))
            case ast.FormattedValue(value=value, format_spec=None) if self.is_small(value):
                return _DIGITS * sum(1 for _ in walk(value))
            case ast.Call(args=[value], keywords=[]) if self.calls(node, "str") and self.is_small(value):
                return _DIGITS * sum(1 for _ in walk(value))
        return _UNSIZED

    def is_scalar(self, node: ast.expr) -> bool:
        """Whether hashing or comparing `node` is certainly cheap: no container, no object."""
        if isinstance(node, ast.Constant | ast.JoinedStr) or self.is_number(node):
            return True
        return self.calls(node, "str", "int", "float", "bool", "isinstance")

    def is_range(self, node: ast.AST) -> bool:
        """Whether `node` is ``range(...)``."""
        return self.calls(node, "range")


@attrs.define
class _Bindings:
    """How the names of one function are bound; `seen` are the targets already understood."""

    knowledge: Knowledge
    values: dict[str, list[ast.expr]] = attrs.field(factory=dict)
    counters: set[str] = attrs.field(factory=set)
    others: set[str] = attrs.field(factory=set)
    local: set[str] = attrs.field(factory=set)
    shared: set[str] = attrs.field(factory=set)
    inner: set[int] = attrs.field(factory=set)
    seen: set[int] = attrs.field(factory=set)
    stored: dict[str, list[ast.expr]] = attrs.field(factory=dict)
    makes_generator: bool = False

    def holds_numbers(self, identifier: str, knowledge: Knowledge) -> bool:
        """Whether only lists of numbers are bound to a name, and only numbers put into them."""
        return all(
            is_list_of(value, knowledge.is_number, knowledge.inside) for value in self.values[identifier]
        ) and all(map(knowledge.is_number, self.stored[identifier]))

    def private(self, body: list[ast.stmt], own: frozenset[str]) -> frozenset[str]:
        """Find the names that mean lists without an alias, whatever these hold."""
        lists = {key for key in own if all(isinstance(value, _LISTS) for value in self.values[key])}
        if not lists:
            return frozenset()
        uses = uses_of(body, lists, self.knowledge.bound)
        self.stored = {key: uses.stored.get(key, []) for key in uses.names}
        return frozenset(uses.names)

    def settle(self, numbers: frozenset[str], lists: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Take out names of which something else is bound than numbers, or lists of numbers, until none is left."""
        for _ in range(_MAX_ROUNDS):
            knowledge = Knowledge(self.knowledge.bound, numbers=numbers, lists=lists)
            kept = frozenset(key for key in numbers if all(map(knowledge.is_number, self.values[key])))
            kept_lists = frozenset(key for key in lists if self.holds_numbers(key, knowledge))
            if kept == numbers and kept_lists == lists:
                return numbers, lists
            numbers, lists = kept, kept_lists
        return frozenset(), frozenset()  # a chain of assignments as long as that is no program of a person's

    def bind(self, target: ast.Name, value: ast.expr) -> None:
        """Note that `target` is bound to `value`."""
        self.values.setdefault(target.id, []).append(value)
        self.seen.add(id(target))
        self.local.add(target.id)


def infer(function: ast.FunctionDef | ast.AsyncFunctionDef, bound: frozenset[str]) -> Knowledge:
    """Learn which names of `function` are only ever numbers, by a greatest fixed point over its assignments.

    Arguments, names bound by anything but an assignment or ``for x in range(...)``, and names that an inner function
    declares nonlocal, are never numbers.
    """
    found = _collect(function, Knowledge(bound))
    own = frozenset(found.values) - found.others
    numbers, lists = found.settle(own, found.private(function.body, own))
    small = {key for key in found.counters & numbers if all(map(_is_counter_value, found.values[key]))}
    return Knowledge(
        bound,
        numbers=numbers,
        small=frozenset(small),
        lists=lists,
        local=frozenset(map(mangle, found.local - found.shared)),
        own=own,
        floating=frozenset(key for key in own if any(map(is_float_constant, found.values[key]))),
        makes_generator=found.makes_generator,
    )


def _is_counter_value(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) is int and abs(value.value) < _RANGE_SMALL


def _collect(function: ast.FunctionDef | ast.AsyncFunctionDef, knowledge: Knowledge) -> _Bindings:
    found = _Bindings(knowledge)
    found.local.update(parameter.arg for parameter in children(function.args) if isinstance(parameter, ast.arg))
    found.others |= found.local
    for node in walk_scope(function.body):
        collect = _COLLECT.get(type(node))
        if collect is not None:
            collect(found, node)
    return found


def _collect_name(found: _Bindings, node: ast.Name) -> None:
    if not isinstance(node.ctx, ast.Load) and id(node) not in found.seen:
        found.others.add(node.id)
        if id(node) not in found.inner:
            found.local.add(node.id)


def _collect_targets(found: _Bindings, node: ast.comprehension) -> None:
    """The targets of a comprehension are its own: outside, the name may be a global."""
    found.inner.update([id(part) for part in walk(node.target)])


def _collect_assignment(found: _Bindings, node: ast.Assign) -> None:
    match node.targets:
        case [ast.Name() as target]:
            found.bind(target, node.value)


def _collect_augmented(found: _Bindings, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Name):
        found.bind(node.target, ast.BinOp(name(node.target.id), node.op, node.value))


def _collect_loop(found: _Bindings, node: ast.For) -> None:
    if isinstance(node.target, ast.Name) and found.knowledge.is_range(node.iter):
        found.bind(node.target, constant(1))
        found.counters.add(node.target.id)
    elif isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Name):
        found.bind(node.target, ast.Subscript(node.iter, constant(0), LOAD))


def _collect_yield(found: _Bindings, _: ast.AST) -> None:
    found.makes_generator = True


def _collect_others(found: _Bindings, node: ast.AST) -> None:
    names = _other_bindings(node)
    found.others |= names
    if isinstance(node, (ast.Global, ast.Nonlocal, *_DEFINITIONS)):
        found.shared |= names


def _other_bindings(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Global | ast.Nonlocal):
        return set(node.names)
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return {node.name} if node.name else set()
    if isinstance(node, ast.MatchMapping):
        return {node.rest} if node.rest else set()
    if isinstance(node, ast.alias):
        return {(node.asname or node.name).split(".")[0]}
    if isinstance(node, _DEFINITIONS):
        own = {node.name} if not isinstance(node, ast.Lambda) else set()
        rebound = {name for inner in walk(node) if isinstance(inner, ast.Nonlocal) for name in inner.names}
        return own | rebound
    return set()


_OTHERS: Final = (
    ast.Global,
    ast.Nonlocal,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.MatchMapping,
    ast.alias,
    *_DEFINITIONS,
)
_COLLECT: Final[dict[type, Callable[[_Bindings, Any], None]]] = {
    **dict.fromkeys(_OTHERS, _collect_others),
    ast.Yield: _collect_yield,
    ast.YieldFrom: _collect_yield,
    ast.comprehension: _collect_targets,
    ast.Name: _collect_name,
    ast.Assign: _collect_assignment,
    ast.AugAssign: _collect_augmented,
    ast.For: _collect_loop,
}
"""Kind of node -> what it binds; a kind that is not here binds nothing itself."""
