"""Loads modules that are WebAssembly themselves, components and core modules, behind the same pump."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import cachetools
from wasmtime.component import Component, Linker

from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.wasm._component import ComponentStore, link_component
from plataforma_sdk.sandbox.wasm._core_abi import CoreStore, check_core
from plataforma_sdk.sandbox.wasm._foreign import CompiledForeign, compile_foreign, find_compiled, foreign_engine
from plataforma_sdk.sandbox.wasm._host import InstanceHost
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["ForeignStore", "foreign_store_maker", "prepare_foreign"]

ForeignStore = ComponentStore | CoreStore
MakeForeign = Callable[[InterruptibleHost], ForeignStore]

_KEPT: Final = 64
_MAX_COMPILERS: Final = 2
_LOCK: Final = threading.Lock()
_LINKERS: Final[cachetools.LRUCache[str, tuple[CompiledForeign, Linker]]] = cachetools.LRUCache(_KEPT)
"""sha256 of a component -> its code and linker, of the process: a linker's host functions live as long as the process,
so a module that is loaded again must not make another."""


@functools.cache
def _compilers() -> ThreadPoolExecutor:
    """Threads that wait for compilers; not those of the loop, which hostile binaries would fill for a minute."""
    return ThreadPoolExecutor(_MAX_COMPILERS, thread_name_prefix="plataforma-compile")


async def prepare_foreign(package: ModulePackage, context: EngineContext) -> Callable[[InstanceHost], ForeignStore]:
    """Compile a package's ``.wasm`` and check what it imports and exports; return what makes its store.

    Raises:
        ModuleLoadError: the binary is damaged, too large, not valid, or does not fit this host.
        SandboxError: this platform cannot run the engine.
    """
    module = context.module_id
    data = package.files[package.entry_file]
    compiled = await asyncio.to_thread(find_compiled, data, module=module)
    if compiled is None:
        compile_it = functools.partial(compile_foreign, data, module=module)
        compiled = await asyncio.get_running_loop().run_in_executor(_compilers(), compile_it)
    return _maker(compiled, context.limits, module)


def foreign_store_maker(data: bytes, limits: ResourceLimits, *, module: str) -> MakeForeign:
    """Do as `prepare_foreign`, and block meanwhile."""
    return _maker(compile_foreign(data, module=module), limits, module)


def _maker(compiled: CompiledForeign, limits: ResourceLimits, module: str) -> MakeForeign:
    engine = foreign_engine()
    if not isinstance(compiled.code, Component):
        check_core(compiled, module=module)
        return lambda host: CoreStore(compiled, engine, host, limits, module=module)
    code, linker = _linked(compiled, module)
    return lambda host: ComponentStore(code, linker, engine, host, limits, module=module)


def _linked(compiled: CompiledForeign, module: str) -> tuple[CompiledForeign, Linker]:
    with _LOCK:
        kept = _LINKERS.get(compiled.sha256)
        if kept is None:
            kept = _LINKERS[compiled.sha256] = (compiled, link_component(compiled, foreign_engine(), module=module))
    return kept
