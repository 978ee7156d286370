"""Draws whole programs from the grammar: `programs()` is a Hypothesis strategy of source texts.

Every program ends: loops are bounded, and functions call only what is defined before them. Each top-level statement
stands in a ``try`` of its own that traces its error, so that one fault does not hide what comes after it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, Final

import hypothesis.strategies as st

from tests.security.differential.grammar import ARITHMETIC, EXPRESSIONS, LEAVES, MEMBERS, NAMES, STATEMENTS

__all__ = ["Writer", "programs"]

_HOLE: Final = re.compile(r"<([=#]?)(\w*)([!.+][!\w]*)?>")
_DEPTH: Final = 3
_MIXED: Final = 24
_POOL: Final = tuple(sorted({name for kind, names in NAMES.items() if kind != "num" for name in names}))


def programs() -> st.SearchStrategy[str]:
    """Source texts that run to their end."""
    return st.composite(lambda draw: Writer(draw).program())()


class Writer:
    """Writes one program, a choice at a time.

    Args:
        draw: how a choice is made; Hypothesis shrinks towards the first of the options.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw
        self._extra: list[str] = []
        self._is_calm = 0
        self._counters = 0
        self._later = list(_CALLABLE)
        self._is_inside = False

    # --- choices -------------------------------------------------------------------------------------------------

    def number(self, limit: int) -> int:
        """A number below `limit`."""
        return self._draw(st.integers(0, limit - 1))  # type: ignore[no-any-return]

    def pick(self, options: tuple[str, ...]) -> str:
        """One of the options."""
        return options[self.number(len(options))]

    # --- expressions ---------------------------------------------------------------------------------------------

    def expression(self, kind: str, depth: int) -> str:
        """An expression that mostly yields `kind`; now and then one of another kind, for the errors."""
        if kind not in ("num", "small", "any") and self.number(_MIXED) == _MIXED - 1:
            kind = "any"
        if kind == "obj" and self._later[0] == ".n":
            kind = "any"
        if kind == "any":
            kind = ("int", "str", "list", "float", "dict", "tuple", "bool", "set", "bytes", "obj", "leaf")[
                self.number(11)
            ]
        if depth <= 0 or kind not in EXPRESSIONS or self.number(3) == 0:
            return self.leaf(kind)
        return self.fill(self._calm(EXPRESSIONS[kind]), depth - 1)

    def _calm(self, templates: tuple[str, ...]) -> str:
        """Choose a template that may stand here: no ``:=`` where it is a syntax error, no call of what comes later."""
        template = self.pick(templates)
        is_early = any(call in template for call in self._later)
        return "0" if is_early or (self._is_calm and ":=" in template) else template

    def leaf(self, kind: str, *, is_quoteless: bool = False) -> str:
        """A name or a literal."""
        kind = "any" if kind == "leaf" else kind
        names = (*NAMES.get(kind, ()), *(self._extra if kind in ("int", "num") else ()))
        literals = tuple(item for item in LEAVES.get(kind, ()) if not is_quoteless or not set("'\\{") & set(item))
        return self.pick((*names, *names, *literals))

    def fill(self, template: str, depth: int) -> str:
        """Replace the holes of one line."""
        return _HOLE.sub(lambda found: self._hole(found, depth), template)

    def _hole(self, found: re.Match[str], depth: int) -> str:
        mark, kind, option = found.groups()
        option = option or ""
        if mark == "=":
            return self.pick(NAMES[kind])
        if option.startswith("."):
            return self.leaf(kind, is_quoteless=True)
        names = option[1:] if option.startswith("+") else ""
        self._extra += [names] if names else []
        self._is_calm += "!" in option
        text = self.expression(kind, depth)
        self._is_calm -= "!" in option
        if names:
            self._extra.remove(names)
        is_atom = text.isidentifier() or (text.isdigit() and found.string[found.end() : found.end() + 1] != ".")
        return text if is_atom else f"({text})"

    # --- statements ----------------------------------------------------------------------------------------------

    def block(self, depth: int, templates: tuple[str, ...] = STATEMENTS, *, in_loop: bool = False) -> list[str]:
        """Lines of one to three statements."""
        lines = [line for _ in range(1 + self.number(3)) for line in self.statement(depth, templates)]
        if in_loop and self.number(4) == 3:
            lines += [f"if {self.expression('bool', 1)}:", f"    {self.pick(('break', 'continue'))}"]
        return lines

    def statement(self, depth: int, templates: tuple[str, ...] = STATEMENTS) -> list[str]:
        """Lines of one statement."""
        template = self.pick(templates)
        if depth <= 0 and ("<block>" in template or "<loop>" in template):
            template = "trace(<any>)"
        self._counters += 1
        template = template.replace("<#>", f"n{self._counters}")
        template = "trace(0)" if len(templates) > 1 and any(call in template for call in self._later) else template
        lines: list[str] = []
        for line in template.splitlines():
            indent, text = line[: len(line) - len(line.lstrip())], line.strip()
            if text in ("<block>", "<loop>"):
                made = self.block(depth - 1, templates, in_loop=text == "<loop>")
            elif text == "<shared>":
                made = [f"{'nonlocal' if self._is_inside else 'global'} {', '.join(_POOL)}"]
            elif text == "<locals>":
                made = self.locals()
                self._is_inside = True
            else:
                made = [self.fill(text, _DEPTH)]
            lines += [indent + item for item in made]
        return lines

    def locals(self, given: tuple[str, ...] = ("i",)) -> list[str]:
        """Bind every name of the pool."""
        kinds = {name: kind for kind, names in NAMES.items() if kind not in ("num", "any") for name in names}
        return [f"{name} = {self.leaf_value(kinds.get(name, 'any'))}" for name in _POOL if name not in given]

    def leaf_value(self, kind: str) -> str:
        """A literal, which needs no name to be bound."""
        return self.pick(LEAVES[kind]) if kind != "obj" else "C0()"

    # --- programs ------------------------------------------------------------------------------------------------

    def program(self) -> str:
        """A whole program."""
        parts = [_HEAD, *self.locals(given=NAMES["obj"]), *_BASE.splitlines(), *self._classes()]
        parts += [f"{name} = C0()" for name in NAMES["obj"]] + self._functions()
        self._is_inside = False
        for _ in range(2 + self.number(5)):
            parts += [
                "try:",
                *_indented(self.statement(2)),
                "except Exception as error:",
                "    trace(type(error).__name__, str(error))",
            ]
        parts.append(
            f"trace({', '.join(f'{name!r}, {name}' for name in ('i', 'f', 's', 'l', 'd', 'x', 'p', 'b', 'none'))})"
        )
        return "\n".join(parts) + "\n"

    def _classes(self) -> list[str]:
        lines: list[str] = []
        for name, base in (("C0", ""), ("C1", "(C0)")):
            members = sorted({self.number(len(MEMBERS)) for _ in range(self.number(8))})
            lines += [f"class {name}{base}:", *_indented((_INIT if name == "C0" else _SUPER).splitlines())]
            for number in members:
                lines += _indented(self.statement(1, (MEMBERS[number],)))
                self._is_inside = False
        self._later = [call for call in self._later if call[0] not in ".C"]
        return lines

    def _functions(self) -> list[str]:
        lines: list[str] = []
        self._is_inside = True
        for head in _FUNCTIONS:
            templates = ARITHMETIC if head.startswith("def calc") else STATEMENTS
            lines.append(head)
            body = _ARITHMETIC_HEAD if templates is ARITHMETIC else self.locals(given=("i", "s"))
            body = [*body, *self.block(1, templates)]
            if head.startswith(("def g", "async def a1")):
                body.append(f"yield {self.expression('int', 1)}")
            elif head.startswith("async"):
                body += [self.fill(text, 1) for text in _AWAITS[: self.number(len(_AWAITS) + 1)]]
            lines += _indented([*body, f"{'yield' if ' g0' in head or 'a1' in head else 'return'} {_result(head)}"])
            self._later = [call for call in self._later if f" {call}" not in head]
        return [*lines, *_CALLS]


