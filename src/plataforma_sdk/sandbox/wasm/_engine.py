"""The `wasm` engine: full CPython behind a hard boundary, in the host's own process."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from plataforma_sdk.errors import HostCallError, ModuleLoadError, PlataformaError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._bundle import bundle_of, config_of
from plataforma_sdk.sandbox.wasm._guests import GuestMaker, code_cache
from plataforma_sdk.sandbox.wasm._host import error_text
from plataforma_sdk.sandbox.wasm._instance import WasmInstance
from plataforma_sdk.sandbox.wasm._modes import Launcher, MakeStore, Wrap
from plataforma_sdk.sandbox.wasm._pool import leave_pools, pool_of
from plataforma_sdk.sandbox.wasm._pump import Pump
from plataforma_sdk.sandbox.wasm._recorder import recorded, recorded_further
from plataforma_sdk.sandbox.wasm._resume import Resumption
from plataforma_sdk.sandbox.wasm._traps import limit_error

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["WasmEngine"]


class WasmEngine:
    """Runs modules as WebAssembly; the compiled runner behind it is the process's one.

    The first load of a process maps the compiled runner, 2 ms; the first of all compiles it, 5-10 s, and says so.

    Args:
        mode: ``"fibers"`` runs guests on the event loop, a slice at a time; ``"threads"`` runs each in a thread, on
            wasmtime-py as it is: the same behaviour, slower. By default fibers, and where this Python or wasmtime
            cannot have them, threads, with a warning in the log that says why.
        threads: with fibers, how many threads take on what goes on computing after its first slice, 0 for none: with 2,
            two compute-bound modules use two cores. With threads, how many guests may run at once, 32 by default.
        metering: ``"fuel"`` counts instructions: budgets of calls, the same slices in each run, recording. ``"epoch"``
            counts time alone, and computes 5 to 10 % faster; a module whose `max_fuel` is limited is refused then. Each
            has compiled code of its own, 53 MB on disk.

    Raises:
        ValueError: there is no such mode or metering, or no such number of threads.

    >>> engine = WasmEngine()
    >>> engine.name
    'wasm'
    """

    name = "wasm"

    def __init__(self, *, mode: str | None = None, threads: int | None = None, metering: str = "fuel") -> None:
        self._launcher = Launcher(mode, threads, metering)

    async def load(self, package: ModulePackage, context: EngineContext) -> WasmInstance:
        """Instantiate the runner and load the package's sources into it.

        Raises:
            ModuleLoadError: a syntax error, no entry class, or a ``.wasm`` that does not fit this host.
            GuestError: the module's top-level code failed.
            ResourceLimitError: the code did not load within the limits.
            StaleRunnerError: there is no guest runner for this installation.
            SandboxError: the mode that was asked for does not run here.
        """
        if context.resume is not None:
            return _resumed(context, context.resume)
        if package.is_component:
            from plataforma_sdk.sandbox.wasm._foreign_engine import prepare_foreign  # 15 ms that most hosts never need

            make_store: MakeStore = await prepare_foreign(package, context)
            wrap = _recording(package, context, hashlib.sha256(package.files[package.entry_file]).hexdigest())
            pump = Pump(context, make_store if wrap is None else wrap(make_store))
            return await _loaded(pump, package, context)
        if not self._launcher.is_prepared:
            await asyncio.to_thread(self._launcher.prepare)
        compiled = self._launcher.fibers
        if compiled is None or context.journal is not None:
            pump = self._launcher.launch(context, wrap=_recording(package, context, self._launcher.runner_sha256))
            return await _loaded(pump, package, context)
        pool = pool_of(compiled)
        pool.join(self)
        return await self._load_warm(package, context, GuestMaker(compiled, pool, context))

    async def _load_warm(self, package: ModulePackage, context: EngineContext, guests: GuestMaker) -> WasmInstance:
        """Load into an instance that was made ahead, if there is one, from code that was compiled before."""
        try:
            await guests.warm()
            codes = await code_cache(guests.compiled).codes(package.sources, guests.compile)
            pump = self._launcher.launch(context, guests.make)
        except BaseException:
            guests.drop()
            raise
        instance = await _loaded(pump, package, context, codes)
        guests.tidy_later()
        return instance

    async def close(self) -> None:
        """Free the instances made ahead, with the last engine, and end the threads that have nothing to do."""
        leave_pools(self)
        self._launcher.close()


def _recording(package: ModulePackage, context: EngineContext, runner: str) -> Wrap | None:
    """Return what makes a store a recorded one, where the module is to be recorded."""
    if context.journal is None:
        return None
    return functools.partial(recorded, journal=context.journal, package=package, context=context, runner=runner)


def _resumed(context: EngineContext, resumption: Resumption) -> WasmInstance:
    """Take over a guest that has run elsewhere; it goes on when `Resumption.begin` is called."""
    context = attrs.evolve(context, clock=resumption.clock(context.clock))
    make_store: MakeStore = resumption.attach
    if context.journal is not None:
        make_store = recorded_further(make_store, context.journal, resumption.instance)
    pump = Pump(context, make_store)
    text = "the host that served this has ended; whether it was done is not known"
    pump.adopt(resumption.left, error_text(HostCallError("Interrupted", text, module=context.module_id)))
    resumption.begin = pump.wake
    return WasmInstance(context, pump)


async def _loaded(
    pump: Pump, package: ModulePackage, context: EngineContext, codes: Mapping[str, str] | None = None
) -> WasmInstance:
    limits = context.limits
    try:
        async with asyncio.timeout(limits.max_call_ms / 1_000):
            await pump.load(bundle_of(package, codes), config_of(context))
    except TimeoutError:
        error = limit_error("call_time", module=context.module_id, limits=limits, used=limits.max_call_ms)
        pump.end(error)
        raise error from None
    except PlataformaError as error:
        pump.end(error)
        raise
    except BaseException:
        pump.end(ModuleLoadError(f"Loading module {context.module_id!r} was cancelled", module=context.module_id))
        raise
    return WasmInstance(context, pump)
