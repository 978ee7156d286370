"""One guest's store: its memory, its two exports, and at most one call on a fiber."""

from __future__ import annotations

from typing import Any, Final

from wasmtime import Store, WasmtimeError
from wasmtime.component import Instance

from plataforma_sdk.errors import SandboxCrashedError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._compiled import INSTANTIATION_FUEL, CompiledRunner
from plataforma_sdk.sandbox.wasm._fiber_store import MAX_TABLE_ELEMENTS, FiberStore
from plataforma_sdk.sandbox.wasm._memory import LinearMemory
from plataforma_sdk.sandbox.wasm._traps import trap_error
from plataforma_sdk.sandbox.wasm._wasi import GuestHost

__all__ = ["GuestStore"]


class GuestStore(FiberStore):
    """A component instance and the memory behind it.

    Args:
        compiled: what to instantiate.
        host: serves the guest's imports.
        limits: `max_memory_bytes` is enforced here.
        module: id of the module, for errors.

    Raises:
        ResourceLimitError: the memory limit is below what the interpreter itself needs.
    """

    can_be_parked: Final = True
    """This is the kind of instance that `_hibernation_check` tries; its memory lies where the map says."""

    def __init__(self, compiled: CompiledRunner, host: GuestHost, limits: ResourceLimits, *, module: str) -> None:
        compiled.check_process()
        super().__init__()
        self._compiled = compiled
        self._limits = limits
        self._module = module
        self._call: _binding.Call | None = None
        self._store = Store(compiled.engine)
        self._store.set_limits(memory_size=limits.max_memory_bytes, table_elements=MAX_TABLE_ELEMENTS)
        self._context = _binding.context_of(self._store)
        self._tank = compiled.make_tank(self._context)
        compiled.hosts[self._context] = host
        self.memory = LinearMemory()
        try:
            self._instantiate()
        except WasmtimeError as error:
            self.drop()
            raise trap_error(str(error), module=module, limits=limits) from None

    def _instantiate(self) -> None:
        self._tank.fill(INSTANTIATION_FUEL)
        with self.memory.appearing(self._compiled.artefact):
            raw = _binding.instantiate(self._compiled.linker, self._context, self._compiled.component)
        instance = Instance._from_raw(raw)  # noqa: SLF001
        self.load = _binding.Call(self._export(instance, "load"), self._context, 2)
        self.pump = _binding.Call(self._export(instance, "pump"), self._context, 1)
        self._tank.stop()

    def _export(self, instance: Instance, name: str) -> Any:
        func = instance.get_func(self._store, name)
        if func is None:
            raise SandboxCrashedError(f"The guest runner does not export {name!r}; rebuild it", module=self._module)
        return func

    def claim(self, host: GuestHost, limits: ResourceLimits, *, module: str) -> None:
        """Give an instance that was made ahead to a module: from now on it has that module's host, limits and name."""
        self._limits, self._module = limits, module
        self._compiled.hosts[self._context] = host
        self._store.set_limits(memory_size=limits.max_memory_bytes, table_elements=MAX_TABLE_ELEMENTS)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._future is not None or self._is_lent

    def begin(self, call: _binding.Call, fuel: int, first: bytes, second: bytes = b"") -> None:
        """Begin a call with a budget of fuel; `poll` runs it."""
        self._tank.fill(fuel)
        self._call = call
        self._future = call.begin(first, second)

    def poll(self) -> bool:
        """Run one slice; true when the call has ended, or the store was dropped meanwhile."""
        future = self._future
        if future is None:
            return True
        has_ended = self._run_slice(future)
        if has_ended:
            self._tank.stop()
        if self._is_dropped:
            self._free()
            return True
        return has_ended

    def end(self) -> tuple[bool, bytes]:
        """Return what the call that ended returned.

        Raises:
            SandboxError: the guest trapped.
        """
        if self._call is None:
            raise SandboxCrashedError(f"Module {self._module!r} was ended", module=self._module)
        try:
            return self._call.end()
        except WasmtimeError as error:
            raise trap_error(str(error), module=self._module, limits=self._limits) from None

    def fuel_left(self) -> int:
        """Return what is left of the last call's budget."""
        return self._tank.left()

    def _free(self) -> None:
        self._tank.stop()
        self._end_fiber()
        call, self._call = self._call, None
        if call is not None:
            call.discard()
        if self._compiled.hosts.pop(self._context, None) is not None:
            with self.memory.vanishing():
                self._store.close()
