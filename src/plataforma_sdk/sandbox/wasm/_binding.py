"""Typed ctypes over wasmtime's public C API: calls on fibers, and host functions without reflection.

`wasmtime` (the Python package) reflects over types at each call, 33 µs, and cannot suspend a guest. This file calls the
same library's documented functions directly: 7-12 µs, and a guest that yields every N units of fuel. It knows three
facts that a header file would state: the layout of a component value (a kind of one byte, a union at offset 8, 32 bytes
in all), the kinds of string and result, and the C signatures. `self_test` proves them against the library that is
installed, before anything else uses them.

Rules that the callers keep, each learnt the hard way:

* a result value is *assigned*, which drops what it held: it must look like ``Bool(false)`` before each call;
* a future is deleted before its store;
* what crosses is UTF-8: anything else aborts the process, so every text is one that `str.encode` made;
* no Python exception leaves a callback, and nothing suspends while a Python frame lies on the fiber;
* a store belongs to one thread at a time.

Source: wasmtime C API, ``wasmtime/component/{val,func,linker}.h`` and ``wasmtime/async.h``.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from ctypes import addressof, c_bool, c_char_p, c_size_t, c_ssize_t, c_uint8, c_uint64, c_void_p, py_object
from typing import Any, Final, NoReturn

from wasmtime import Config, WasmtimeError
from wasmtime import _ffi as ffi

__all__ = [
    "BYTES_OFFSET",
    "LIST",
    "RESULT",
    "STRING",
    "U8",
    "U64",
    "Call",
    "FuelTank",
    "HostFunction",
    "Pointer",
    "begin_instantiate",
    "check",
    "context_of",
    "define_bytes",
    "define_clock",
    "define_host_function",
    "delete_future",
    "get_fuel",
    "instantiate",
    "pointer_of",
    "poll",
    "prototype",
    "set_async_stack_size",
    "set_epoch_deadline",
    "set_epoch_yield",
    "set_fuel",
    "set_yield_interval",
    "write_bytes",
]

Pointer = int
"""Address of something that the C library owns."""

HostFunction = Callable[[Pointer, bytes, bytes], tuple[bool, bytes]]
"""``(store context, first string, second string) -> (is_ok, text)``; never raises."""

U8: Final = 2
U64: Final = 8
STRING: Final = 12
LIST: Final = 13
RESULT: Final = 19
_Value: Final = c_uint64 * 4
_BYTES: Final = [U8.to_bytes(8, "little") + byte.to_bytes(24, "little") for byte in range(256)]
"""Each byte as a component value."""

_TwoValues: Final = c_uint64 * 8
BYTES_OFFSET: Final = getattr(bytes, "__basicsize__", 1) - 1
"""Where the characters of a bytes object lie; proven by `self_test`, since CPython alone lays objects out so."""

_dll: Final = ctypes.CDLL(ffi.dll._name)  # noqa: SLF001 - the same library; prototypes of our own, free of type checks
_short: Final = ctypes.PyDLL(ffi.dll._name)  # noqa: SLF001
"""For functions that neither run a guest nor take long: they keep the interpreter's lock, which is 0.1 µs each."""


def prototype(name: str, result: Any, *arguments: Any, library: ctypes.CDLL = _dll) -> Any:
    """Declare a function. One that is missing fails at its first call, for `self_test` to see, not at import."""
    function = getattr(library, name, None)
    if function is None:
        return functools.partial(_refuse, name)
    function.restype = result
    function.argtypes = list(arguments)
    return function


def _refuse(name: str, *_: Any) -> NoReturn:
    raise WasmtimeError(f"it has no function {name}")


