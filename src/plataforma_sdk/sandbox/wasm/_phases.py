"""A guest whose calls are rows of phases: instantiate, place a text, run, read the answer; each on a fiber.

The runner's own store makes an instance before its first call. Here the instance is made *in* the first call, since a
third party's start function may run for as long as it likes: it yields, and is metered and ended, as any other code.
"""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

from wasmtime import Engine, Store, WasmtimeError

from plataforma_sdk.errors import PlataformaError, SandboxCrashedError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm import _binding
from plataforma_sdk.sandbox.wasm._binding import Pointer
from plataforma_sdk.sandbox.wasm._fiber_store import MAX_TABLE_ELEMENTS, YIELD_INTERVAL, FiberStore
from plataforma_sdk.sandbox.wasm._traps import trap_error

__all__ = ["PhasedStore", "Phases", "StoreCall"]

_MAX_TABLES: Final = 16
_MAX_INSTANCES: Final = 100

Phases: TypeAlias = Generator[Pointer, None, tuple[bool, bytes]]
"""Yields the future of each phase, is resumed when that has ended, and returns ``(is_ok, text)``."""


class StoreCall(Protocol):
    """An export as the pump calls it: one or two texts."""

    def __call__(self, first: bytes, second: bytes = b"", /) -> Phases:
        """Return the phases of one call."""


class PhasedStore(FiberStore):
    """One instance of a third party's code; what `Pump` needs of a store, and the two exports are its subclass's.

    Args:
        engine: the engine of the code.
        hosts: store context -> what serves it; this store's is removed when it is freed.
        limits: `max_memory_bytes` is enforced here.
        memories: how many memories the code defines; wasmtime limits each by itself, so they share the limit.
        module: id of the module, for errors.
    """

    def __init__(
        self, engine: Engine, hosts: MutableMapping[Pointer, Any], limits: ResourceLimits, *, memories: int, module: str
    ) -> None:
        super().__init__()
        self._limits = limits
        self._module = module
        self._hosts = hosts
        self._phases: Phases | None = None
        self._answer: tuple[bool, bytes] | None = None
        self._error: PlataformaError | None = None
        self._is_freed = False
        self._store = Store(engine)
        self._store.set_limits(
            memory_size=limits.max_memory_bytes // max(1, memories),
            table_elements=MAX_TABLE_ELEMENTS,
            instances=_MAX_INSTANCES,
            tables=_MAX_TABLES,
            memories=max(1, memories),
        )
        self._context = _binding.context_of(self._store)
        self._tank = _binding.FuelTank(self._context, YIELD_INTERVAL)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._phases is not None or self._is_lent

    def begin(self, call: StoreCall, fuel: int, first: bytes, second: bytes = b"") -> None:
        """Begin a call with a budget of fuel for all its phases; `poll` runs it."""
        self._tank.fill(fuel)
        self._answer = self._error = None
        self._phases = call(first, second)
        self._advance()

    def poll(self) -> bool:
        """Run one slice, and short phases in a row; true when the call has ended, or the store was dropped."""
        while self._future is not None:
            if not self._poll_once(self._future):
                return self._is_freed
            if self._is_freed:
                return True
            self._advance()
        return True

    def end(self) -> tuple[bool, bytes]:
        """Return what the call that ended returned.

        Raises:
            SandboxError: the guest trapped, or broke the rules of its ABI.
            ModuleLoadError: it does not link.
        """
        if self._error is not None:
            raise self._error
        if self._answer is None:
            raise SandboxCrashedError(f"Module {self._module!r} was ended", module=self._module)
        return self._answer

    def fuel_left(self) -> int:
        """Return what is left of the last call's budget."""
        return 0 if self._is_freed else self._tank.left()

    def _poll_once(self, future: Pointer) -> bool:
        has_ended = self._run_slice(future)
        if self._is_dropped:
            self._free()
        else:
            self._after_slice()
        return has_ended

    def _after_slice(self) -> None:
        """The guest has yielded or ended a phase."""

    def _advance(self) -> None:
        """Go on to the next phase, or to the end of the call."""
        phases = self._phases
        if phases is None:
            return
        try:
            self._future = next(phases)
        except StopIteration as stop:
            self._answer = stop.value
        except PlataformaError as error:
            self._error = error
        except WasmtimeError as error:
            self._error = trap_error(str(error), module=self._module, limits=self._limits)
        if self._future is None:
            self._phases = None

    def _free(self) -> None:
        if self._is_freed:
            return
        self._is_freed = True
        self._phases = None
        self._end_fiber()
        self._hosts.pop(self._context, None)
        self._forget()
        self._store.close()

    def _forget(self) -> None:
        """Let go of what points into the store, which is about to be freed."""
