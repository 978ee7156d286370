"""Typed ctypes over the C API for *core* modules: calls on fibers, host functions, and the guest's memory.

The companion of `_binding`, which does the same for components. Facts that a header would state: a value is 32 bytes, a
kind of one byte and a union at offset 8; what a host function returns is a trap, or nothing.

Source: wasmtime C API, ``wasmtime/{func,linker,memory,async}.h``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof, c_char_p, c_int64, c_size_t, c_uint64, c_void_p, memmove, string_at
from typing import Any, Final

from wasmtime import Func, FuncType, Linker, Memory, Trap, ValType, WasmtimeError
from wasmtime import _ffi as ffi

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.wasm._binding import Pointer, check, pointer_of, prototype

__all__ = [
    "CoreCall",
    "GuestMemory",
    "HostTrapError",
    "Instantiation",
    "Served",
    "check_layout",
    "define_function",
    "function_type",
]

_I32, _I64 = 0, 1
_VALUE_WORDS: Final = 4
_MASK: Final = 0xFFFF_FFFF
_MAX_ARGUMENTS: Final = 8

_instantiate_async: Final = prototype(
    "wasmtime_linker_instantiate_async", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p
)
_call_async: Final = prototype(
    "wasmtime_func_call_async",
    c_void_p,
    *(c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_void_p),
)
_define: Final = prototype(
    "wasmtime_linker_define_func",
    c_void_p,
    *(c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p, c_void_p),
)
_caller_context: Final = prototype("wasmtime_caller_context", c_void_p, c_void_p)
_memory_data: Final = prototype("wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
_memory_size: Final = prototype("wasmtime_memory_data_size", c_size_t, c_void_p, c_void_p)
_trap_new: Final = prototype("wasmtime_trap_new", c_void_p, c_char_p, c_size_t)

_Callback: Final = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
_kept_alive: Final[list[Any]] = []
"""Callbacks of the one linker, which lives as long as the process."""

Served = Callable[[Pointer, Sequence[int]], int | None]
"""``(store context, arguments as unsigned 32-bit or signed 64-bit numbers) -> result``; runs on the guest's fiber."""


def check_layout() -> None:
    """Prove what this file takes for granted about the library that is installed.

    Raises:
        SandboxError: this wasmtime lays its values out in another way.
    """
    value = ffi.wasmtime_val_t
    facts = (
        ctypes.sizeof(value) == _VALUE_WORDS * ctypes.sizeof(c_uint64),
        value.of.offset == ctypes.sizeof(c_uint64),
        (ffi.WASMTIME_I32.value, ffi.WASMTIME_I64.value) == (_I32, _I64),
    )
    if not all(facts):
        raise SandboxError("This wasmtime is not one that the core binding knows; install the version of constraints")


class HostTrapError(Exception):
    """A host function ends the guest; the text is what the trap says."""


def function_type(parameters: str, results: str) -> FuncType:
    """Write a type: ``function_type("iiI", "I")``, ``i`` for i32 and ``I`` for i64."""
    kinds = {"i": ValType.i32, "I": ValType.i64}
    return FuncType([kinds[kind]() for kind in parameters], [kinds[kind]() for kind in results])


def define_function(linker: Linker, module: str, name: str, kind: tuple[str, str], serve: Served) -> None:
    """Define one function in a linker, for all its instances; `serve` must not suspend."""
    parameters, results = kind
    masks = [_MASK if parameter == "i" else None for parameter in parameters]

    def callback(_env: Any, caller: Any, args: Any, _n: Any, results_at: Any, _m: Any) -> int:
        try:
            numbers = [_argument(args + 32 * index, mask) for index, mask in enumerate(masks)]
            value = serve(_caller_context(caller), numbers)
            if results:
                words = (c_uint64 * _VALUE_WORDS).from_address(results_at)
                words[0] = _I64 if results == "I" else _I32
                words[1] = (value or 0) & (2**64 - 1)
        except HostTrapError as trap:
            return _new_trap(str(trap))
        except BaseException as error:  # noqa: BLE001 - nothing may leave a callback
            return _new_trap(f"host function {name} failed: {type(error).__name__}")
        return 0

    pointer = _Callback(callback)
    _kept_alive.append(pointer)
    room, text = module.encode(), name.encode()
    written = function_type(parameters, results)  # a name of its own: the C type is freed with this object
    address = ctypes.cast(pointer, c_void_p)
    check(_define(pointer_of(linker), room, len(room), text, len(text), pointer_of(written), address, None, None))


def _argument(address: Pointer, mask: int | None) -> int:
    value = c_int64.from_address(address + 8).value
    return value if mask is None else value & mask


