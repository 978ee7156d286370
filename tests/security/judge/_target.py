"""The restricted engine with the attacked host behind it: a payload is run, awaited and let go as an instance does."""

from __future__ import annotations

import ast
import asyncio
import functools
import gc
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.errors import GuestError, PlataformaError, ResourceLimitError
from plataforma_sdk.module import FakeBridge, ModuleContext
from plataforma_sdk.sandbox.restricted._asyncio import AsyncTwin, Tasks
from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._driving import Metered
from plataforma_sdk.sandbox.restricted._faults import INTERRUPTED, Faults
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._gates import Gates
from plataforma_sdk.sandbox.restricted._host_module import RestrictedRuntime, host_function
from plataforma_sdk.sandbox.restricted._names import mangle
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace
from plataforma_sdk.sandbox.restricted._twins import FrameworkTwin
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES
from tests.security.judge._host import Api, Bus

__all__ = ["Target"]

MAX_FUEL: Final = 2_000_000
MAX_STEP_MS: Final = 500.0
"""Ten times what a host grants by default; the engine may overshoot it by what is left to `MAX_SECONDS`."""

MAX_MEMORY: Final = 64 << 20
_MAX_WAIT_S: Final = 0.5
_NOW: Final = ("get", "fail", "collect", "items", "call", "helper_missing")
_UNORDERED: Final = "untyped:a timer at NaN, which delays those of the host"
_FILE: Final = "m.py"


class _RememberingSandbox(Sandbox):
    """Keeps the namespace of a payload that failed: what it defined before is called all the same."""

    payload_namespace: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payload_namespace = {}

    def new_namespace(self, path: str) -> dict[str, Any]:
        made = super().new_namespace(path)
        if path == _FILE:
            self.payload_namespace = made
        return made


