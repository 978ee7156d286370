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
    "REFUSED_DUNDERS",
    "is_frame_attribute",
    "mangle",
]

PREFIX: Final = "p0_"

METHOD_DUNDERS: Final = frozenset(
    """
    __init__ __post_init__ __init_subclass__ __class_getitem__ __getattr__ __getstate__
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __bool__ __repr__ __str__ __format__
    __len__ __contains__ __iter__ __next__ __reversed__ __getitem__ __setitem__ __delitem__ __missing__
    __call__ __enter__ __exit__ __aenter__ __aexit__ __aiter__ __anext__
    __add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __matmul__
    __and__ __or__ __xor__ __lshift__ __rshift__
    __radd__ __rsub__ __rmul__ __rtruediv__ __rfloordiv__ __rmod__ __rdivmod__ __rpow__ __rmatmul__
    __rand__ __ror__ __rxor__ __rlshift__ __rrshift__
    __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __imatmul__
    __iand__ __ior__ __ixor__ __ilshift__ __irshift__
    __neg__ __pos__ __abs__ __invert__ __int__ __float__ __round__
    """.split()  # noqa: SIM905 - read by groups
)
"""Special methods that a class may define: C calls them as it calls any function of the module's, on the module's fuel,
and takes of what they return no more than its type; the number of ``__int__`` is sized on its way."""

REFUSED_DUNDERS: Final = {
    "__index__": "write int(value) where a position or a size is wanted: sizes are checked before C asks for them",
    "__length_hint__": "leave it out: C would reserve what it promises",
    "__new__": "make objects in a class method, or in a function",
    "__del__": "release things in a context manager, or in on_unload",
    "__getattribute__": "define __getattr__, which is asked for what is missing",
    "__setattr__": "use a property with a setter, or @dataclass(frozen=True)",
    "__delattr__": "use a property with a deleter",
    "__get__": "use a property",
    "__set__": "use a property with a setter",
    "__delete__": "use a property with a deleter",
    "__set_name__": "pass the name as an argument",
    "__await__": "write an async method, and await it",
    "__bytes__": "write a method that returns the bytes",
    "__complex__": "write a method that returns the number",
    "__trunc__": "define __int__",
    "__floor__": "write a method that returns the number",
    "__ceil__": "write a method that returns the number",
    "__dir__": "leave it out: dir() is not available",
    "__instancecheck__": "write a function that tells what you want to know",
    "__subclasscheck__": "write a function that tells what you want to know",
    "__subclasshook__": "derive from the abstract class",
    "__prepare__": "leave it out: there are no metaclasses",
    "__copy__": "write a method copy()",
    "__deepcopy__": "write a method copy()",
    "__reduce__": "define __getstate__, which keeps state across a reload",
    "__setstate__": "read the state in on_reload",
    "__dict__": "name the attributes",
}
"""Special names that lead into the class machinery or out of the sandbox, or that C calls where it trusts the answer or
where the class is not yet checked -> what to write instead."""

CALLABLE_DUNDERS: Final = METHOD_DUNDERS - {"__getstate__", "__getattr__", "__format__", "__class_getitem__"}
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
        "__match_args__",
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