def _new_trap(text: str) -> int:
    raw = text.encode()
    return int(_trap_new(raw, len(raw)))


class _Outcome:
    """Where a future writes a trap or an error."""

    def __init__(self) -> None:
        self.trap = c_void_p(0)
        self.error = c_void_p(0)

    def clear(self) -> None:
        self.trap.value = self.error.value = None

    def check(self) -> None:
        """Raise what has been written, a trap as a `WasmtimeError` too."""
        if self.trap.value:
            trap = Trap._from_ptr(ctypes.cast(self.trap, ctypes.POINTER(ffi.wasm_trap_t)))  # noqa: SLF001
            self.trap.value = None
            raise WasmtimeError(str(trap))
        check(self.error.value)


class Instantiation:
    """Makes an instance of a core module, its start function included, on a fiber."""

    def __init__(self) -> None:
        self._raw = ffi.wasmtime_instance_t()
        self._outcome = _Outcome()

    def begin(self, linker: Linker, context: Pointer, code: Any) -> Pointer:
        """Return the future."""
        self._outcome.clear()
        outcome = self._outcome
        future: Pointer = _instantiate_async(
            pointer_of(linker),
            context,
            pointer_of(code),
            addressof(self._raw),
            addressof(outcome.trap),
            addressof(outcome.error),
        )
        return future

    def end(self) -> Any:
        """Return the raw instance.

        Raises:
            WasmtimeError: it does not link, or its start function trapped.
        """
        self._outcome.check()
        return self._raw


class CoreCall:
    """One exported function of numbers, one call at a time.

    Args:
        func: the export.
        context: the store's context.
    """

    def __init__(self, func: Func, context: Pointer) -> None:
        self._func = func
        self._func_at = addressof(func._func)  # noqa: SLF001
        self._context = context
        self._args = (c_uint64 * (_VALUE_WORDS * _MAX_ARGUMENTS))()
        self._result = (c_uint64 * _VALUE_WORDS)()
        self._outcome = _Outcome()

    def begin(self, arguments: Sequence[int], results: int) -> Pointer:
        """Begin a call with i32 arguments; returns the future."""
        self._outcome.clear()
        for index, argument in enumerate(arguments):
            self._args[index * _VALUE_WORDS] = _I32
            self._args[index * _VALUE_WORDS + 1] = argument & _MASK
        outcome = self._outcome
        future: Pointer = _call_async(
            self._context,
            self._func_at,
            addressof(self._args),
            len(arguments),
            addressof(self._result),
            results,
            addressof(outcome.trap),
            addressof(outcome.error),
        )
        return future

    def end(self) -> int:
        """Return the result as an unsigned number of 64 bits, of a call whose future has ended.

        Raises:
            WasmtimeError: the guest trapped.
        """
        self._outcome.check()
        return int(self._result[1])


class GuestMemory:
    """One guest's linear memory; every access is held against its size at that moment.

    Attributes:
        size_bytes: as of the last `measure`.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._memory: Memory | None = None
        self._at = 0
        self._context = 0

    @property
    def is_known(self) -> bool:
        """Whether the instance has been made."""
        return self._memory is not None

    def attach(self, memory: Memory, context: Pointer) -> None:
        """Learn which memory it is."""
        self._memory = memory
        self._at = addressof(memory._memory)  # noqa: SLF001
        self._context = context
        self.measure()

    def forget(self) -> None:
        """The memory is about to be unmapped."""
        self._memory = None

    def measure(self) -> int:
        """Return the size now."""
        if self._memory is not None:
            self.size_bytes = int(_memory_size(self._context, self._at))
        return self.size_bytes

    def holds(self, position: int, size: int) -> bool:
        """Whether a range lies inside."""
        if self._memory is None or position < 0 or size < 0:
            return False
        return position + size <= self.size_bytes or position + size <= self.measure()  # a memory never shrinks

    def read(self, position: int, size: int) -> bytes:
        """Copy bytes out.

        Raises:
            IndexError: the range does not lie inside.
        """
        if not self.holds(position, size):
            raise IndexError(f"{size} bytes at {position} of {self.size_bytes}")
        return string_at(_memory_data(self._context, self._at) + position, size) if size else b""

    def write(self, position: int, data: bytes) -> None:
        """Copy bytes in.

        Raises:
            IndexError: the range does not lie inside.
        """
        if not self.holds(position, len(data)):
            raise IndexError(f"{len(data)} bytes at {position} of {self.size_bytes}")
        if data:
            memmove(_memory_data(self._context, self._at) + position, data, len(data))
