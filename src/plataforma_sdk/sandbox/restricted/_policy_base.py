"""What every part of the policy shares: faults, scopes, temporaries and lists of statements."""

# ruff: noqa: N802 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

import attrs
from RestrictedPython.transformer import RestrictingNodeTransformer

from plataforma_sdk.errors import Fault
from plataforma_sdk.sandbox.restricted._method_names import HASHED
from plataforma_sdk.sandbox.restricted._names import (
    FORBIDDEN_NAMES,
    METHOD_DUNDERS,
    PREFIX,
    REFUSED_DUNDERS,
    mangle,
)
from plataforma_sdk.sandbox.restricted._numbers import Knowledge
from plataforma_sdk.sandbox.restricted._trees import STORE, call, children, choose, constant, name, place, walrus

__all__ = ["PolicyBase", "Scope", "count_work"]

_FREE_WORK: Final = 16
"""Calls and operators for which nothing is charged beside the turn or the call that they belong to."""

_MAX_INTEGER_BITS: Final = 1 << 15
_WORK: Final = frozenset({ast.Call, ast.BinOp, ast.Compare, ast.Subscript, ast.AugAssign, ast.FormattedValue})
_SEARCH: Final = 4
"""Operators that one search of a hash table counts for."""

_APART: Final = frozenset({ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp})
"""What pays for itself at each of its turns."""

_MAX_NAME: Final = 256
_LONG_LITERAL: Final = 4096
_LONG_BODY: Final = 48
"""Statements after which a body is charged once more: a unit must stay a bounded amount of work."""


@attrs.frozen
class Scope:
    """Where the transformer stands.

    Attributes:
        kind: ``"module"``, ``"class"``, ``"function"`` or ``"comprehension"``.
        knowledge: what is known about names here.
        is_self_own: whether ``self`` has been checked to be the module's own object, at the function's entry.
        has_temporaries: whether an expression may bind one: not in a class body's comprehension, where ``:=`` is a
            syntax error, nor in a comprehension's iterable.
    """

    kind: str
    knowledge: Knowledge
    has_temporaries: bool = True
    is_self_own: bool = False


