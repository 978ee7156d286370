"""Judges what a payload did to the restricted engine: one forked process a payload, so that a crash is a verdict too.

The payload finds a host object behind a capability (`api`), an event bus (`bus`), a base class, vetted modules, and
`leak(x)`, which accepts any object: whatever it is handed is searched for anything of the host's. Run alone:
``python tests/security/restricted_judge.py corpus.json [name ...]``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import select
import signal
import sys
import time
import types
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from plataforma_sdk.sandbox.restricted._crossing import Crossing
from plataforma_sdk.sandbox.restricted._fuel import Account, LimitReached
from plataforma_sdk.sandbox.restricted._gates import Gates
from plataforma_sdk.sandbox.restricted._host_module import host_function
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, SealedMeta, namespace
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

__all__ = ["Payload", "Verdict", "judge", "read_corpus"]

SECRET: Final = "S3CRET-xxxxx"
MAX_FUEL: Final = 2_000_000
MAX_STEP_MS: Final = 1_000.0
MAX_MEMORY: Final = 64 << 20
MAX_SECONDS: Final = 1.6
MAX_PEAK_MB: Final = 400
_PATIENCE_S: Final = 8.0
_CPU_S: Final = 3
_ADDRESS_SPACE: Final = 3 << 30


@attrs.frozen
class Payload:
    """One attack.

    Attributes:
        name: unique in its corpus.
        category: ``"leak"`` or ``"host"`` (it must not reach or change the host), ``"dos"`` (it must end typed, soon).
        source: where it is from.
        code: the module.
    """

    name: str
    category: str
    source: str
    code: str


@attrs.frozen
class Verdict:
    """How a payload ended.

    Attributes:
        end: ``"ok"``, ``"exc:Type"``, ``"limit:resource"`` or ``"killed"``.
        problem: what got through, or None.
        seconds: processor time.
        peak_mb: memory above what the process began with.
    """

    end: str
    problem: str | None = None
    seconds: float = 0.0
    peak_mb: int = 0


def read_corpus(path: Path) -> list[Payload]:
    """Read a corpus: a JSON list of ``{"name", "cat", "ref", "code"}``."""
    rows = json.loads(path.read_text("utf-8"))
    return [Payload(row["name"], row["cat"], row["ref"], row["code"]) for row in rows]


# --- the host that a payload attacks -----------------------------------------------------------------------------


class Holder:
    secret = SECRET


class Api:
    """A host object with everything that hosts are careless about: secrets, aliases, mutable defaults."""

    def __init__(self) -> None:
        self._secret = SECRET
        self.config = {"secret": SECRET}
        self.secret_holder = Holder()
        self._items = [1]
        self.partial = functools.partial(print, SECRET)
        self.ref = weakref.ref(self)

    def get(self, key: Any) -> str:
        if (isinstance(key, str) and key.startswith("pub")) or key != "secret":
            return "public"
        raise PermissionError("denied")

    def fail(self) -> None:
        error = RuntimeError("boom", self)
        error.request = self  # type: ignore[attr-defined]
        raise error

    def collect(self, item: Any, kept: list[Any] = []) -> list[Any]:  # noqa: B006 - the trap
        kept.append(item)
        return kept

    def items(self) -> list[int]:
        return self._items

    def call(self, function: Callable[[int], Any]) -> Any:
        return function(1)

    def helper_missing(self) -> Any:
        return self._nope  # type: ignore[attr-defined]


class BusEvent:
    def __init__(self, sender: Any) -> None:
        self.sender = sender
        self.name = "e"


class Bus:
    def __init__(self, api: Api) -> None:
        self.listeners: list[Any] = []
        self._api = api

    def on(self, _: str, function: Any) -> None:
        self.listeners.append(function)

    def emit(self, _: str) -> None:
        for function in self.listeners:
            function(BusEvent(self))

    def emit_pickled(self, value: Any) -> None:
        import pickle

        pickle.loads(pickle.dumps(value))


_METHODS: Final = ("get", "fail", "collect", "items", "call", "helper_missing")


class Target:
    """A sandbox with the attacked host in it."""

    def __init__(self) -> None:
        self.leaked: list[Any] = []
        self.api = Api()
        self.sandbox = sandbox = Sandbox(MAX_MEMORY, libraries=LIBRARIES)
        crossing = Crossing(
            sandbox.meter.charge,
            sandbox.iterables.bounded,
            lambda function: host_function(function, crossing),
            sandbox.meter.alloc,
        )
        gates = Gates(sandbox.meter, crossing)
        bus = Bus(self.api)
        self.base = SealedMeta("ModuleFramework", (), {"on_load": lambda self: None, "__module__": "plataforma_sdk"})
        sandbox.classes.export(self.base)
        self.names = {
            "api": namespace("Api", {name: gates.now(getattr(self.api, name), name) for name in _METHODS}),
            "bus": namespace(
                "Bus", {name: gates.now(getattr(bus, name), name) for name in ("on", "emit", "emit_pickled")}
            ),
            "leak": SealedFunction(self._leak, "leak"),
            "ModuleFramework": self.base,
        }

    def _leak(self, *values: Any) -> Any:
        self.leaked.extend(values)
        return values[0] if values else None

    def run(self, code: str) -> None:
        """Run a payload on a metered step."""
        meter = self.sandbox.meter
        outer = meter.enter(Account(MAX_FUEL, MAX_FUEL, MAX_STEP_MS))
        try:
            modules = {
                name: self.sandbox.library(name) for name in ("math", "json", "random", "string", "re", "datetime")
            }
            self.sandbox.run_source(code, "m.py", self.names | modules)
        finally:
            meter.leave(outer)

    def damage(self) -> list[str]:
        """What the payload changed of the host."""
        import datetime
        import math

        checks = {
            "config": self.api.config == {"secret": SECRET},
            "items": self.api._items == [1],
            "defaults": "PWNED" not in repr(Api.collect.__defaults__),
            "math": math.floor(1.5) == 1,
            "json": json.dumps([1]) == "[1]" and json.JSONEncoder.item_separator == ", ",
            "datetime": datetime.MINYEAR == 1,
            "base": "PWNED" not in repr(vars(self.base)) and self.base().on_load() is None,
            "api": self.api.get("x") == "public" and "config" in vars(self.api),
            "errors": not hasattr(Exception, "x"),
            "limits": sys.getrecursionlimit() == 1000,
        }
        return [name for name, is_whole in checks.items() if not is_whole]


# --- what must not be reached --------------------------------------------------------------------------------


_OWN: Final = (Api, Bus, Holder, BusEvent, Target)
_MODULES: Final = frozenset({"sandbox", "builtins", "plataforma_sdk"})
_KEYS: Final = frozenset(
    [
        "open",
        "eval",
        "exec",
        "__import__",
        "compile",
        "globals",
        "input",
        "vars",
        "system",
        "exec_module",
        "setattr",
        "getattr",
    ]
)


def dangerous(value: Any, seen: set[int] | None = None, depth: int = 0) -> str | None:
    """Name what is dangerous about an object, as far as a module could use it, or None."""
    seen = set() if seen is None else seen
    if id(value) in seen or depth > 4:
        return None
    seen.add(id(value))
    found = _dangerous_itself(value, depth)
    if found is not None:
        return found
    for item in _inside(value):
        found = dangerous(item, seen, depth + 1)
        if found is not None:
            return found
    return None


def _dangerous_itself(value: Any, depth: int) -> str | None:  # noqa: PLR0911 - one line a danger
    kind = type(value)
    if isinstance(value, str):
        return "secret" if SECRET in value else None
    if isinstance(value, types.ModuleType | types.FrameType | types.CodeType | types.TracebackType):
        return kind.__name__
    if isinstance(value, _OWN):
        return f"host object {kind.__name__}"
    if isinstance(value, type):
        is_host = value in (*_OWN, object, type) or (
            depth == 0 and isinstance(value, type) and value.__module__ not in _MODULES
        )
        return f"class {value.__name__}" if is_host else None
    if isinstance(value, types.MethodType) and isinstance(value.__self__, _OWN):
        return f"bound method of {type(value.__self__).__name__}"
    if isinstance(value, types.BuiltinFunctionType) and value.__name__ in _KEYS:
        return f"builtin {value.__name__}"
    if isinstance(value, types.MappingProxyType) or (isinstance(value, dict) and "__builtins__" in value):
        return kind.__name__
    return None


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        yield from list(value)[:60]
    elif isinstance(value, dict):
        for key, item in list(value.items())[:60]:
            yield key
            yield item
    elif isinstance(value, BaseException):
        yield from value.args
        yield from vars(value).values()


# --- judging -------------------------------------------------------------------------------------------------


def _child(payload: Payload, pipe: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stderr = sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.unraisablehook = lambda _: None
    try:
        result = _attack(payload)
    except BaseException as error:
        result = {"end": "judge", "problem": f"judge: {error!r}"[:200]}
    os.write(pipe, json.dumps(result).encode())
    os._exit(0)


def _attack(payload: Payload) -> dict[str, Any]:
    target = Target()
    before = _rss_mb()
    began = time.process_time()
    end = _run(target, payload)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - before
    problem = next((found for value in target.leaked if (found := dangerous(value))), None)
    damage = target.damage()
    if problem is None and damage:
        problem = f"changed {', '.join(damage)}"
    if problem is None and end.startswith("base:"):
        problem = f"escaped as {end[5:]}"
    if problem is None and end == "exc:MemoryError":
        problem = "an untyped MemoryError"
    if problem is None and seconds > MAX_SECONDS:
        problem = f"took {seconds:.2f} s"
    if problem is None and peak > MAX_PEAK_MB:
        problem = f"took {peak} MB"
    return {"end": end, "problem": problem, "seconds": round(seconds, 3), "peak_mb": peak}


def _run(target: Target, payload: Payload) -> str:
    try:
        target.run(payload.code)
    except LimitReached as limit:
        return f"limit:{limit.resource}"
    except (RecursionError, MemoryError) as error:
        return "limit:stack" if isinstance(error, RecursionError) else "exc:MemoryError"
    except Exception as error:
        return f"exc:{type(error).__name__}"
    except BaseException as error:
        return f"base:{type(error).__name__}"
    tripped = target.sandbox.meter.tripped
    return f"limit:{tripped.resource}" if tripped is not None else "ok"


def _rss_mb() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 >> 20


def judge(payload: Payload) -> Verdict:
    """Run one payload in a process of its own and say how it ended."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a test runner may have threads; the child starts none
        pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(payload, writing)
    os.close(writing)
    answer = _read(reading)
    if not answer:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not answer:
        how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "no answer"
        return Verdict("killed", f"the process was lost: {how}")
    return Verdict(**json.loads(answer))


def _read(pipe: int) -> bytes:
    answer = b""
    until = time.monotonic() + _PATIENCE_S
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([pipe], [], [], left)
        part = os.read(pipe, 65_536) if ready else b""
        if not part:
            break
        answer += part
    os.close(pipe)
    return answer


def main(arguments: Iterable[str]) -> int:
    """Judge a corpus and print what got through."""
    path, *names = arguments
    through = 0
    ends: dict[str, int] = {}
    for payload in read_corpus(Path(path)):
        if names and payload.name not in names:
            continue
        verdict = judge(payload)
        ends[verdict.end] = ends.get(verdict.end, 0) + 1
        if verdict.problem or names:
            through += bool(verdict.problem)
            print(payload.category, payload.name, verdict, flush=True)  # noqa: T201
    print(f"{through} got through; ends: {dict(sorted(ends.items()))}")  # noqa: T201
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