_func_call_async: Final = prototype(
    "wasmtime_component_func_call_async",
    c_void_p,
    *(c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p),
    library=_short,
)
_instantiate_async: Final = prototype(
    "wasmtime_component_linker_instantiate_async", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p
)
_add_func: Final = prototype(
    "wasmtime_component_linker_instance_add_func",
    c_void_p,
    *(c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p),
)
_fuel_yield: Final = prototype("wasmtime_context_fuel_async_yield_interval", c_void_p, c_void_p, c_uint64)
_set_fuel: Final = prototype("wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64, library=_short)
_get_fuel: Final = prototype("wasmtime_context_get_fuel", c_void_p, c_void_p, c_void_p, library=_short)
_epoch_yield: Final = prototype("wasmtime_context_epoch_deadline_async_yield_and_update", c_void_p, c_void_p, c_uint64)
_epoch_deadline: Final = prototype("wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64, library=_short)
_stack_size: Final = prototype("wasmtime_config_async_stack_size_set", None, c_void_p, c_size_t)
_value_new: Final = prototype("wasmtime_component_val_new", c_void_p, c_void_p, library=_short)
_value_delete: Final = prototype("wasmtime_component_val_delete", None, c_void_p, library=_short)
_vec_new: Final = prototype("wasm_byte_vec_new", None, c_void_p, c_size_t, c_char_p, library=_short)
_error_delete: Final = prototype("wasmtime_error_delete", None, c_void_p)
_list_new: Final = prototype("wasmtime_component_vallist_new", None, c_void_p, c_size_t, c_char_p)
_error_new: Final = prototype("wasmtime_error_new", c_void_p, c_char_p)

poll: Final[Callable[[Pointer], bool]] = prototype("wasmtime_call_future_poll", c_bool, c_void_p)
"""Run a guest until it ends or yields; true when it has ended."""

delete_future: Final[Callable[[Pointer], None]] = prototype("wasmtime_call_future_delete", None, c_void_p)
"""Free a future; a guest that had not ended is dropped, and its store is of no more use."""

_bytes_at: Final[Callable[[Pointer, int], bytes]] = ctypes.PYFUNCTYPE(py_object, c_void_p, c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
"""Copies bytes, as `string_at` does, without its detour through Python."""

_Callback: Final = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
_kept_alive: Final[list[Any]] = []
"""Callbacks of linkers. A linker lives as long as the process, and so must what it points at."""


def _argument(pointer: Pointer) -> Any:
    """Make what a function takes for a pointer; made once, it saves each call 0.06 µs."""
    return c_void_p.from_param(pointer)


def pointer_of(managed: Any) -> Pointer:
    """Return the address that a wasmtime-py object holds."""
    return int(ctypes.cast(managed.ptr(), c_void_p).value or 0)


def context_of(store: Any) -> Pointer:
    """Return the address of a store's context, which is also what host functions receive."""
    return int(ctypes.cast(store._context(), c_void_p).value or 0)  # noqa: SLF001


def set_async_stack_size(config: Config, size_bytes: int) -> None:
    """Set the size of a fiber's stack; it must exceed the guest's own stack by what host functions need."""
    _stack_size(pointer_of(config), size_bytes)


def set_yield_interval(context: Pointer, fuel: int) -> None:
    """Make the guest yield each time that it has used `fuel` units."""
    check(_fuel_yield(context, fuel))


def set_epoch_yield(context: Pointer) -> None:
    """Make the guest yield at its deadline, and at each tick after it."""
    _epoch_yield(context, 1)


def set_epoch_deadline(context: Pointer, ticks: int) -> None:
    """Set the guest's deadline, in ticks from now."""
    _epoch_deadline(context, ticks)


def set_fuel(context: Pointer, fuel: int) -> None:
    """Give the store this much fuel in all."""
    error = _set_fuel(context, fuel)
    if error:
        check(error)


class FuelTank:
    """The fuel of one store; of its own for each, since a place to read into costs as much as the reading.

    Args:
        context: the store's context.
        interval: the guest yields each time that it has used so much.
    """

    __slots__ = ("_at", "_context", "_left")

    def __init__(self, context: Pointer, interval: int | None = None) -> None:
        self._context = _argument(context)
        self._left = c_uint64(0)
        self._at = _argument(addressof(self._left))
        if interval is not None:
            set_yield_interval(context, interval)

    def fill(self, fuel: int) -> None:
        """Give the store this much in all."""
        error = _set_fuel(self._context, fuel)
        if error:
            check(error)

    def left(self) -> int:
        """Return what is left."""
        error = _get_fuel(self._context, self._at)
        if error:
            check(error)
        return self._left.value

    def stop(self) -> None:
        """The call has ended; there is nothing to stop."""


def get_fuel(context: Pointer) -> int:
    """Return the fuel that is left."""
    return FuelTank(context).left()


def instantiate(linker: Any, context: Pointer, component: Any) -> Any:
    """Instantiate a component on a fiber and return the raw instance; runs to the end, 0.6-0.9 ms.

    Raises:
        WasmtimeError: the component does not link, or the memory limit is below what it needs.
    """
    raw = ffi.wasmtime_component_instance_t()
    error = c_void_p(0)
    future = begin_instantiate(linker, context, component, addressof(raw), addressof(error))
    while not poll(future):
        pass
    delete_future(future)
    check(error.value)
    return raw


def begin_instantiate(linker: Any, context: Pointer, component: Any, raw_at: Pointer, error_at: Pointer) -> Pointer:
    """Begin to instantiate a component; when the future has ended, the raw instance or the error has been written."""
    future: Pointer = _instantiate_async(pointer_of(linker), context, pointer_of(component), raw_at, error_at)
    return future


_NOTHING: Final = (b"", b"")


class Call:
    """One exported function ``(string ...) -> result<string, string>`` of one instance, one call at a time.

    Args:
        func: the export, as wasmtime-py returns it; kept alive.
        context: the store's context.
        arity: one or two strings.
    """

    __slots__ = ("_args", "_arity", "_call", "_error", "_func", "_held", "_result", "_result_at")

    def __init__(self, func: Any, context: Pointer, arity: int) -> None:
        self._func = func
        self._arity = arity
        self._args = _TwoValues()
        self._args[0] = self._args[4] = STRING
        self._result = _Value()
        self._result_at = _argument(addressof(self._result))
        self._error = c_void_p(0)
        self._held = _NOTHING
        self._call = (
            *(_argument(addressof(func._func)), _argument(context)),  # noqa: SLF001
            *(_argument(addressof(self._args)), c_size_t(arity)),
            *(self._result_at, c_size_t(1), _argument(addressof(self._error))),
        )

    def begin(self, first: bytes, second: bytes = b"") -> Pointer:
        """Begin a call and return its future, to be polled; the texts are kept alive until `end`."""
        if self._result[0] or self._error.value:
            self.discard()
        self._held = (first, second)
        args = self._args
        args[1], args[2] = len(first), id(first) + BYTES_OFFSET
        if self._arity > 1:
            args[5], args[6] = len(second), id(second) + BYTES_OFFSET
        future: Pointer = _func_call_async(*self._call)
        return future

    def end(self) -> tuple[bool, bytes]:
        """Return ``(is_ok, text)`` of a call whose future has ended and is deleted.

        Raises:
            WasmtimeError: the guest trapped.
        """
        self._held = _NOTHING
        if self._error.value:
            error, self._error.value = self._error.value, None
            check(error)
        result = self._result
        inner = _Value.from_address(result[2])
        size = inner[1]
        text = _bytes_at(inner[2], size) if size else b""
        is_ok = bool(result[1] & 0xFF)
        _value_delete(self._result_at)
        result[0] = 0  # the library drops the old value when it assigns the next one
        return is_ok, text

    def discard(self) -> None:
        """Free what a call came to and nobody asked for by `end`; its future is deleted. Else does nothing."""
        self._held = _NOTHING
        _value_delete(self._result_at)
        self._result[0] = 0
        error, self._error.value = self._error.value, None
        if error:
            _error_delete(error)


def define_host_function(instance: Any, name: str, function: HostFunction) -> None:
    """Define ``(string, string) -> result<string, string>`` in a linker instance.

    `function` runs on the guest's fiber: it must not suspend, and must not raise.
    """

    def callback(_env: Any, context: Any, _ty: Any, args: Any, _n: Any, results: Any, _m: Any) -> int:
        try:
            values = _TwoValues.from_address(args)
            is_ok, text = function(context, _string(values[1], values[2]), _string(values[5], values[6]))
            _write_result(results, is_ok, text)
        except BaseException as error:  # noqa: BLE001 - nothing may leave a callback
            return int(_error_new(f"host function {name} failed: {type(error).__name__}".encode()))
        return 0

    _define(instance, name, callback)


def define_clock(instance: Any, name: str, read: Callable[[Pointer], int]) -> None:
    """Define ``() -> u64`` in a linker instance; `read` receives the store's context and must not raise."""

    def callback(_env: Any, context: Any, _ty: Any, _args: Any, _n: Any, results: Any, _m: Any) -> int:
        try:
            value = _Value.from_address(results)
            value[1] = read(context)
            c_uint8.from_address(results).value = U64
        except BaseException as error:  # noqa: BLE001 - nothing may leave a callback
            return int(_error_new(f"host function {name} failed: {type(error).__name__}".encode()))
        return 0

    _define(instance, name, callback)


def define_bytes(instance: Any, name: str, read: Callable[[Pointer, int], bytes]) -> None:
    """Define ``(u64) -> list<u8>``; `read` receives the store's context and the number.

    What `read` raises is a trap, with its text. A byte is a value of 32 bytes, which wasmtime-py makes one by one: 0.2
    ms for 256, and the runner draws 2,496 at its first call.
    """

    def callback(_env: Any, context: Any, _ty: Any, args: Any, _n: Any, results: Any, _m: Any) -> int:
        try:
            write_bytes(results, read(context, _Value.from_address(args)[1]))
        except BaseException as error:  # noqa: BLE001 - nothing may leave a callback
            text = str(error) if isinstance(error, WasmtimeError) else type(error).__name__
            return int(_error_new(f"host function {name} failed: {text}".encode()))
        return 0

    _define(instance, name, callback)


def _define(instance: Any, name: str, callback: Callable[..., int]) -> None:
    pointer = _Callback(callback)
    _kept_alive.append(pointer)
    text = name.encode()
    check(_add_func(pointer_of(instance), text, len(text), ctypes.cast(pointer, c_void_p), None, None))


def _string(size: int, address: int) -> bytes:
    return _bytes_at(address, size) if size else b""


_scratch: Final = _Value()
_scratch_at: Final = addressof(_scratch)
"""A string on its way into a result; one serves all threads, since none lets go of the interpreter's lock meanwhile."""


def write_bytes(at: Pointer, data: bytes) -> None:
    """Write a component value of type ``list<u8>``; whoever takes it frees it."""
    _list_new(at + 8, len(data), b"".join([_BYTES[byte] for byte in data]))
    c_uint8.from_address(at).value = LIST


def _write_result(results: Pointer, is_ok: bool, text: bytes) -> None:
    _scratch[0] = STRING
    _vec_new(_scratch_at + 8, len(text), text)
    value = _Value.from_address(results)
    value[1] = 1 if is_ok else 0
    value[2] = _value_new(_scratch_at)
    c_uint8.from_address(results).value = RESULT


def check(error: Pointer | None) -> None:
    """Raise the error that a function of the C library returned, and own it."""
    if error:
        raise WasmtimeError._from_ptr(ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t)))  # noqa: SLF001
