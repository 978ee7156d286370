"""The worker: one restricted module in an interpreter of its own. Its host is trusted, its module is not."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError
from plataforma_sdk.sandbox import EngineContext, ResourceLimits
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted.process._allowance import EXIT_FAULT, EXIT_MEMORY, cpu_allowance_s, memory_growth
from plataforma_sdk.sandbox.restricted.process._bridge import CURRENT_CALL, RemoteBridge, RemoteClock, WorkerMonitor
from plataforma_sdk.sandbox.restricted.process._errors import error_text
from plataforma_sdk.sandbox.restricted.process._inside import Bundle, WorkerEngine, WorkerInstance, warm_up
from plataforma_sdk.sandbox.restricted.process._link import Link
from plataforma_sdk.sandbox.restricted.process._tasks import start_task
from plataforma_sdk.sandbox.restricted.process._wire import PROTOCOL
from plataforma_sdk.types import SystemClock
from plataforma_sdk.workers import bound_cpu, bound_memory, confine, forbid_processes, seal_descriptors, take_socket

__all__ = ["LastWords", "Worker", "main", "prepare"]

_CPU_RENEWAL_S: Final = 2.0
_MAX_WORDS: Final = 500


def prepare(host: int) -> tuple[asyncio.AbstractEventLoop, WorkerEngine]:
    """Make everything that needs files and descriptors, then give up the rest; `host` is the host's process id."""
    confine(host)
    forbid_processes()
    loop = asyncio.SelectorEventLoop()
    asyncio.set_event_loop(loop)
    engine = WorkerEngine(CompileCache())  # in memory: the host's cache on disk is not a worker's to write
    loop.run_until_complete(warm_up(engine, ResourceLimits()))
    gc.collect()
    gc.freeze()
    seal_descriptors()
    return loop, engine


def main(descriptor: int, host: int) -> None:
    """Serve the host until it goes; never returns."""
    link = Link(take_socket(descriptor))
    with LastWords(link):
        loop, engine = prepare(host)
        worker = Worker(loop, engine, link)
        loop.add_reader(link.fileno(), worker.on_readable)
        link.send(b"R%d" % PROTOCOL)
        loop.run_forever()


class LastWords:
    """End the process by whatever leaves the block, and say why: a worker that has lost its way answers nothing."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is None:
            return
        if issubclass(kind, MemoryError):
            os._exit(EXIT_MEMORY)
        try:
            fault = SandboxCrashedError(f"A worker failed by a fault of its own: {kind.__name__}: {error}"[:_MAX_WORDS])
            self._link.send(b"p0 0 0 0\n" + error_text(fault))
        finally:
            os._exit(EXIT_FAULT)


class Worker:
    """Reads the host's frames and serves them with one instance."""

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: WorkerEngine, link: Link) -> None:
        self._loop = loop
        self._engine = engine
        self._link = link
        self._base = contextvars.copy_context()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._instance: WorkerInstance | None = None
        self._bridge: RemoteBridge | None = None
        self._monitor = WorkerMonitor(ResourceLimits(), "")
        self._limit: ResourceLimitError | None = None
        self._has_told = False
        self._handlers: dict[int, Callable[[bytes], None]] = {
            ord("l"): self._on_load,
            ord("c"): self._on_call,
            ord("k"): self._on_cancel,
            ord("v"): self._on_answer,
            ord("x"): self._on_answer,
        }
        link.on_late = lambda: loop.call_soon(self._serve)

    def on_readable(self) -> None:
        """Take what the host has sent."""
        with LastWords(self._link):
            self._link.receive()
            self._serve()

    def _serve(self) -> None:
        with LastWords(self._link):
            while (frame := self._link.next()) is not None:
                self._handlers[frame[0]](frame)

    # --- frames ------------------------------------------------------------------------------------------------------

    def _on_load(self, frame: bytes) -> None:
        self._start(0, self._load(codec.decode(frame[1:])))

    def _on_call(self, frame: bytes) -> None:
        head, args, kwargs = frame[1:].split(b"\n")
        number, _, function = head.partition(b" ")
        assert self._instance is not None  # noqa: S101 - the host waits for the load
        named = codec.decode(kwargs) if kwargs else {}
        self._start(int(number), self._instance.call(function.decode(), *codec.decode(args), **named))

    def _on_cancel(self, frame: bytes) -> None:
        task = self._tasks.get(int(frame[1:]))
        if task is not None:
            task.cancel()

    def _on_answer(self, frame: bytes) -> None:
        head, _, payload = frame.partition(b"\n")
        if self._bridge is not None:
            self._bridge.resolve(int(head[1:]), payload, is_error=head.startswith(b"x"))

    # --- work --------------------------------------------------------------------------------------------------------

    def _start(self, number: int, work: Coroutine[Any, Any, Any]) -> None:
        context = self._base.copy()
        context.run(CURRENT_CALL.set, number)
        task = start_task(self._loop, self._reply(number, work), context)
        if not task.done():
            self._tasks[number] = task

    async def _reply(self, number: int, work: Coroutine[Any, Any, Any]) -> None:
        with LastWords(self._link):
            kind, payload = b"r", b"null"
            try:
                result = await work
                payload = codec.encode(result).encode() if result is not None else payload
            except MemoryError:
                raise
            except BaseException as error:  # noqa: BLE001 - crosses as data
                kind, payload = b"e", error_text(error)
            self._tasks.pop(number, None)
            if self._limit is not None:
                self._tell_limit(self._limit, number)
            else:
                self._link.send(b"%s%d %s\n%s" % (kind, number, self._monitor.take(), payload))

    async def _load(self, data: dict[str, Any]) -> None:
        limits = ResourceLimits(**data["limits"])
        bundle = Bundle(**data["bundle"])
        bound_memory(memory_growth(limits))
        self._renew_cpu(cpu_allowance_s(limits))
        self._monitor = WorkerMonitor(limits, bundle.id)
        self._bridge = RemoteBridge(self._link, self._monitor, bundle.id)
        context = EngineContext(
            module_id=bundle.id,
            bridge=self._bridge,
            limits=limits,
            monitor=self._monitor,
            clock=SystemClock() if data["has_system_clock"] else RemoteClock(self._link),
            **data["context"],
        )
        instance = await self._engine.load(bundle.as_package(), context)
        assert isinstance(instance, WorkerInstance)  # noqa: S101 - its class is set
        instance.on_poisoned = self._on_poisoned
        self._instance = instance

    def _renew_cpu(self, seconds: int) -> None:
        """Move the kernel's bound on: it ends a worker whose loop has not turned for so much processor time."""
        bound_cpu(seconds)
        self._loop.call_later(_CPU_RENEWAL_S, self._renew_cpu, seconds)

    def _on_poisoned(self, limit: ResourceLimitError) -> None:
        """Tell the host once the step has ended; the reply of a call that is just ending says it too."""
        self._limit = limit
        self._loop.call_soon(self._tell_limit, limit, 0)

    def _tell_limit(self, limit: ResourceLimitError, number: int) -> None:
        if not self._has_told:
            self._has_told = True
            self._link.send(b"p%d %s\n%s" % (number, self._monitor.take(), error_text(limit)))
