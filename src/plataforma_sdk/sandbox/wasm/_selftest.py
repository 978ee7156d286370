"""Proves the facts that `_binding` rests on, against the wasmtime that is installed; about 10 ms, once a process."""

from __future__ import annotations

import ctypes
import importlib.metadata
from typing import Any, Final

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Component, Instance, Linker

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.wasm import _binding

__all__ = ["self_test"]

_STRINGS: Final = '(param "a" string) (param "b" string) (result (result string (error string)))'
_COMPONENT: Final = f"""
(component
  (import "test:self/host" (instance $host (export "call" (func {_STRINGS}))))
  (core module $heap
    (memory (export "memory") 32)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "realloc" (core func $realloc))
  (alias export $host "call" (func $host_call))
  (core func $call (canon lower (func $host_call) (memory $memory) (realloc $realloc)))
  (core module $code
    (import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
    (func (export "echo") (param i32 i32 i32 i32) (result i32)
      (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 16))
      (i32.const 16))
    (func (export "spin") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable)))
  (core instance $code (instantiate $code (with "host" (instance (export "call" (func $call))))))
  (alias core export $code "echo" (core func $echo))
  (alias core export $code "spin" (core func $spin))
  (func (export "echo") {_STRINGS} (canon lift (core func $echo) (memory $memory) (realloc $realloc)))
  (func (export "spin") {_STRINGS} (canon lift (core func $spin) (memory $memory) (realloc $realloc))))
"""
_VALUE_SIZE: Final = 32
_FUEL: Final = 1_000_000
_MAX_POLLS: Final = 10_000


def self_test() -> None:
    """Check layout, kinds, calls, host functions, fuel and yielding.

    Raises:
        SandboxError: this wasmtime is not one that the binding knows; the message names its version.
    """
    try:
        _check_layout()
        _check_calls()
    except (AssertionError, AttributeError, WasmtimeError) as error:
        version = importlib.metadata.version("wasmtime")
        raise SandboxError(
            f"The wasm engine does not know wasmtime {version} on this platform ({error}): install a version of the "
            "range that plataforma-sdk asks for, or use another tier"
        ) from error


def _expect(fact: bool, what: str) -> None:
    """Assert, also under ``python -O``."""
    if not fact:
        raise AssertionError(what)


def _check_layout() -> None:
    value = ffi.wasmtime_component_val
    _expect(ctypes.sizeof(value) == _VALUE_SIZE, "size of a component value")
    _expect(value.of.offset == ctypes.sizeof(ctypes.c_uint64), "offset of a component value's union")
    _expect(ffi.WASMTIME_COMPONENT_STRING.value == _binding.STRING, "kind of a string")
    _expect(ffi.WASMTIME_COMPONENT_RESULT.value == _binding.RESULT, "kind of a result")
    _expect(ffi.WASMTIME_COMPONENT_U64.value == _binding.U64, "kind of a u64")
    probe = b"where the characters lie"
    _expect(ctypes.string_at(id(probe) + _binding.BYTES_OFFSET, len(probe)) == probe, "layout of bytes")


def _check_calls() -> None:
    config = Config()
    config.wasm_component_model = True
    config.consume_fuel = True
    _binding.set_async_stack_size(config, 4 * 1024 * 1024)
    engine = Engine(config)
    seen: list[Any] = []

    def call(context: _binding.Pointer, first: bytes, second: bytes) -> tuple[bool, bytes]:
        seen.append(context)
        return len(first) > 1, first + second

    linker = Linker(engine)
    with linker.root() as root, root.add_instance("test:self/host") as host:
        _binding.define_host_function(host, "call", call)
    store = Store(engine)
    context = _binding.context_of(store)
    _binding.set_fuel(context, _FUEL)
    raw = _binding.instantiate(linker, context, Component(engine, _COMPONENT))
    instance = Instance._from_raw(raw)  # noqa: SLF001
    _check_echo(_binding.Call(instance.get_func(store, "echo"), context, 2), context, seen)
    _check_yield(_binding.Call(instance.get_func(store, "spin"), context, 2), context)
    store.close()


def _check_echo(echo: _binding.Call, context: _binding.Pointer, seen: list[Any]) -> None:
    for first, second in ((b"ab", b"c"), (b"a", b""), ("é€😀".encode(), b"x" * 100_000)):
        _binding.set_fuel(context, _FUEL)
        future = echo.begin(first, second)
        _expect(_binding.poll(future), "a short call ends at its first poll")
        _binding.delete_future(future)
        _expect(echo.end() == (len(first) > 1, first + second), "strings and results cross")
        _expect(0 < _binding.get_fuel(context) < _FUEL, "fuel is counted")
    _expect(set(seen) == {context}, "a host function learns its store")


def _check_yield(spin: _binding.Call, context: _binding.Pointer) -> None:
    _binding.set_fuel(context, _FUEL)
    _binding.set_yield_interval(context, _FUEL // 10)
    future = spin.begin(b"a", b"b")
    _expect(not _binding.poll(future), "a spinning guest yields")
    polls = 1
    while not _binding.poll(future) and polls < _MAX_POLLS:
        polls += 1
    _binding.delete_future(future)
    try:
        spin.end()
    except WasmtimeError:
        _expect(polls < _MAX_POLLS, "fuel ends a spinning guest")
    else:
        raise AssertionError("a guest without fuel traps")
