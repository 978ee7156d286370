"""Which names a module may write, and how its private ones are kept apart from the engine's.

Every name that begins with one underscore is renamed, ``_x`` -> ``p0_x``, wherever it stands: variables, attributes,
arguments, keywords, imports. So the engine's own names (``_fuel_``, ``_t1``, slots such as ``_sdk_value``) cannot even
be written in a module, and one module's private names work as its author expects.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CALLABLE_DUNDERS",
    "CLASS_DUNDERS",
    "FORBIDDEN_NAMES",
    "METHOD_DUNDERS",
    "PREFIX",
    "is_frame_attribute",
    "mangle",
]

PREFIX: Final = "p0_"

METHOD_DUNDERS: Final = frozenset(
    [
        "__init__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__hash__",
        "__bool__",
        "__len__",
        "__contains__",
        "__iter__",
        "__next__",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__call__",
        "__enter__",
        "__exit__",
        "__aenter__",
        "__aexit__",
        "__aiter__",
        "__anext__",
        "__repr__",
        "__str__",
        "__add__",
        "__sub__",
        "__mul__",
        "__truediv__",
        "__floordiv__",
        "__mod__",
        "__neg__",
        "__pos__",
        "__abs__",
        "__radd__",
        "__rsub__",
        "__rmul__",
        "__rtruediv__",
        "__iadd__",
        "__isub__",
        "__and__",
        "__or__",
        "__xor__",
        "__post_init__",
        "__getattr__",
        "__getstate__",
    ]
)
"""Special methods that a class may define. The rest reach into the class machinery, or are called by C code that does
not expect a fault: ``__del__``, ``__get__``, ``__set_name__``, ``__class__``, ``__index__``, ``__format__`` ..."""

CALLABLE_DUNDERS: Final = METHOD_DUNDERS - {"__getstate__", "__getattr__"}
"""Special methods that may be called by name, ``self.__enter__()``, ``Base.__init__(self)``, on the module's own."""

CLASS_DUNDERS: Final = METHOD_DUNDERS | frozenset(
    [
        "__module__",
        "__qualname__",
        "__doc__",
        "__annotations__",
        "__classcell__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__type_params__",
        "__classdictcell__",
        "__conditional_annotations__",
    ]
)
"""What may stand in a class body once CPython has added its own entries."""

FORBIDDEN_NAMES: Final = frozenset(
    [
        "exec",
        "eval",
        "compile",
        "open",
        "globals",
        "locals",
        "vars",
        "dir",
        "breakpoint",
        "input",
        "help",
        "object",
        "memoryview",
        "BaseException",
        "BaseExceptionGroup",
        "ExceptionGroup",
        "GeneratorExit",
        "KeyboardInterrupt",
        "SystemExit",
        "builtins",
    ]
)

_FRAME_PREFIXES: Final = ("gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_")
_FRAME_NAMES: Final = frozenset(
    [
        "gi_frame",
        "gi_code",
        "gi_yieldfrom",
        "gi_running",
        "gi_suspended",
        "cr_frame",
        "cr_code",
        "cr_await",
        "cr_origin",
        "cr_running",
        "cr_suspended",
        "ag_frame",
        "ag_code",
        "ag_await",
        "ag_running",
        "ag_suspended",
        "tb_frame",
        "tb_next",
        "tb_lasti",
        "tb_lineno",
        "f_back",
        "f_builtins",
        "f_code",
        "f_globals",
        "f_locals",
        "f_trace",
        "f_trace_lines",
        "f_trace_opcodes",
        "f_generator",
        "f_lineno",
        "f_lasti",
        "co_code",
        "co_consts",
        "co_names",
        "co_varnames",
        "co_freevars",
        "co_cellvars",
        "co_filename",
        "co_name",
        "co_qualname",
        "co_flags",
        "func_globals",
        "func_code",
        "func_closure",
        "func_defaults",
        "gi_state",
        "cr_state",
        "ag_state",
    ]
)


def is_frame_attribute(name: str) -> bool:
    """Whether `name` leads to a frame, a code object or what they hold.

    Source: CVE-2023-37271, stack frames reached through generators.
    """
    return name in _FRAME_NAMES or name.startswith(_FRAME_PREFIXES[:3])


def mangle(name: str) -> str:
    """Rename a private name; ``_`` itself and special names stay.

    >>> mangle("_total"), mangle("total"), mangle("_")
    ('p0_total', 'total', '_')
    """
    if name[:1] == "_" and name != "_" and not name.startswith("__"):
        return PREFIX + name[1:]
    return name
