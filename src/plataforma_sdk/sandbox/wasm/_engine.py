"""The `wasm` engine: full CPython behind a hard boundary, in the host's own process."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleLoadError, PlataformaError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner, ready_runner
from plataforma_sdk.sandbox.wasm._foreign_engine import prepare_foreign
from plataforma_sdk.sandbox.wasm._guests import GuestMaker, code_cache
from plataforma_sdk.sandbox.wasm._instance import WasmInstance
from plataforma_sdk.sandbox.wasm._pool import leave_pools, pool_of
from plataforma_sdk.sandbox.wasm._pump import Pump
from plataforma_sdk.sandbox.wasm._traps import limit_error

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["WasmEngine"]

_SEED_BITS: Final = 63


class WasmEngine:
    """Runs modules as WebAssembly; the compiled runner behind it is the process's one.

    The first load of a process maps the compiled runner, 2 ms; the first of all compiles it, 5-10 s, and says so.

    >>> engine = WasmEngine()
    >>> engine.name
    'wasm'
    """

    name = "wasm"

    async def load(self, package: ModulePackage, context: EngineContext) -> WasmInstance:
        """Instantiate the runner and load the package's sources into it.

        Raises:
            ModuleLoadError: a syntax error, no entry class, or a ``.wasm`` that does not fit this host.
            GuestError: the module's top-level code failed.
            ResourceLimitError: the code did not load within the limits.
            StaleRunnerError: there is no guest runner for this installation.
        """
        if package.is_component:
            pump = Pump(context, await prepare_foreign(package, context))
            await _load(pump, context, _bundle(package), _config(context))
            return WasmInstance(context, pump)
        compiled = ready_runner()
        if compiled is None:
            compiled = await asyncio.to_thread(compiled_runner)
        pool = pool_of(compiled)
        pool.join(self)
        guests = GuestMaker(compiled, pool, context)
        try:
            await guests.warm()
            codes = await code_cache(compiled).codes(package.sources, guests.compile)
            pump = Pump(context, guests.make)
        except BaseException:
            guests.drop()
            raise
        await _load(pump, context, _bundle(package, codes), _config(context))
        guests.tidy_later()
        return WasmInstance(context, pump)

    async def close(self) -> None:
        """Free the instances that were made ahead, with the last engine of this loop."""
        leave_pools(self)


async def _load(pump: Pump, context: EngineContext, bundle: bytes, config: bytes) -> None:
    limits = context.limits
    try:
        async with asyncio.timeout(limits.max_call_ms / 1_000):
            await pump.load(bundle, config)
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


def _bundle(package: ModulePackage, codes: Mapping[str, str] | None = None) -> bytes:
    wheels = {name: base64.b64encode(content).decode() for name, content in package.wheels.items()}
    return codec.encode(
        {
            "entry": package.entry_file,
            "class": package.entry_class,
            "files": {} if package.is_component else dict(package.sources),
            "codes": dict(codes or {}),
            "wheels": wheels,
        }
    ).encode()


def _config(context: EngineContext) -> bytes:
    return codec.encode(
        {
            "id": context.module_id,
            "version": context.version,
            "config": dict(context.config),
            "locale": context.locale,
            "messages": dict(context.messages),
            "max_tree_nodes": context.limits.max_tree_nodes,
            "seed": secrets.randbits(_SEED_BITS) if context.seed is None else context.seed,
            "now": context.clock.monotonic(),
        }
    ).encode()
