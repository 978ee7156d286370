"""One module inside the guest: loads it, serves the inbox, fills the outbox."""

from __future__ import annotations

import asyncio
import inspect
import random
import sys
from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleLoadError, PlataformaError
from plataforma_sdk.module import ModuleContext, ModuleFramework, ModuleRuntime, find_entry
from plataforma_sdk.sandbox.wasm.guest._finder import BundleFinder
from plataforma_sdk.sandbox.wasm.guest._loop import PumpLoop
from plataforma_sdk.sandbox.wasm.guest._seal import LogStream
from plataforma_sdk.sandbox.wasm.guest._wheels import WheelFinder
from plataforma_sdk.sandbox.wasm.guest._wire import CALL, GuestBridge, Outbox, describe_error, read, write

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
        self.loop.set_exception_handler(self._on_stray_error)
        self.finder = BundleFinder()
        self.wheels = WheelFinder()
        self.outbox = Outbox(self.loop)
        self.bridge = GuestBridge(host_call, refusal, self.outbox)
        self.stdout = LogStream(lambda line: self._log("info", line))
        self.stderr = LogStream(lambda line: self._log("warning", line))
        self._runtime: ModuleRuntime | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._known: Mapping[str, Callable[..., Any]] = {}

    def load(self, bundle: str, config: str) -> str:
        """Make the module.

        Args:
            bundle: ``{"entry": "vendas.py", "class": null, "files": {path: text}}``, and ``"wheels"`` where there are
                any: name -> base64.
            config: ``{"id", "version", "config", "locale", "messages", "max_tree_nodes", "seed", "now"}``.
        """
        files, settings = read(bundle), read(config)
        self.loop.now = settings["now"]
        asyncio._set_running_loop(self.loop)  # noqa: SLF001 - the loop is stepped from outside
        random.seed(settings["seed"])
        sys.argv = [settings["id"]]  # `argparse` takes a program's name from it
        self.finder.add(files["files"])
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
        self._known = self._runtime.known_methods
        self._end_turn()
        return codec.encode({"entry": cls.__name__})

    def pump(self, inbox: str) -> str:
        """Serve the inbox, run until nothing can go on, and return the outbox."""
        loop, lines = self.loop, inbox.split("\n")
        loop.now = float(lines[0])
        for line in lines[1:]:
            self._receive(line)
        if loop.has_work():
            when = loop.step()
            if when is not None:
                self.outbox.lines.append(f"t{when!r}")
        if self.stdout.rest or self.stderr.rest:
            self._end_turn()
        return self.outbox.take()

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
        if kind == "c":
            head, function, payload = line.split(" ", 2)
            self._call(int(head[1:]), function, payload)
            return
        head, _, rest = line.partition(" ")
        number = int(head[1:])
        if kind == "v":
            self.outbox.resolve(number, rest)
        elif kind == "x":
            self.outbox.reject(number, rest)
        elif kind == "k" and number in self._tasks:
            self._tasks[number].cancel()

    def _call(self, number: int, function: str, payload: str) -> None:
        CALL.set(number)  # for this call and the tasks that it makes; the next message sets its own
        try:
            result = self._dispatch(function, payload)
            kind = type(result)
            if kind in _PLAIN or not (kind is CoroutineType or inspect.isawaitable(result)):
                self.outbox.lines.append(f"r{number} {write(result)}")
                return
            task = asyncio.Task(self._serve(number, result), loop=self.loop, **_EAGER)
            if not task.done():
                self._tasks[number] = task
        except BaseException as error:  # noqa: BLE001 - whatever it is, the call ends with it
            self._raise(number, error)

    def _dispatch(self, function: str, payload: str) -> Any:
        method = self._known.get(function)
        if method is not None:  # as the runtime has dispatched it before
            if payload == "[]":
                return method()
            if payload[0] == "[":
                return method(*read(payload))
        if self._runtime is None:
            raise PlataformaError("pump() was called before load()")
        args, kwargs = _arguments(payload)
        return self._runtime.dispatch(function, args, kwargs)

    async def _serve(self, number: int, awaitable: Any) -> None:
        try:
            self.outbox.lines.append(f"r{number} {write(await awaitable)}")
        except BaseException as error:  # noqa: BLE001 - as in `_call`
            self._raise(number, error)
        finally:
            self._tasks.pop(number, None)

    def _raise(self, number: int, error: BaseException) -> None:
        self.outbox.lines.append(f"e{number} {self.describe(error)}")

    def _end_turn(self) -> None:
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
        text = self.describe(error) if error is not None else str(context.get("message", ""))
        try:
            self.bridge.call_now("log", ["error", "a background task failed", {"error": text}])
        except PlataformaError:
            """The output quota is used up."""


def _arguments(payload: str) -> tuple[list[Any], dict[str, Any]]:
    if payload == "[]":
        return [], {}
    value = read(payload)
    return (value, {}) if type(value) is list else (value["args"], value["kwargs"])


def _ignore(_: object) -> None:
    """Take what a callback returns, where nothing is expected."""
