"""How guests run: on fibers, on fibers with threads for what goes on computing, or on wasmtime-py in threads."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Final, TypeAlias

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._compiled import FIBERS, FIBERS_BY_EPOCH, CompiledRunner, compiled_runner
from plataforma_sdk.sandbox.wasm._guest_protocol import Guest
from plataforma_sdk.sandbox.wasm._host import InstanceHost
from plataforma_sdk.sandbox.wasm._pump import Pump
from plataforma_sdk.sandbox.wasm._selftest import fibers_refusal
from plataforma_sdk.sandbox.wasm._stock import STOCK, StockStore
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.sandbox.wasm._threads import RelayedHost, ThreadScheduler
from plataforma_sdk.sandbox.wasm._wasi import GuestHost
from plataforma_sdk.sandbox.wasm._workers import WorkerThreads

__all__ = ["METERINGS", "MODES", "Launcher", "MakeStore", "Wrap"]

MODES: Final = ("fibers", "threads")
METERINGS: Final = ("fuel", "epoch")
_DEFAULT_THREADS: Final = 32
"""Of the fallback, where a guest holds a thread for as long as it computes, up to `max_step_ms`."""

MakeStore: TypeAlias = Callable[[InstanceHost], Guest]
Wrap: TypeAlias = Callable[[MakeStore], MakeStore]

_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")


class Launcher:
    """Makes the pumps of one engine.

    Args:
        mode: one of `MODES`; None for fibers where they run, else threads.
        threads: how many; None for the mode's own number.
        metering: one of `METERINGS`.

    Raises:
        ValueError: there is no such mode or metering, or no such number of threads.
    """

    def __init__(self, mode: str | None = None, threads: int | None = None, metering: str = "fuel") -> None:
        if mode not in (None, *MODES):
            raise ValueError(f"There is no mode {mode!r} of the wasm engine; choose one of {', '.join(MODES)}")
        if threads is not None and threads < (1 if mode == "threads" else 0):
            raise ValueError(f"The wasm engine cannot run in {threads} threads")
        if metering not in METERINGS:
            raise ValueError(f"The wasm engine does not meter by {metering!r}; choose one of {', '.join(METERINGS)}")
        if metering == "epoch" and mode == "threads":
            raise ValueError("metering='epoch' is for fibers: wasmtime-py in threads counts fuel")
        self._mode = "fibers" if metering == "epoch" else mode
        self._metering = metering
        self._threads = threads
        self._workers: WorkerThreads | None = None
        self._compiled: CompiledRunner | None = None

    def prepare(self) -> None:
        """Choose the mode and map the runner; the first call may build and compile it: call it off the event loop.

        Raises:
            SandboxError: this Python, platform or wasmtime does not run the mode.
            StaleRunnerError: there is no runner for these sources.
        """
        if self._mode is None:
            refusal = fibers_refusal()
            self._mode = "fibers" if refusal is None else "threads"
            if refusal is not None:
                _warn(refusal)
        by_fuel = STOCK if self._mode == "threads" else FIBERS
        self._compiled = compiled_runner(FIBERS_BY_EPOCH if self._metering == "epoch" else by_fuel)

    @property
    def runner_sha256(self) -> str:
        """Digest of the runner, after `prepare`."""
        return "" if self._compiled is None else self._compiled.runner.sha256

    @property
    def is_prepared(self) -> bool:
        """Whether there is a runner, so that `prepare` has nothing left to do."""
        return self._compiled is not None

    @property
    def fibers(self) -> CompiledRunner | None:
        """The runner where guests run on fibers, which is where instances can be made ahead; after `prepare`."""
        return self._compiled if self._mode == "fibers" else None

    def launch(
        self,
        context: EngineContext,
        make_guest: Callable[[GuestHost], Guest] | None = None,
        *,
        wrap: Wrap | None = None,
    ) -> Pump:
        """Make a module's pump, on the running loop, after `prepare`.

        Args:
            context: the module's.
            make_guest: makes its guest; a fresh instance by default.
            wrap: changes what makes its guest, to record it; such a guest runs on fibers and in no other thread.

        Raises:
            SandboxError: it cannot be recorded here.
        """
        compiled = self._compiled
        limits, module = context.limits, context.module_id
        if compiled is None:
            raise SandboxError("Launcher.launch() was called before prepare()", module=module)
        if wrap is not None and self._mode != "fibers":
            raise SandboxError(f"Module {module!r} cannot be recorded: guests run in threads here", module=module)
        compiled.check_process()
        if make_guest is None:
            store = GuestStore if self._mode == "fibers" else StockStore
            make_guest = functools.partial(store, compiled, limits=limits, module=module)
        if self._metering == "epoch":
            _check_unmetered(context, is_recorded=wrap is not None)
        workers = None if wrap is not None else self._workers_for_mode()
        if workers is None:
            return Pump(context, make_guest if wrap is None else wrap(make_guest))
        loop, is_inline = asyncio.get_running_loop(), self._mode == "fibers"

        def make_store(host: InstanceHost) -> Guest:
            return make_guest(RelayedHost(host, loop, workers))

        return Pump(context, make_store, ThreadScheduler(loop, workers, is_inline=is_inline))

    def _workers_for_mode(self) -> WorkerThreads | None:
        count = self._threads or (_DEFAULT_THREADS if self._mode == "threads" else 0)
        if count and self._workers is None:
            self._workers = WorkerThreads(count)
        return self._workers

    def close(self) -> None:
        """End the threads that have nothing to do; the engine may still be used."""
        if self._workers is not None:
            self._workers.shrink()


def _check_unmetered(context: EngineContext, *, is_recorded: bool) -> None:
    """Refuse what rests on counted instructions.

    Raises:
        SandboxError: fuel is limited, or the module is to be recorded.
    """
    what = "recording it" if is_recorded else "its limit 'max_fuel'" if context.limits.max_fuel else None
    if what is not None:
        raise SandboxError(
            f"Module {context.module_id!r}: {what} needs fuel, which metering='epoch' does not count; "
            "use WasmEngine(metering='fuel'), or max_call_ms and max_step_ms alone",
            module=context.module_id,
        )


@functools.cache
def _warn(refusal: str) -> None:
    """Say it once a process."""
    _LOG.warning("The wasm engine runs in threads, slower, with wasmtime-py as it is: %s", refusal)
