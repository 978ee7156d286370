"""The facts that the binding rests on."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from pathlib import Path

import attrs
import pytest
from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, Instance, Linker

from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError, SandboxError
from plataforma_sdk.sandbox import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._selftest import _COMPONENT, self_test
from plataforma_sdk.sandbox.wasm._traps import trap_error


def test_the_installed_wasmtime_passes():
    self_test()


@pytest.mark.parametrize("name", ["STRING", "RESULT", "U64", "U8", "LIST", "BYTES_OFFSET"])
def test_a_library_of_another_layout_is_refused_with_its_version(monkeypatch, name):
    monkeypatch.setattr(_binding, name, getattr(_binding, name) + 1)
    with pytest.raises(SandboxError, match="do not know wasmtime"):
        self_test()


FUNCTIONS = [
    *("_func_call_async", "_instantiate_async", "_add_func", "_fuel_yield", "_set_fuel", "_get_fuel", "_stack_size"),
    *("_value_new", "_value_delete", "_vec_new", "_list_new", "_epoch_yield", "_epoch_deadline"),
    *("poll", "delete_future"),
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_library_that_lacks_a_function_is_refused_with_its_name(monkeypatch, name):
    monkeypatch.setattr(_binding, name, _binding.prototype("wasmtime_of_another_year", None))
    with pytest.raises(SandboxError, match=r"no function wasmtime_of_another_year|host function call failed"):
        self_test()


def test_every_function_that_is_declared_is_there():
    declared = [value for value in vars(_binding).values() if type(value).__name__ == "_FuncPtr"]
    others = {"_error_new", "_error_delete", "_epoch_yield", "_epoch_deadline"}  # of bad guests, and of one metering
    assert {name for name in vars(_binding) if vars(_binding)[name] in declared} == {*FUNCTIONS, *others}
    assert _binding.prototype("wasmtime_error_new", ctypes.c_void_p, ctypes.c_char_p).argtypes == [ctypes.c_char_p]


@attrs.frozen
class Guest:
    """The component of the self-test, and what its host function does."""

    store: Store
    context: int
    echo: _binding.Call
    spin: _binding.Call

    def call(self, first: bytes, second: bytes = b"", *, fuel: int = 10_000_000) -> tuple[bool, bytes]:
        """Run `echo` to its end."""
        _binding.set_fuel(self.context, fuel)
        future = self.echo.begin(first, second)
        while not _binding.poll(future):
            pass
        _binding.delete_future(future)
        return self.echo.end()


def join(_context, first, second):
    return True, first + second


def make_guest(function=join, *, pages=32, yields=None):
    """Make a guest; `function` serves what it calls its host for."""
    config = Config()
    config.wasm_component_model = config.consume_fuel = True
    _binding.set_async_stack_size(config, 4 * 1024 * 1024)
    engine = Engine(config)
    linker = Linker(engine)
    with linker.root() as root, root.add_instance("test:self/host") as host:
        _binding.define_host_function(host, "call", function)
    store = Store(engine)
    context = _binding.context_of(store)
    _binding.set_fuel(context, 1_000_000)
    text = _COMPONENT.replace('(memory (export "memory") 32)', f'(memory (export "memory") {pages})')
    instance = Instance._from_raw(_binding.instantiate(linker, context, Component(engine, text)))
    if yields is not None:
        _binding.set_yield_interval(context, yields)
    echo, spin = (_binding.Call(instance.get_func(store, name), context, 2) for name in ("echo", "spin"))
    return Guest(store, context, echo, spin)


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


TEXTS = {
    "empty": b"",
    "one": b"a",
    "nul-bytes": b"a\0b\0",
    "line-ends": b"\r\n\n",
    "four-bytes": "a\u00e9\u20ac\U0001f600".encode(),
    "a-page": b"x" * 65_536,
    "16-mb": b"y" * 16_000_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("is_ok", [True, False], ids=["ok", "err"])
def test_strings_and_both_kinds_of_result_cross_unchanged(text, is_ok):
    seen = []

    def serve(_context, first, second):
        seen.append((first, second))
        return is_ok, second + first

    guest = make_guest(serve, pages=1_024)
    assert guest.call(text, b"-") == (is_ok, b"-" + text)
    assert seen == [(text, b"-")]


def test_texts_live_until_the_call_has_ended():
    guest = make_guest(yields=100)
    _binding.set_fuel(guest.context, 10_000_000)
    future = guest.echo.begin(b"first" * 1_000, b"second" * 1_000)
    gc.collect()
    rubbish = [bytes(5_000) for _ in range(1_000)]
    while not _binding.poll(future):
        pass
    _binding.delete_future(future)
    assert guest.echo.end() == (True, b"first" * 1_000 + b"second" * 1_000)
    assert len(rubbish) == 1_000


FAULTS = {"an-error": ValueError("secret"), "an-interrupt": KeyboardInterrupt(), "an-exit": SystemExit(1)}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_a_host_function_raises_ends_the_guest_by_name_and_goes_no_further(fault):
    def fail(*_):
        raise fault

    guest = make_guest(fail)
    with pytest.raises(WasmtimeError, match=f"host function call failed: {type(fault).__name__}") as caught:
        guest.call(b"a")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("answer", [None, (True,), (True, "text"), (True, 7)], ids=["none", "one", "str", "int"])
def test_a_host_function_that_returns_something_else_ends_the_guest(answer):
    guest = make_guest(lambda *_: answer)
    with pytest.raises(WasmtimeError, match="host function call failed"):
        guest.call(b"a")


def test_one_guest_may_run_inside_a_host_function_of_another():
    inner = make_guest()
    outer = make_guest(lambda _context, first, second: inner.call(second, first))
    assert [outer.call(b"a", b"b"), outer.call(b"c", b"d")] == [(True, b"ba"), (True, b"dc")]


def test_a_host_function_learns_which_store_calls():
    seen = []

    def serve(context, *_):
        seen.append(context)
        return True, b""

    first, second = make_guest(serve), make_guest(serve)
    first.call(b"")
    second.call(b"")
    assert seen == [first.context, second.context]
    assert first.context != second.context


def test_fuel_is_what_was_set_less_what_was_used():
    guest = make_guest()
    used = []
    for _ in range(3):
        guest.call(b"a", fuel=1_000_000)
        used.append(1_000_000 - _binding.get_fuel(guest.context))
    assert used[0] > 0
    assert used[1] == used[2]


def test_a_store_that_does_not_count_fuel_says_so():
    store = Store(Engine())
    context = _binding.context_of(store)
    for use in (_binding.get_fuel, lambda at: _binding.set_fuel(at, 1), lambda at: _binding.set_yield_interval(at, 1)):
        with pytest.raises(WasmtimeError, match="fuel"):
            use(context)


def test_an_import_that_nobody_defines_is_an_error_with_its_name():
    config = Config()
    config.wasm_component_model = True
    _binding.set_async_stack_size(config, 4 * 1024 * 1024)
    engine = Engine(config)
    store = Store(engine)
    with pytest.raises(WasmtimeError, match="test:self/host"):
        _binding.instantiate(Linker(engine), _binding.context_of(store), Component(engine, _COMPONENT))


def test_a_name_that_is_defined_twice_is_an_error():
    linker = Linker(Engine())
    with linker.root() as root, root.add_instance("test:self/host") as host:
        _binding.define_host_function(host, "call", join)
        with pytest.raises(WasmtimeError, match="twice"):
            _binding.define_host_function(host, "call", join)


def spin(guest):
    """Begin to spin, and yield once."""
    _binding.set_fuel(guest.context, 1_000_000_000)
    future = guest.spin.begin(b"", b"")
    assert not _binding.poll(future)
    return future


def test_a_future_that_is_deleted_before_its_store_frees_both():
    for _ in range(50):
        guest = make_guest(yields=1_000)
        future = spin(guest)
        _binding.delete_future(future)
        guest.store.close()


def test_a_guest_that_yields_may_go_on_in_another_thread():
    guest = make_guest(lambda _context, first, _second: (True, first + str(threading.get_ident()).encode()), yields=10)
    _binding.set_fuel(guest.context, 10_000_000)
    future = guest.echo.begin(b"", b"x" * 1_000)
    assert not _binding.poll(future)

    def go_on():
        while not _binding.poll(future):
            pass
        where.append(threading.get_ident())

    where: list[int] = []
    thread = threading.Thread(target=go_on)
    thread.start()
    thread.join()
    _binding.delete_future(future)
    assert guest.echo.end() == (True, str(where[0]).encode())


CLOCK = """(component
  (import "test:self/clock" (instance $clock (export "now" (func (result u64)))))
  (alias export $clock "now" (func $now))
  (core func $lowered (canon lower (func $now)))
  (core module $code (import "clock" "now" (func $now (result i64))) (func (export "now") (result i64) (call $now)))
  (core instance $code (instantiate $code (with "clock" (instance (export "now" (func $lowered))))))
  (alias core export $code "now" (core func $lifted))
  (func (export "now") (result u64) (canon lift (core func $lifted))))"""


def read_clock(read):
    """Call a guest that returns what its clock says."""
    engine = Engine()
    linker = Linker(engine)
    with linker.root() as root, root.add_instance("test:self/clock") as clock:
        _binding.define_clock(clock, "now", read)
    store = Store(engine)
    instance = linker.instantiate(store, Component(engine, CLOCK))
    func = instance.get_func(store, "now")
    assert func is not None
    return func(store), _binding.context_of(store)


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64 - 1])
def test_a_clock_crosses_in_64_bits_and_learns_its_store(value):
    seen = []

    def read(context):
        seen.append(context)
        return value

    now, context = read_clock(read)
    assert (now, seen) == (value, [context])


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_clock_that_fails_ends_the_guest_by_name(fault):
    def fail(_context):
        raise fault

    with pytest.raises(WasmtimeError, match=f"host function now failed: {type(fault).__name__}"):
        read_clock(fail)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident memory from /proc")
@pytest.mark.parametrize("is_ended", [True, False], ids=["ended", "abandoned"])
def test_what_calls_return_and_what_nobody_asks_for_is_freed(is_ended):
    """Two thousand results of 100 KB, read or left; a leak of one in ten would be 20 MB, and so each time."""
    text = b"z" * 100_000

    def use(rounds):
        for _ in range(rounds):
            guest = make_guest(pages=64)
            for _ in range(10):
                _binding.set_fuel(guest.context, 10_000_000)
                future = guest.echo.begin(text, text)
                assert _binding.poll(future)
                _binding.delete_future(future)
                if is_ended:
                    assert guest.echo.end() == (True, text + text)
            guest.echo.discard()  # as `GuestStore` does before it closes
            guest.store.close()

    def grown_mb():
        gc.collect()
        before = resident_mb()
        use(200)
        gc.collect()
        return resident_mb() - before

    use(10)
    growth = []
    while not growth or (growth[-1] >= 15 and len(growth) < 3):  # others of this process grow too, but not each time
        growth.append(grown_mb())
    assert growth[-1] < 15, growth


TRAPS = {
    "fuel": ("error while executing\n\nCaused by:\n    wasm trap: all fuel consumed by WebAssembly", "fuel"),
    "stack": ("error\n\nCaused by:\n    wasm trap: call stack exhausted", "stack"),
    "memory": ("memory minimum size of 440 pages exceeds memory limits", "memory"),
}


@pytest.mark.parametrize(("text", "resource"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_classified_by_its_wording(text, resource):
    error = trap_error(text, module="m", limits=ResourceLimits())
    assert isinstance(error, ResourceLimitError)
    assert (error.resource, error.module) == (resource, "m")


def test_a_trap_of_no_known_wording_is_a_crash_with_its_last_line():
    error = trap_error("first\nwasm trap: something new", module="m", limits=ResourceLimits())
    assert isinstance(error, SandboxCrashedError)
    assert "something new" in str(error)
    assert "first" not in str(error)