class PolicyBase(RestrictingNodeTransformer):
    """An allow-list of syntax: a node without a ``visit_`` method of ours or of RestrictedPython is refused.

    Attributes:
        faults: what was refused, with the rule as first word of `Fault.problem`.
        rules: short name of each fault's rule, in the same order.
        lines: its line.
        classes: names of the classes around, the innermost last.
    """

    def __init__(self, file: str, bound: frozenset[str]) -> None:
        super().__init__()
        self.file = file
        self.faults: list[Fault] = []
        self.rules: list[str] = []
        self.lines: list[int | None] = []
        self.scopes = [Scope("module", Knowledge(bound))]
        self.classes: list[str] = []
        self._temporaries = 0
        self._visitors: dict[type, Callable[[Any], Any]] = {}

    def visit(self, node: ast.AST) -> Any:
        """Transform a node; its visitor is looked up once for each kind."""
        kind = type(node)
        visitor = self._visitors.get(kind)
        if visitor is None:
            visitor = self._visitors[kind] = getattr(self, f"visit_{kind.__name__}", self.generic_visit)
        return visitor(node)

    # --- faults --------------------------------------------------------------------------------------------------

    def refuse(self, node: ast.AST, rule: str, problem: str, advice: str) -> None:
        """Record a fault; the walk goes on, so that an author sees all of them at once."""
        line = getattr(node, "lineno", None)
        self.faults.append(Fault(f"{self.file}:{line}" if line else self.file, problem, advice))
        self.rules.append(rule)
        self.lines.append(line)

    def error(self, node: ast.AST, info: str) -> None:
        """Record a fault found by RestrictedPython itself."""
        self.refuse(node, "syntax", info.rstrip("."), "write it another way")

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a kind of syntax: what is unknown is not allowed."""
        kind = type(node).__name__
        advice = _INSTEAD.get(kind, "write it in another form")
        self.refuse(node, "syntax", f"{kind} is not part of the restricted language", advice)

    # --- scopes --------------------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """The innermost scope."""
        return self.scopes[-1]

    @property
    def known(self) -> Knowledge:
        """What is known in the innermost scope."""
        return self.scopes[-1].knowledge

    @property
    def in_class_body(self) -> bool:
        """Whether a definition here becomes an attribute of a class."""
        return self.scopes[-1].kind == "class"

    def temporary(self) -> str:
        """Invent a name that no module can write."""
        self._temporaries += 1
        return f"_t{self._temporaries}"

    def held(self, value: ast.expr, *, is_pinned: bool = False) -> tuple[ast.expr, ast.expr] | None:
        """Write `value` so that it is evaluated once and read again: (first reading, later ones), or None.

        A mere name is read again as it is where it is local, unless `is_pinned`: what is evaluated in between might
        rebind it. Any other name may be rebound at any moment, by the ``finally`` of a generator that is freed.
        """
        if not is_pinned and self.is_steady(value):
            return value, value
        if not self.scope.has_temporaries:
            return None
        temporary = self.temporary()
        return walrus(temporary, value), name(temporary)

    def is_steady(self, value: ast.expr) -> bool:
        """Whether `value` is a name that means the same, read twice in a row."""
        return isinstance(value, ast.Name) and value.id in self.known.local

    # --- names ---------------------------------------------------------------------------------------------------

    def rename(self, node: ast.AST, identifier: str | None, *, is_method: bool = False) -> Any:
        """Check a name that the module binds or reads, and return what it is called inside."""
        if identifier is None:
            return None
        if is_method and identifier in METHOD_DUNDERS:
            return identifier
        identifier = self.class_private(identifier)
        if len(identifier) > _MAX_NAME:
            self.refuse(node, "size", f"a name of more than {_MAX_NAME} characters", "choose a shorter name")
        if identifier == "super":
            self.refuse(node, "super", "'super' is rebound", "choose another name")
        elif identifier.startswith("__") or identifier.startswith(PREFIX) or identifier.endswith("__roles__"):  # noqa: PIE810
            advice = REFUSED_DUNDERS.get(identifier, "choose another name, with one underscore at most in front")
            self.refuse(node, "reserved-name", f"the name {identifier!r} is reserved", advice)
        elif identifier in FORBIDDEN_NAMES and self.known.is_builtin(identifier):
            self.refuse(
                node,
                "forbidden-name",
                f"{identifier!r} is not available",
                _INSTEAD.get(identifier, "a module reaches the host through self and the modules it may import"),
            )
        return mangle(identifier)

    def class_private(self, identifier: str) -> str:
        """``__x`` in a class ``C`` -> ``_C__x``, as Python does, so that each class of a family has its own."""
        if not identifier.startswith("__") or identifier.endswith("__") or not self.classes:
            return identifier
        owner = self.classes[-1].lstrip("_")
        return f"_{owner}{identifier}" if owner else identifier

    # --- statements ----------------------------------------------------------------------------------------------

    def statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Transform a list of statements; one may become several, and a long list pays fuel on its way."""
        result: list[ast.stmt] = []
        work = 0
        for number, statement in enumerate(body, 1):
            work += count_work(statement)
            if work >= _FREE_WORK:
                result.append(place(ast.Expr(call("_charge_", constant(work // _FREE_WORK))), statement))  # type: ignore[arg-type]
                work %= _FREE_WORK
            new = self.visit(statement)
            result.extend(new if isinstance(new, list) else [] if new is None else [new])
            if number % _LONG_BODY == 0:
                result.append(place(ast.Expr(call("_charge_", constant(1))), statement))  # type: ignore[arg-type]
        return result

    def paid(self, node: ast.expr, work: int) -> ast.expr:
        """Charge the work of an expression that is evaluated once a turn: a lambda's body, an element, a test."""
        if work < _FREE_WORK:
            return node
        return choose(call("_paid_", constant(work // _FREE_WORK)), node, constant(None))

    def burn(self, node: ast.AST) -> ast.stmt:
        """Write the statement that uses one unit: ``for _w in _fuel_: break`` / ``else: _dead_()``."""
        loop = ast.For(name("_w", STORE), name("_fuel_"), [ast.Break()], [ast.Expr(call("_dead_"))])
        return place(loop, node)  # type: ignore[return-value]

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = self.statements(node.body)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if type(node.value) is int and node.value.bit_length() > _MAX_INTEGER_BITS:
            advice = "read it from a file of the package, in parts"
            self.refuse(node, "size", f"an integer of more than {_MAX_INTEGER_BITS:,} bits", advice)
        if isinstance(node.value, str | bytes) and len(node.value) > _LONG_LITERAL:
            return place(call("_grown_", node), node)  # type: ignore[return-value]
        return node


def count_work(node: ast.AST) -> int:
    """Count the calls and operators that one run of a statement or expression may take; blocks count their own."""
    headers = _HEADERS.get(type(node))
    if headers is None:
        pending = [node]
    else:
        pending = []
        for field in headers:
            value = getattr(node, field)
            pending += value if isinstance(value, list) else [value]
    count = 0
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind in _WORK:
            count += _searched(item)
        if kind not in _APART:
            pending += children(item)
    return count


def _searched(node: ast.AST) -> int:
    """Return what a node counts for: one, or more where keys that share a hash make a search as long as the table.

    Source: oCERT-2011-003, hash collisions.
    """
    if isinstance(node, ast.Call):
        return _SEARCH if isinstance(node.func, ast.Attribute) and node.func.attr in HASHED else 1
    if isinstance(node, ast.Compare):
        return _SEARCH if any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops) else 1
    return _SEARCH if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) else 1


_HEADERS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.If: ("test",),
    ast.While: (),
    ast.For: ("iter", "target"),
    ast.AsyncFor: ("iter", "target"),
    ast.With: ("items",),
    ast.AsyncWith: ("items",),
    ast.Match: ("subject",),
    ast.Try: (),
    ast.FunctionDef: ("decorator_list",),
    ast.AsyncFunctionDef: ("decorator_list",),
    ast.ClassDef: ("decorator_list", "bases"),
}
"""Statement with blocks -> the fields that are evaluated with itself; a loop's test is paid for at each turn."""


_INSTEAD: Final = {
    "TypeAlias": "write the alias as an assignment",
    "TypeVar": "drop the type parameter: annotations are not evaluated",
    "TemplateStr": "use an f-string",
    "TryStar": "catch the exceptions one by one, with plain except",
    "eval": "parse the text yourself, or use json.loads",
    "exec": "write the code in the module",
    "compile": "write the code in the module",
    "open": "use self.storage, or await self.asset(path) for files of the package",
    "input": "draw an input element in a window",
    "globals": "keep state on self",
    "locals": "keep state in a dict",
    "vars": "name the attributes",
    "dir": "name the attributes",
    "BaseException": "catch Exception",
    "SystemExit": "return from the method",
    "memoryview": "slice the bytes",
}
