"""The peers of the restricted engine: raw RestrictedPython, and pydantic-monty, starlark, quickjs where installed."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
from RestrictedPython import compile_restricted_exec, limited_builtins, safe_builtins, utility_builtins
from RestrictedPython.Guards import guarded_iter_unpack_sequence, guarded_unpack_sequence, safer_getattr

_IN_PLACE = {"+=": operator.iadd, "-=": operator.isub, "*=": operator.imul}
_MORE = {
    "list": list,
    "dict": dict,
    "sum": sum,
    "range": range,
    "sorted": sorted,
    "str": str,
    "isinstance": isinstance,
    "len": len,
}


def raw(source: str) -> Callable[[], Any]:
    """RestrictedPython with the guards of its own documentation, without limits."""
    result = compile_restricted_exec(source)
    if result.errors:
        raise SyntaxError(result.errors[0])
    names: dict[str, Any] = {
        "__builtins__": {**safe_builtins, **utility_builtins, **limited_builtins, **_MORE},
        "__name__": "raw",
        "__metaclass__": type,
        "_getattr_": safer_getattr,
        "_getitem_": operator.getitem,
        "_getiter_": iter,
        "_write_": lambda value: value,
        "_inplacevar_": lambda symbol, left, right: _IN_PLACE[symbol](left, right),
        "_iter_unpack_sequence_": guarded_iter_unpack_sequence,
        "_unpack_sequence_": guarded_unpack_sequence,
    }
    exec(result.code, names)
    return names["main"]  # type: ignore[no-any-return]


def installed(stack: ExitStack) -> dict[str, Callable[[Path], Callable[[], Any]]]:
    """Name -> how to make a function of a workload's path, without suffix; for the peers that are installed."""
    found: dict[str, Callable[[Path], Callable[[], Any]]] = {}
    for name, make in (("monty", _monty), ("starlark", _starlark), ("quickjs", _quickjs)):
        try:
            found[name] = make(stack)
        except ImportError:
            continue
    return found


def _monty(stack: ExitStack) -> Callable[[Path], Callable[[], Any]]:
    from pydantic_monty import Monty

    pool = stack.enter_context(Monty(max_processes=32))  # a session holds its process to the end
    limits: Any = {"max_memory": 256 << 20, "max_feed_duration_secs": 3.0}

    def make(path: Path) -> Callable[[], Any]:
        session = stack.enter_context(pool.checkout(limits=limits))
        session.feed_run(path.with_suffix(".py").read_text("utf-8"))
        return InAnotherProcess(lambda: session.feed_run("main()"))

    return make


@attrs.frozen
class InAnotherProcess:
    """A call whose work is done by another process: its time is wall time, not this process's."""

    function: Callable[[], Any]

    def __call__(self) -> Any:
        """Run it."""
        return self.function()


def _starlark(_: ExitStack) -> Callable[[Path], Callable[[], Any]]:
    import starlark

    def make(path: Path) -> Callable[[], Any]:
        module = starlark.Module()
        dialect = starlark.Dialect.extended()
        starlark.eval(
            module, starlark.parse(path.name, path.with_suffix(".py").read_text("utf-8"), dialect), _globals()
        )
        call = starlark.parse("call", "main()", dialect)
        return lambda: starlark.eval(module, call, _globals())

    def _globals() -> Any:
        return starlark.Globals.standard()

    return make


def _quickjs(_: ExitStack) -> Callable[[Path], Callable[[], Any]]:
    import quickjs

    def make(path: Path) -> Callable[[], Any]:
        context = quickjs.Context()
        context.eval(path.with_suffix(".js").read_text("utf-8"))
        return lambda: context.eval("main()")

    return make


def same(left: Any, right: Any) -> bool:
    """Whether two answers are equal, tuples and lists alike."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))
    return bool(left == right)
