"""The set-up that is usual for RestrictedPython: `safe_globals`, `safer_getattr`, an import allow-list; no limits.

What gets through here says how hard a corpus is. It is nobody's engine: hosts that write these twenty lines are the
reason for the one that is tested beside it.
"""

from __future__ import annotations

import builtins
import datetime
import gc
import json
import math
import operator
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, ClassVar, Final

from RestrictedPython.compile import compile_restricted_exec
from RestrictedPython.Guards import (
    guarded_iter_unpack_sequence,
    guarded_unpack_sequence,
    safe_builtins,
    safer_getattr,
)
from RestrictedPython.PrintCollector import PrintCollector
from RestrictedPython.Utilities import utility_builtins

from tests.security.judge._host import Api, Bus

__all__ = ["NaiveTarget"]

_MODULES: Final[Mapping[str, ModuleType]] = {
    "math": math,
    "json": json,
    "random": random,
    "string": string,
    "re": re,
    "datetime": datetime,
}
_ADDED: Final = "list dict tuple sorted sum min max enumerate zip map filter any all iter next hasattr type"
_IN_PLACE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "%=": operator.imod,
    "//=": operator.ifloordiv,
    "**=": operator.ipow,
}


class _PlainFramework:
    """A base class as a host writes it that thinks of no attacker."""

    registry: ClassVar[dict[str, int]] = {"x": 1}

    def on_load(self) -> None:
        """Nothing."""

    @property
    def name_prop(self) -> int:
        return 1


class NaiveTarget:
    """As `Target`, without the engine: the payload gets the host's own objects."""

    max_cpu_s: Final = 2

    def __init__(self) -> None:
        self.leaked: list[Any] = []
        self.api = Api()
        self.base: Any = type("ModuleFramework", (_PlainFramework,), {"__module__": "m", "registry": {"x": 1}})
        self._globals: dict[str, Any] = {}
        leaked = self.leaked

        def leak(*values: Any) -> Any:
            leaked.extend(values)
            return values[0] if values else None

        self._leak = leak

    @property
    def given(self) -> tuple[Any, ...]:
        """What the payload may hold of the host's."""
        return (self._leak,)

    def phases(self, code: str) -> Iterator[Callable[[], str]]:
        """Run the payload, and let it go."""
        yield lambda: self._run(code)
        yield self._let_go

    def _run(self, code: str) -> str:
        self._globals = _restricted_globals() | {
            "leak": self._leak,
            "api": self.api,
            "bus": Bus(self.api),
            "ModuleFramework": self.base,
        }
        try:
            compiled = compile_restricted_exec(code)
            if compiled.errors:
                return "exc:SyntaxError"
            exec(compiled.code or "", self._globals)
        except Exception as error:
            return f"exc:{type(error).__name__}"
        except BaseException as error:
            return f"untyped:{type(error).__name__}"
        return "ok"

    def _let_go(self) -> str:
        self._globals.clear()
        gc.collect()
        return "ok"


def _import(name: str, *_: Any) -> ModuleType:
    if name not in _MODULES:
        raise ImportError(name)
    return _MODULES[name]


def _restricted_globals() -> dict[str, Any]:
    names = {**safe_builtins, **utility_builtins}
    names |= {name: getattr(builtins, name) for name in _ADDED.split()}
    names |= {"__import__": _import, "getattr": safer_getattr}
    return {
        "__builtins__": names,
        "__name__": "m",
        "__metaclass__": type,
        "_getattr_": safer_getattr,
        "_getitem_": operator.getitem,
        "_getiter_": iter,
        "_write_": lambda target: target,
        "_inplacevar_": lambda sign, target, value: _IN_PLACE[sign](target, value),
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
        "_print_": PrintCollector,
        "_apply_": lambda function, *args, **kwargs: function(*args, **kwargs),
        **_MODULES,
    }
