"""Proves the facts that `_binding` rests on, against the wasmtime that is installed; about 10 ms, once a process.

Where they do not hold, `fibers_refusal` says why, and the engine falls back to threads. A library that nobody has
tried may do worse than give a wrong answer, so it is tried in a process of its own first, once for each version.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Component, Instance, Linker

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._private import private_directory, write_aside
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._machine_code import FIBER_STACK_BYTES

__all__ = ["fibers_refusal", "python_refusal", "require_fibers", "self_test"]

_TRIED: Final = {
    ("CPython", "Linux", "x86_64", python, wasmtime)
    for python, wasmtime in (("3.11", "50"), ("3.12", "50"), ("3.13", "50"), ("3.13", "49"), ("3.13", "48"))
}
"""(implementation, system, machine, Python, major version of wasmtime) on which this project's suite has run."""

_TRIAL: Final = "from plataforma_sdk.sandbox.wasm._selftest import self_test; self_test(); print('passed')"
_TRIAL_S: Final = 60.0
_MAX_REASON_CHARS: Final = 300

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


@functools.cache
def fibers_refusal() -> str | None:
    """Return why calls cannot run on fibers here, or None where they can; the first call takes 10 ms.

    On a Python, platform or wasmtime that has not been tried, the first of all takes half a second: it is tried in
    another process, whose answer is kept beside the compiled runners.
    """
    refusal = python_refusal(sys.version_info[:2], platform.python_implementation())
    if refusal is None and _here() not in _TRIED:
        refusal = _tried_elsewhere()
    if refusal is None:
        try:
            self_test()
        except SandboxError as error:
            refusal = error.message
    return refusal


def require_fibers() -> None:
    """Do nothing where calls can run on fibers.

    Raises:
        SandboxError: they cannot.
    """
    refusal = fibers_refusal()
    if refusal is not None:
        raise SandboxError(f"{refusal}; WasmEngine(mode='threads') runs here, slower")


def python_refusal(version: tuple[int, int], implementation: str) -> str | None:
    """Return why this Python cannot run callbacks on a fiber's stack, or None. Source: CPython gh-139653."""
    if implementation != "CPython":
        return f"The wasm engine's fibers are for CPython, not for {implementation}"
    if version >= (3, 14):
        return (
            f"CPython {version[0]}.{version[1]} checks the stack pointer and may abort in a callback on a guest's "
            "stack (gh-139653)"
        )
    return None


def _here() -> tuple[str, str, str, str, str]:
    python = ".".join(map(str, sys.version_info[:2]))
    wasmtime = importlib.metadata.version("wasmtime").partition(".")[0]
    return platform.python_implementation(), platform.system(), platform.machine(), python, wasmtime


def _tried_elsewhere() -> str | None:
    """Return what a self-test in another process came to; its answer is kept for this very combination."""
    facts = (*_here(), sys.version, importlib.metadata.version("wasmtime"), _binding_digest())
    path = private_directory("compiled") / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:40]}.selftest"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_bytes())["refusal"]
        return None if kept is None else str(kept)
    refusal = _try_elsewhere()
    write_aside(path, json.dumps({"refusal": refusal}).encode())
    return refusal


def _binding_digest() -> str:
    return hashlib.sha256(Path(_binding.__file__).read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _try_elsewhere() -> str | None:
    """Run the self-test where it may crash."""
    root = str(Path(__file__).parents[3])
    code = f"import sys; sys.path.insert(0, {root!r}); {_TRIAL}"
    command = [sys.executable, "-c", code]
    try:
        trial = subprocess.run(command, capture_output=True, text=True, timeout=_TRIAL_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The wasm engine's self-test did not run ({type(error).__name__})"
    if trial.returncode == 0 and trial.stdout.strip() == "passed":
        return None
    last = trial.stderr.strip().rsplit("\n", 1)[-1][:_MAX_REASON_CHARS]
    return f"The wasm engine's self-test ended with {trial.returncode}: {last or 'no word'}"


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
            f"The wasm engine's fibers do not know wasmtime {version} on this platform ({error}): install a version "
            "of the range that plataforma-sdk asks for"
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
    _expect(ffi.WASMTIME_COMPONENT_U8.value == _binding.U8, "kind of a u8")
    _expect(ffi.WASMTIME_COMPONENT_LIST.value == _binding.LIST, "kind of a list")
    listed = value()
    _binding.write_bytes(ctypes.addressof(listed), b"a\xff")
    items = [(item.kind, item.of.u8) for item in listed.of.list.data[: listed.of.list.size]]
    ffi.wasmtime_component_val_delete(ctypes.byref(listed))
    _expect(items == [(_binding.U8, 97), (_binding.U8, 255)], "layout of a list")
    probe = b"where the characters lie"
    _expect(ctypes.string_at(id(probe) + _binding.BYTES_OFFSET, len(probe)) == probe, "layout of bytes")


def _check_calls() -> None:
    config = Config()
    config.wasm_component_model = True
    config.consume_fuel = True
    config.epoch_interruption = True
    _binding.set_async_stack_size(config, FIBER_STACK_BYTES)
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
    _binding.set_epoch_yield(context)
    _binding.set_epoch_deadline(context, 1)
    _binding.set_fuel(context, _FUEL)
    raw = _binding.instantiate(linker, context, Component(engine, _COMPONENT))
    instance = Instance._from_raw(raw)  # noqa: SLF001
    _check_echo(_binding.Call(instance.get_func(store, "echo"), context, 2), context, seen)
    _check_epoch(_binding.Call(instance.get_func(store, "echo"), context, 2), context, engine)
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


def _check_epoch(echo: _binding.Call, context: _binding.Pointer, engine: Engine) -> None:
    _binding.set_fuel(context, _FUEL)
    engine.increment_epoch()
    future = echo.begin(b"ab", b"c")
    _expect(not _binding.poll(future), "a guest yields at its deadline")
    _expect(_binding.poll(future), "and goes on after it")
    _binding.delete_future(future)
    echo.discard()
    _binding.set_epoch_deadline(context, 1)


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