def _result(head: str) -> str:
    return "a, c, h, r" if head.startswith("def calc") else "i"


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


_CALLABLE: Final = (".n", ".m(", ".v", "C0(", "C1(", "C0.", "C1.", "<obj>", "f0(", "f1(", "g0(", "a0(", "a1(")
"""What may only be written behind its definition."""

_HEAD: Final = "class Oops(Exception):\n    pass"
_BASE: Final = textwrap.dedent("""\
    class Ctx:
        def __init__(self, swallows=False):
            self.swallows = swallows
        def __enter__(self):
            return trace('enter', self.swallows)
        def __exit__(self, kind, error, _):
            trace('exit', kind and kind.__name__, str(error))
            return self.swallows is True
        def __repr__(self):
            return 'Ctx'
        def __hash__(self):
            return 7
    def kw(*args, **kwargs):
        return trace(kwargs)
    def reduced(items, *rest, start=0):
        for item in items:
            start += item
        return start
    """)
_INIT: Final = textwrap.dedent("""\
    def __init__(self, n=0):
        self.n = n
        self._p = trace(n)
    def __repr__(self):
        return 'C'
    def __hash__(self):
        return 6""")
_SUPER: Final = "def __init__(self, n=1):\n    super().__init__(n)\n    self.extra = [n]"
_FUNCTIONS: Final = (
    "def g0(i=2, s='g'):",
    "def f0(i, s='x'):",
    "async def a0(i, s='y'):",
    "async def a1(i=2, s='z'):",
    "def f1(i=3, *rest, s='', **more):",
    "def calc(i, s='abc'):",
)
_ARITHMETIC_HEAD: Final = [
    "a = 2",
    "c = 7",
    "h = 100",
    "r = 1",
    "l = [4, 'x', 2]",
    *(f"{name} = 3" for name in _POOL if name not in ("i", "s", "l")),
]
_AWAITS: Final = (
    "i = await tick(<int>)",
    "l = [v async for v in ticks(<small>) if v]",
    "async for k in ticks(<small>):\n        trace(k)",
    "d = {v: await tick(v) async for v in ticks(3)}",
)
_CALLS: Final = [
    "def attempt(function, *args):",
    "    try:",
    "        trace(function(*args))",
    "    except Exception as error:",
    "        trace(type(error).__name__, str(error))",
    "attempt(calc, 3)",
    "attempt(f0, 2)",
    "attempt(f1)",
    "attempt(lambda: list(g0(2)))",
    "attempt(lambda: drive(a0(2)))",
]