class Target:
    """A sandbox with the attacked host in it.

    Attributes:
        leaked: what the payload handed to ``leak``.
        api: the host object.
        base: the class ``ModuleFramework`` that the payload finds defined.
        max_cpu_s: processor time of all phases together, after which the process is killed.
    """

    max_cpu_s: Final = 3

    def __init__(self) -> None:
        self.leaked: list[Any] = []
        self.api = Api()
        self._failures: list[BaseException] = []
        self._sandbox = sandbox = _RememberingSandbox(MAX_MEMORY, libraries=LIBRARIES, module="payload")
        self._meter = meter = sandbox.meter
        self._crossing = Crossing(
            meter.charge, sandbox.iterables.bounded, self._as_host_function, meter.alloc, sandbox.own_decimal
        )
        self._gates = Gates(meter, self._crossing)
        self._faults = Faults(sandbox, "payload")
        self._tasks = Tasks(meter, lambda: _account(is_renewed=True), self._failures.append)
        self._pending: list[Any] = []
        self._libraries()
        self.base = SealedMeta("ModuleFramework", (), _base_members())
        sandbox.classes.export(self.base)
        self._names = self._given()

    def _as_host_function(self, function: Any) -> Callable[..., Any]:
        return host_function(function, self._crossing)

    def _libraries(self) -> None:
        """Offer what an instance offers beside the vetted library: `plataforma_sdk` and `asyncio`."""
        context = ModuleContext(id="payload", version="1.0.0", bridge=FakeBridge(module_id="payload"))
        runtime = RestrictedRuntime(context, self._crossing)
        twin = FrameworkTwin(self._gates, runtime.host, runtime, self._sandbox.classes.export)
        self._sandbox.add_libraries(
            twin.libraries() | {"asyncio": lambda sandbox: AsyncTwin(sandbox, self._tasks).make()}
        )

    def _given(self) -> dict[str, Any]:
        """The names that a payload finds defined; `drive` lets the host await a coroutine afterwards."""
        gates, bus = self._gates, Bus(self.api)
        methods = {name: gates.now(getattr(self.api, name), name) for name in _NOW}
        return {
            "api": namespace("Api", {**methods, "sleep": gates.awaited(self.api.sleep, "sleep")}),
            "bus": namespace("Bus", {name: gates.now(getattr(bus, name), name) for name in _BUS}),
            "leak": SealedFunction(self._leak, "leak"),
            "drive": SealedFunction(self._pending.append, "drive"),
            "ModuleFramework": self.base,
        }

    def _leak(self, *values: Any) -> Any:
        self.leaked.extend(values)
        return values[0] if values else None

    @property
    def given(self) -> tuple[Any, ...]:
        """What the payload may hold of the host's."""
        return tuple(self._names.values())

    # --- what is done with a payload -------------------------------------------------------------------------------

    def phases(self, code: str) -> Iterator[Callable[[], str]]:
        """What is done one after the other: each returns how it ended, and is measured on its own."""
        loop = asyncio.new_event_loop()
        yield lambda: loop.run_until_complete(self._run(code))
        yield lambda: loop.run_until_complete(self._await_all(code))
        yield lambda: loop.run_until_complete(self._let_go())

    async def _run(self, code: str) -> str:
        """Run the text on a metered step, within a running event loop, as an engine loads a module."""
        outer = self._meter.enter(_account())
        try:
            self._sandbox.run_source(code, _FILE, self._names | self._mentioned(code))
        except BaseException as error:
            return self._end(error)
        finally:
            self._meter.leave(outer)
        return "ok"

    def _mentioned(self, code: str) -> dict[str, Any]:
        """Modules that the payload names without importing them: harnesses differ in what they preset."""
        words = set(re.findall(r"\w+", code))
        return {name: self._sandbox.library(name) for name in ({*LIBRARIES, "asyncio"} & words)}

    async def _await_all(self, code: str) -> str:
        """Call what a host calls later: what was handed to `drive`, and async functions that take no arguments."""
        defined = self._sandbox.payload_namespace
        calls = [functools.partial(_itself, coroutine) for coroutine in self._pending]
        calls += [defined[name] for name in _async_functions(code) if name in defined]
        ends = [await self._await(call) for call in calls]
        await asyncio.sleep(0)
        ends += [_UNORDERED] if _has_unordered_timer(asyncio.get_running_loop()) else []
        await self._tasks.close(functools.partial(self._meter.stop, INTERRUPTED))  # as an instance does
        ends += [self._end(error) for error in self._failures]
        return next((end for end in sorted(ends, reverse=True) if end.startswith(("untyped:", "limit:"))), "ok")

    async def _await(self, make: Callable[[], Any]) -> str:
        account = _account()
        try:
            outer = self._meter.enter(account)
            try:
                made = make()
            finally:
                self._meter.leave(outer)
            if inspect.iscoroutine(made):
                async with asyncio.timeout(_MAX_WAIT_S):
                    self._crossing.outward(await Metered(self._meter, account, made))
        except TimeoutError:
            return "ok"  # it waits for something that never comes, which costs nothing
        except BaseException as error:
            return self._end(error)
        return "ok"

    async def _let_go(self) -> str:
        """Drop the instance: what the payload made is finalised, with the meter idle and the loop running."""
        self._sandbox.namespaces.clear()
        self._sandbox.payload_namespace = {}  # not cleared: finalizers find their globals, as they do in a host
        self._pending.clear()
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)  # the loop closes asynchronous generators in tasks of its own
        gc.collect()
        return "ok"

    def _end(self, error: BaseException) -> str:
        """How the host would be told: the kind of error that `Faults` makes of it."""
        if isinstance(error, MemoryError):
            return "exc:MemoryError"  # whatever the host is told: the account has missed an allocation
        translated = self._faults.translate(error)
        if isinstance(translated, ResourceLimitError):
            return f"limit:{translated.resource}"
        if isinstance(translated, GuestError):
            return f"exc:{translated.type_name}"
        if isinstance(translated, PlataformaError) and isinstance(error, Exception):
            return f"exc:{type(translated).__name__}"
        return f"untyped:{type(error).__name__}"


_BUS: Final = ("on", "emit", "emit_pickled")


def _has_unordered_timer(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a timer stands at NaN: a heap with one is out of order, and the timers of the whole host come late."""
    return any(timer.when() != timer.when() for timer in getattr(loop, "_scheduled", ()))


def _itself(value: Any) -> Any:
    return value


def _account(*, is_renewed: bool = False) -> Account:
    return Account(MAX_FUEL, MAX_FUEL, MAX_STEP_MS, is_renewed=is_renewed)


def _base_members() -> dict[str, Any]:
    return {"on_load": lambda self: None, "name_prop": property(lambda self: 1), "__module__": "plataforma_sdk"}


def _async_functions(code: str) -> list[str]:
    """Names, as the policy mangles them, of the coroutine functions without required arguments at top level."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [mangle(node.name) for node in body if isinstance(node, ast.AsyncFunctionDef) and _takes_nothing(node)]


def _takes_nothing(node: ast.AsyncFunctionDef) -> bool:
    given = node.args
    positional = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return positional == 0 and all(default is not None for default in given.kw_defaults)
