"""One module inside the guest: loads it, serves the inbox, fills the outbox."""

from __future__ import annotations

import asyncio
import inspect
import random
import sys
from collections.abc import Callable
from types import CoroutineType
from typing import Any, Final

from plataforma_sdk.codec import encode
from plataforma_sdk.errors import ModuleLoadError, PlataformaError
from plataforma_sdk.module import ModuleContext, ModuleFramework, ModuleRuntime, find_entry
from plataforma_sdk.sandbox.wasm.guest._finder import BundleFinder
from plataforma_sdk.sandbox.wasm.guest._loop import PumpLoop
from plataforma_sdk.sandbox.wasm.guest._seal import LogStream
from plataforma_sdk.sandbox.wasm.guest._wheels import WheelFinder
from plataforma_sdk.sandbox.wasm.guest._wire import CALL, SCAN, GuestBridge, Outbox, describe_error, read, write

__all__ = ["Guest"]

_PLAIN: Final = frozenset({type(None), bool, int, float, str, list, dict, tuple})
"""Results that are certainly no awaitables; asking `inspect` costs more than the call."""

_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class Guest:
    """The runner's state: one loop, at most one module.

    Args:
        host_call: the component's import.
        refusal: what `host_call` raises.
    """

    def __init__(self, host_call: Callable[[str, str], str], refusal: type[Any]) -> None:
        self.loop = PumpLoop(lambda: _ignore(host_call("@step", "")))
        self.loop.on_task_done = self._on_task_done = self._finish
        self.loop.set_exception_handler(self._on_stray_error)
        self.finder = BundleFinder()
        self.wheels = WheelFinder()
        self.outbox = Outbox(self.loop)
        self.bridge = GuestBridge(host_call, refusal, self.outbox)
        self.unfinished: set[LogStream] = set()
        self.stdout = LogStream(lambda line: self._log("info", line), self.unfinished)
        self.stderr = LogStream(lambda line: self._log("warning", line), self.unfinished)
        self._runtime: ModuleRuntime | None = None
        self._methods: dict[str, Callable[..., Any]] = {}
        self._tasks: dict[asyncio.Task[Any], str] = {}

    def load(self, bundle: str, config: str) -> str:
        """Make the module.

        Args:
            bundle: ``{"entry": "vendas.py", "class": null, "files": {path: text}}``, and where there are any
                ``"codes"``, path -> compiled code in base64, and ``"wheels"``, name -> base64.
            config: ``{"id", "version", "config", "locale", "messages", "max_tree_nodes", "seed", "now"}``.
        """
        files, settings = read(bundle), read(config)
        self.loop.now = settings["now"]
        asyncio._set_running_loop(self.loop)  # noqa: SLF001 - the loop is stepped from outside
        random.seed(settings["seed"])
        sys.argv = [settings["id"]]  # `argparse` takes a program's name from it
        self.finder.add(files["files"], files.get("codes"))
        if "wheels" in files:
            self.wheels.add(files["wheels"], module=settings["id"])
        context = ModuleContext(
            id=settings["id"],
            version=settings["version"],
            bridge=self.bridge,
            config=settings["config"],
            locale=settings["locale"],
            messages=settings["messages"],
            max_tree_nodes=settings["max_tree_nodes"],
        )
        self._runtime = ModuleRuntime(context)
        namespace = self._import(files["entry"], context.id)
        cls = find_entry(namespace, ModuleFramework, files["class"], module=context.id)
        self._runtime.start(cls)
        self._end_turn()
        return encode({"entry": cls.__name__})

    def pump(self, inbox: str) -> str:
        """Serve the inbox, run until nothing can go on, and return the outbox."""
        words = inbox.split(None, 3)
        if len(words) == 4 and words[1][0] == "c" and "\n" not in words[3]:  # noqa: PLR2004 - one call, as in most
            self.loop.now = float(words[0])
            self._call(words[1], words[2], words[3])
        else:
            self._receive_all(inbox)
        if self.loop.has_work():
            when = self.loop.step()
            if when is not None:
                self.outbox.lines.append(f"t{when!r}")
        if self.unfinished:
            self._end_turn()
        return self.outbox.take()

    def _receive_all(self, inbox: str) -> None:
        now, *lines = inbox.split("\n")
        self.loop.now = float(now)
        for line in lines:
            if line[0] == "c":
                self._call(*line.split(" ", 2))
            else:
                self._receive(line)

    def describe(self, error: BaseException) -> str:
        """Write an error for the host."""
        return describe_error(error, self.finder.owns)

    def _import(self, entry: str, module: str) -> dict[str, Any]:
        try:
            return vars(self.finder.run(entry))
        except SyntaxError as error:
            where = f"{error.filename}, line {error.lineno}"
            raise ModuleLoadError(f"Module {module!r}: {where}: {error.msg}", module=module) from None

    def _receive(self, line: str) -> None:
        kind = line[0]
        head, _, rest = line.partition(" ")
        number = int(head[1:])
        if kind == "v":
            self.outbox.resolve(number, rest)
        elif kind == "x":
            self.outbox.reject(number, rest)
        elif kind == "k":
            for task in [task for task, call in self._tasks.items() if call == head[1:]]:
                task.cancel()

    def _call(self, head: str, function: str, payload: str) -> None:
        """Serve ``c<n> function payload``; the first step of a coroutine is run here, so most are done at once."""
        number = head[1:]
        CALL.set(number)
        try:
            method = self._methods.get(function) or self._find(function)
            if payload == "[]":
                result = method()
            else:
                value = SCAN(payload, 0)[0] if '"$' not in payload else read(payload)
                result = method(*value) if type(value) is list else method(*value["args"], **value["kwargs"])
            kind = type(result)
            if kind is CoroutineType or (kind not in _PLAIN and inspect.isawaitable(result)):
                task = self._begin(result)
                if not task.done():
                    self._tasks[task] = number
                    task.add_done_callback(self._on_task_done)
                    return
                result = task.result()
            self.outbox.lines.append(f"r{number} {'null' if result is None else encode(result)}")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the call ends with it
            self._raise(number, error)

    def _find(self, function: str) -> Callable[..., Any]:
        if self._runtime is None:
            raise PlataformaError("pump() was called before load()")
        method = self._methods[function] = self._runtime.function(function)
        return method

    def _begin(self, result: Any) -> asyncio.Task[Any]:
        coroutine = result if type(result) is CoroutineType else _wait_for(result)
        return asyncio.Task(coroutine, loop=self.loop, **_EAGER)

    def _finish(self, task: asyncio.Task[Any]) -> None:
        """Answer a call whose task has ended."""
        number = self._tasks.pop(task)
        try:
            self.outbox.lines.append(f"r{number} {write(task.result())}")
        except BaseException as error:  # noqa: BLE001 - as in `_call`
            self._raise(number, error)

    def _raise(self, number: str, error: BaseException) -> None:
        self.outbox.lines.append(f"e{number} {self.describe(error)}")

    def _end_turn(self) -> None:
        """Log what was printed without a line end; it belongs to no call alone."""
        CALL.set("0")
        for stream in (self.stdout, self.stderr):
            try:
                stream.end_turn()
            except PlataformaError:
                """The output quota is used up; the module was told where it printed."""

    def _log(self, level: str, line: str) -> None:
        self.bridge.call_now("log", [level, line.encode("utf-8", "replace").decode(), {}])

    def _on_stray_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what a background task raised and nobody awaited."""
        error = context.get("exception")
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            return  # raised again where the task began, and told there
        text = self.describe(error) if error is not None else str(context.get("message", ""))
        try:
            self.bridge.call_now("log", ["error", "a background task failed", {"error": text}])
        except PlataformaError:
            """The output quota is used up."""


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable


def _ignore(_: object) -> None:
    """Take what a callback returns, where nothing is expected."""
