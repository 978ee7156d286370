"""What a walk over a source knows where it stands: names and what they hold, the function, loops and tests around."""

from __future__ import annotations

import ast
from typing import Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Facts, Function, Loop
from plataforma_sdk.security._value import NOTHING, Key, Value

__all__ = ["BUILTINS", "RESULT", "ScopeReader"]

BUILTINS: Final = frozenset({"builtins", "__builtins__", "__builtin__"})
RESULT: Final = "return:"
"""Before the name of a function: the key of what it returns."""

_GUARDIANS: Final = frozenset(
    {"builtins", "hmac", "hashlib", "ssl", "secrets", "json", "importlib", "urllib.request", "http.client", "asyncio"}
)
"""Modules of the standard library that others trust with what is theirs."""
_POWERFUL_NAMES: Final = (
    "exec eval compile open getattr globals system popen Popen run call check_output spawn startfile "
    "execv environ getenv socket connect urlopen urlretrieve post loads fork remove unlink rmtree CDLL "
    "windll os sys subprocess builtins ctypes import_module decompress b64decode"
)
_POWERFUL: Final = frozenset(_POWERFUL_NAMES.split())


class ScopeReader:
    """Binds names, and notes what the readers of expressions, calls and statements have in common."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.scope = self.facts.new_scope(None)
        self.function = Function("", 0)
        self.facts.functions[""] = self.function
        self.loops: list[Loop] = []
        self.aliases: dict[str, str] = {}
        self.texts: dict[str, Value] = {}
        self.guards: tuple[Value, ...] = ()
        self.last_test = NOTHING
        self.floods = 0
        self.parameters: list[Key] = []

    @property
    def in_loop(self) -> bool:
        """Whether the walk stands in a loop."""
        return bool(self.loops or self.function.for_loops)

    def read(self, node: ast.expr) -> Value:
        """Read an expression."""
        raise NotImplementedError

    def note_hidden(self, key: Value, line: int, *, is_module: bool = False) -> None:
        """Note the name of a module, or of something powerful, that was built in place of being written."""
        is_powerful = is_module or key.text in _POWERFUL or key.text.startswith("__")
        if key.hidden and key.exact and is_powerful and key.text.isidentifier():
            self.facts.hidden.append((key.text, line))

    def note_picked(self, value: Value, owner: Value, name: str) -> None:
        """Note that something is picked by a name; what a secret field is picked out of holds the secret as well."""
        if known.is_field(name):
            value.labels |= known.FORM
            for read in owner.reads[-1:]:
                self.facts.flow(read, Value(labels=known.FORM))
        elif known.is_secret_name(name):
            value.labels |= known.NAMED
        elif not known.is_sensitive_query(name):
            self.facts.pick(value, owner)

    def name_lambda(self, name: str, node: ast.expr) -> None:
        """Let what was just read be called by a name, where it is a lambda."""
        if isinstance(node, ast.Lambda):
            self.facts.functions.setdefault(name, Function(name, node.lineno, parameters=self.parameters))

    def leave(self) -> None:
        """Say that the loops around end, or wait, here."""
        for loop in self.loops:
            loop.ends = True

    # --- binding ---------------------------------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.facts.bind(self.scope, target.id)
            self.facts.flow((self.scope, target.id), value)
            self.facts.names.append(target.id)
            self._alias(target.id, value)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Subscript):
            self.bind_item(target, value)

    def bind_attribute(self, target: ast.Attribute, value: Value) -> None:
        if isinstance(target.value, ast.Name):
            self.facts.flow((0, f"{target.value.id}.{target.attr}"), value)
            self._alias(f"{target.value.id}.{target.attr}", value)
        owner = self.read(target.value).dotted
        if owner.partition(".")[0] == "plataforma_sdk" and not owner.endswith(")"):
            self.facts.attributes.append((f"{owner}.{target.attr}=", target.lineno))
        if owner in _GUARDIANS:
            self.facts.attributes.append((f"{owner}.{target.attr}=", target.lineno))
        if target.attr in ("__code__", "__closure__", "__builtins__"):
            self.facts.attributes.append((f"{target.attr}=", target.lineno))

    def bind_item(self, target: ast.Subscript, value: Value) -> None:
        owner, key = self.read(target.value), self.read(target.slice)
        for read in owner.reads[:1]:
            self.facts.flow(read, value)
        if owner.dotted == "sys.modules" or (owner.dotted in BUILTINS and key.exact):
            self.facts.attributes.append((f"{owner.dotted}=", target.lineno))

    def _alias(self, name: str, value: Value) -> None:
        if value.dotted:
            self.aliases[name] = value.dotted
        else:
            self.aliases.pop(name, None)
        if value.text or value.items is not None:
            self.texts[name] = value
        else:
            self.texts.pop(name, None)
