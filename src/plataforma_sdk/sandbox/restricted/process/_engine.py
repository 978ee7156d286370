"""`ProcessEngine`: the restricted engine, each module in a process of its own."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleLoadError, ResourceLimitError
from plataforma_sdk.sandbox._protocols import EngineContext
from plataforma_sdk.sandbox.restricted.process._instance import ProcessInstance
from plataforma_sdk.sandbox.restricted.process._pool import WorkerPool, shared_pool
from plataforma_sdk.sandbox.restricted.process._spawn import check_platform
from plataforma_sdk.sandbox.restricted.process._talk import Conversation
from plataforma_sdk.types import SystemClock

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["ProcessEngine"]

START_S: Final = 30.0
"""How long an interpreter may take to start, and a file to compile, beside `max_call_ms` of the module's own code."""


class ProcessEngine:
    """Runs modules under the restricted policy, each in a worker that is killed when it breaks a limit.

    Args:
        pool: where workers come from; the process's own by default.

    >>> engine = ProcessEngine()
    >>> engine.name
    'restricted'
    """

    name = "restricted"

    def __init__(self, pool: WorkerPool | None = None) -> None:
        check_platform()
        self._pool = pool or shared_pool()
        self._is_open = False
        self._instances: weakref.WeakSet[ProcessInstance] = weakref.WeakSet()

    async def load(self, package: ModulePackage, context: EngineContext) -> ProcessInstance:
        """Give a worker the package's sources; raises as `RestrictedEngine.load`.

        Raises:
            SandboxCrashedError: the worker ended while it loaded.
        """
        if not self._is_open:
            self._pool.open()
            self._is_open = True
        bundle = _bundle(package, context)
        worker = await self._pool.take()
        talk = Conversation(context, worker)
        try:
            await self._load(talk, bundle, context)
        except BaseException:
            talk.end(ModuleLoadError(f"Module {context.module_id!r} did not load", module=context.module_id))
            await talk.wait_closed(START_S)
            raise
        finally:
            self._pool.replenish()
        instance = ProcessInstance(context, worker, talk)
        self._instances.add(instance)
        return instance

    async def _load(self, talk: Conversation, bundle: bytes, context: EngineContext) -> None:
        limit_ms = context.limits.max_call_ms
        try:
            async with asyncio.timeout(START_S + limit_ms / 1_000):
                await talk.load(bundle)
        except TimeoutError:
            raise ResourceLimitError("call_time", limit=limit_ms, unit="ms", module=context.module_id) from None

    async def close(self) -> None:
        """Kill whatever still runs, and give the pool back; a load afterwards opens it again."""
        for instance in list(self._instances):
            await instance.close()
        if self._is_open:
            self._is_open = False
            self._pool.close()


def _bundle(package: ModulePackage, context: EngineContext) -> bytes:
    """Write all of the context that a worker may know: no bridge, no meters, no files but the sources.

    Raises:
        CodecError: the configuration is no plain data.
    """
    data = {
        "bundle": {
            "id": context.module_id,
            "entry_file": package.entry_file,
            "entry_class": package.entry_class,
            "sources": dict(package.sources),
            "is_component": package.is_component,
        },
        "context": {
            "version": context.version,
            "config": dict(context.config),
            "locale": context.locale,
            "messages": dict(context.messages),
            "seed": context.seed,
        },
        "limits": attrs.asdict(context.limits),
        "has_system_clock": isinstance(context.clock, SystemClock),
    }
    return codec.encode(data).encode()
