"""Runs payloads, each in a forked process of its own, two at a time, and says how each ended."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from tests.security.judge._corpus import Payload
from tests.security.judge._danger import dangerous
from tests.security.judge._host import HostState
from tests.security.judge._target import Target

__all__ = ["Verdict", "judge", "judge_all"]

MAX_SECONDS: Final = 1.6
MAX_PEAK_MB: Final = 400
_PATIENCE_S: Final = 120.0  # of a loaded machine; what counts is processor time
_ADDRESS_SPACE: Final = 1 << 30
"""Bytes that a payload may map beside what the process has; more than `MAX_PEAK_MB`, and an end to bombs."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@attrs.frozen
class Verdict:
    """How a payload ended.

    Attributes:
        end: ``"ok"``, ``"exc:Type"``, ``"limit:resource"``, ``"untyped:Type"`` or ``"killed"``.
        problem: what got through, or None.
        seconds: processor time of its longest phase.
        peak_mb: memory above what the process began with.
    """

    end: str
    problem: str | None = None
    seconds: float = 0.0
    peak_mb: int = 0


def judge(payload: Payload, target: Callable[[], Any] = Target) -> Verdict:
    """Run one payload in a process of its own and say how it ended."""
    ((_, verdict),) = judge_all([payload], target=target)
    return verdict


def judge_all(
    payloads: Iterable[Payload], *, target: Callable[[], Any] = Target, jobs: int = 2
) -> Iterator[tuple[Payload, Verdict]]:
    """Run payloads, `jobs` at a time; each comes with its verdict as soon as it has ended."""
    running: dict[int, _Trial] = {}
    waiting = iter(payloads)
    while True:
        while len(running) < jobs and (payload := next(waiting, None)) is not None:
            trial = _Trial.start(payload, target)
            running[trial.pipe] = trial
        if not running:
            return
        for trial in _ready(running):
            if trial.read():
                del running[trial.pipe]
                yield trial.payload, trial.verdict()


def _ready(running: dict[int, _Trial]) -> list[_Trial]:
    """Trials that have something to say, or whose time is over."""
    left = min(trial.until for trial in running.values()) - time.monotonic()
    pipes, _, _ = select.select(list(running), [], [], max(left, 0.0))
    return [running[pipe] for pipe in pipes] or [trial for trial in running.values() if trial.is_late()]


@attrs.define
class _Trial:
    """A payload at work in its process."""

    payload: Payload
    pid: int
    pipe: int
    until: float
    answer: bytes = b""

    @classmethod
    def start(cls, payload: Payload, target: Callable[[], Any]) -> _Trial:
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a test runner may have threads; the child starts none
            pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(payload, target, writing)
        os.close(writing)
        return cls(payload, pid, reading, time.monotonic() + _PATIENCE_S)

    def is_late(self) -> bool:
        return time.monotonic() >= self.until

    def read(self) -> bool:
        """Read what has come; return whether that was all."""
        part = b"" if self.is_late() else os.read(self.pipe, 65_536)
        self.answer += part
        return not part

    def verdict(self) -> Verdict:
        """Collect the process, by force where it said nothing."""
        os.close(self.pipe)
        if not self.answer:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL if self.is_late() else 0)
        _, status = os.waitpid(self.pid, 0)
        if self.answer:
            return Verdict(**json.loads(self.answer))
        if self.is_late():
            return Verdict("killed", f"hung: no answer within {_PATIENCE_S:.0f} s")
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if number == signal.SIGXCPU:
            return Verdict("killed", f"hung: more than {MAX_SECONDS} s of processor time", MAX_SECONDS)
        how = signal.Signals(number).name if number else f"exit status {os.waitstatus_to_exitcode(status)}"
        return Verdict("killed", f"killed the host: {how}")


# --- in the process of the payload -------------------------------------------------------------------------------


def _child(payload: Payload, make_target: Callable[[], Any], pipe: int) -> None:
    gc.freeze()  # collecting what the runner holds would copy it, on the payload's time
    target = make_target()
    space = _statm()[0] + _ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (target.max_cpu_s, target.max_cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    faulthandler.disable()
    sys.stderr = sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - errors in finalizers are still formatted
    try:
        result = attrs.asdict(_attack(payload, target))
    except BaseException as error:
        result = {"end": "untyped:judge", "problem": f"untyped: the harness failed with {error!r}"[:300]}
    os.write(pipe, json.dumps(result).encode())
    os._exit(0)


def _attack(payload: Payload, target: Any) -> Verdict:
    state = HostState(target.api, target.base, target.given)
    before = _statm()[1] >> 20
    ends: list[str] = []
    seconds = 0.0
    problem: str | None = None
    for phase in target.phases(payload.code):
        began = time.process_time()
        ends.append(phase())
        seconds = max(seconds, time.process_time() - began)
        problem = problem or _leak(target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - before
    end = next((end for end in ends if end.startswith(("untyped:", "limit:"))), ends[0])
    problem = problem or _damage(state) or _excess(payload, end, seconds, peak)
    return Verdict(end, problem, round(seconds, 3), peak)


def _leak(target: Any) -> str | None:
    spared = target.given
    found = next((found for value in target.leaked if (found := dangerous(value, spared=spared))), None)
    return f"leaked {found}" if found else None


def _damage(state: HostState) -> str | None:
    damage = state.damage()
    return f"changed the host: {', '.join(damage)}" if damage else None


def _excess(payload: Payload, end: str, seconds: float, peak_mb: int) -> str | None:
    if end.startswith("untyped:"):
        return f"ended untyped: {end[8:]}"
    if end == "exc:MemoryError" and payload.category == "dos":
        return "ended untyped: MemoryError"
    if peak_mb > MAX_PEAK_MB:
        return f"took {peak_mb} MB"
    if seconds > MAX_SECONDS:
        return f"hung: {seconds:.2f} s of processor time"
    return None


def _statm() -> tuple[int, int]:
    """Bytes mapped, and bytes resident."""
    mapped, resident, *_ = Path("/proc/self/statm").read_text("ascii").split()
    return int(mapped) * _PAGE, int(resident) * _PAGE
