"""Guests on wasmtime-py as it is: what the engine falls back to where its own binding fails its self-test.

A pump is one blocking call, so it runs in a thread. What a fiber does at its yields, `_watch` does: it ends a guest
that was dropped or whose step takes too long, and holds one that has had its share. The same behaviour, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import byref, string_at
from typing import Any, Final

from wasmtime import Config, Store, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Func, Instance, LinkerInstance, Variant

from plataforma_sdk.errors import SandboxCrashedError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._binding import HostFunction, Pointer, context_of
from plataforma_sdk.sandbox.wasm._compiled import INSTANTIATION_FUEL, CompiledRunner, Profile
from plataforma_sdk.sandbox.wasm._fiber_store import MAX_TABLE_ELEMENTS
from plataforma_sdk.sandbox.wasm._memory import LinearMemory
from plataforma_sdk.sandbox.wasm._threads import RelayedHost
from plataforma_sdk.sandbox.wasm._traps import trap_error
from plataforma_sdk.sandbox.wasm._wasi import traps_only
from plataforma_sdk.sandbox.wasm._watch import WatchedHost, ticker_of

__all__ = ["STOCK", "StockDefinitions", "StockStore"]


class StockDefinitions:
    """Defines host functions by reflection, 27 µs a call; see `_wasi.Definitions`."""

    def define_host_function(self, instance: LinkerInstance, name: str, function: HostFunction) -> None:
        """Define ``(string, string) -> result<string, string>``."""

        def call(store: Any, first: str, second: str) -> Variant:
            is_ok, text = function(context_of(store), first.encode(), second.encode())
            return Variant("ok" if is_ok else "err", text.decode())

        instance.add_func(name, traps_only(call))

    def define_clock(self, instance: LinkerInstance, name: str, read: Callable[[Pointer], int]) -> None:
        """Define ``() -> u64``."""
        instance.add_func(name, traps_only(lambda store: read(context_of(store))))

    def define_bytes(self, instance: LinkerInstance, name: str, read: Callable[[Pointer, int], bytes]) -> None:
        """Define ``(u64) -> list<u8>``."""
        instance.add_func(name, traps_only(lambda store, count: read(context_of(store), count)))


def _configure(config: Config) -> None:
    config.epoch_interruption = True


class Export:
    """One exported function ``(string ...) -> result<string, string>`` of one instance.

    Called by wasmtime-py's own declarations, which fit the library beside them, but not by `Func.__call__`: that never
    frees the box of a result, 48 bytes a call (wasmtime-py 48 to 50), reflects over the types each time, and may raise
    what a host function of anybody's left in a global of its.
    """

    def __init__(self, func: Func, store: Store) -> None:
        self._func = func
        self._store = store

    def __call__(self, *texts: bytes) -> tuple[bool, bytes]:
        """Call, blocking.

        Raises:
            WasmtimeError: the guest trapped.
        """
        args, result = (ffi.wasmtime_component_val_t * len(texts))(), ffi.wasmtime_component_val_t()
        func, context = byref(self._func._func), self._store._context()  # noqa: SLF001
        try:
            for arg, text in zip(args, texts, strict=True):
                arg.kind = ffi.WASMTIME_COMPONENT_STRING
                arg.of.string = ffi.bytes_to_capi(text)
            error = ffi.wasmtime_component_func_call(func, context, args, len(texts), byref(result), 1)
            if error:
                raise WasmtimeError._from_ptr(error)  # noqa: SLF001
            outcome = result.of.result
            text = outcome.val.contents.of.string
            return bool(outcome.is_ok), string_at(text.data, text.size) if text.size else b""
        finally:
            for value in (*args, result):
                ffi.wasmtime_component_val_delete(byref(value))


STOCK: Final = Profile(name="stock epoch", configure=_configure, definitions=StockDefinitions())
"""Guests that can be interrupted in a call."""


class StockStore:
    """A component instance whose calls block the thread that polls them; see `_guest_protocol.Guest`.

    Args:
        compiled: what to instantiate, of the profile `STOCK`.
        host: serves the guest's imports.
        limits: memory, time of a step and share of the processor are enforced here.
        module: id of the module, for errors.

    Raises:
        ResourceLimitError: the memory limit is below what the interpreter itself needs.
    """

    def __init__(self, compiled: CompiledRunner, host: RelayedHost, limits: ResourceLimits, *, module: str) -> None:
        compiled.check_process()
        self._compiled = compiled
        self._limits = limits
        self._module = module
        self._ticker = ticker_of(compiled)
        self._host = WatchedHost(host, limits, module)
        self._call: Export | None = None
        self._texts: tuple[bytes, ...] = ()
        self._outcome: tuple[bool, bytes] | str = ""
        self._is_begun = self._is_lent = False
        self.memory = LinearMemory()
        self._store = Store(compiled.engine)
        self._store.set_limits(memory_size=limits.max_memory_bytes, table_elements=MAX_TABLE_ELEMENTS)
        self._context = context_of(self._store)
        compiled.hosts[self._context] = self._host
        try:
            self._instantiate()
        except WasmtimeError as error:
            self.drop()
            raise trap_error(str(error), module=module, limits=limits) from None

    def _instantiate(self) -> None:
        self._store.set_fuel(INSTANTIATION_FUEL)
        self._ticker.watch(self._store)
        with self.memory.appearing(self._compiled.artefact):
            instance = self._compiled.linker.instantiate(self._store, self._compiled.component)
        self.load = self._export(instance, "load")
        self.pump = self._export(instance, "pump")

    def _export(self, instance: Instance, name: str) -> Export:
        func = instance.get_func(self._store, name)
        if func is None:
            raise SandboxCrashedError(f"The guest runner does not export {name!r}; rebuild it", module=self._module)
        return Export(func, self._store)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way, or the guest is lent."""
        return self._is_begun or self._is_lent

    def begin(self, call: Export, fuel: int, first: bytes, second: bytes = b"") -> None:
        """Begin a call with a budget of fuel; `poll` runs it."""
        self._store.set_fuel(fuel)
        self._call = call
        self._texts = (first, second) if call is self.load else (first,)
        self._outcome = ""
        self._is_begun = True

    def poll(self) -> bool:
        """Run the whole call, in whatever thread; always true."""
        if self._call is None or self._host.is_dropped.is_set():
            return True
        self._host.begin(is_loading=self._call is self.load)
        with self._ticker:
            try:
                self._outcome = self._call(*self._texts)
            except WasmtimeError as error:
                self._outcome = str(error)
        self._texts = ()
        self._is_begun = False
        return True

    def end(self) -> tuple[bool, bytes]:
        """Return what the call that ended returned.

        Raises:
            SandboxError: the guest trapped, or was ended for what it used.
        """
        if self._host.refusal is not None:
            raise self._host.refusal
        if self._call is None:
            raise SandboxCrashedError(f"Module {self._module!r} was ended", module=self._module)
        if isinstance(self._outcome, str):
            raise trap_error(self._outcome, module=self._module, limits=self._limits)
        outcome, self._outcome = self._outcome, ""
        return outcome

    def fuel_left(self) -> int:
        """Return what is left of the last call's budget."""
        return self._store.get_fuel()

    def lend(self) -> None:
        """Leave the guest to another thread, which may `poll` it and nothing else."""
        self._is_lent = True

    def take_back(self) -> None:
        """The other thread is done."""
        self._is_lent = False
        if self._host.is_dropped.is_set():
            self._free()

    def drop(self) -> None:
        """Free everything; a guest that runs in a thread ends at its next tick, and is freed when it is taken back."""
        self._host.is_dropped.set()
        if not self._is_lent:
            self._free()

    def _free(self) -> None:
        if self._compiled.hosts.pop(self._context, None) is not None:
            self._call = None
            with self.memory.vanishing():
                self._store.close()
