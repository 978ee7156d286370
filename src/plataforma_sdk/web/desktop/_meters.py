"""What the task manager shows of each module: counts, rates between two beats, and a minute of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.web.desktop._launcher import shown_name

if TYPE_CHECKING:
    from plataforma_sdk.runtime import ModuleHandle, ModuleHost, ModuleStats
    from plataforma_sdk.types import Clock

__all__ = ["Meters", "limits_of"]

HISTORY: Final = 60
"""Beats that are kept: a minute of them."""


def _history() -> deque[float]:
    return deque(maxlen=HISTORY)


@attrs.define(eq=False)
class _Track:
    """One module since somebody watches."""

    handle: ModuleHandle
    last: ModuleStats
    read_at: float
    cpu_ms_per_s: float = 0.0
    fuel_per_s: float = 0.0
    calls_per_s: float = 0.0
    cpu: deque[float] = attrs.field(factory=_history)
    memory: deque[float] = attrs.field(factory=_history)
    calls: deque[float] = attrs.field(factory=_history)

    def read(self, now: float) -> None:
        """Take what was counted since the last time."""
        stats, elapsed_s = self.handle.stats, now - self.read_at
        if elapsed_s > 0.0:
            self.cpu_ms_per_s = (stats.usage.cpu_ms - self.last.usage.cpu_ms) / elapsed_s
            self.fuel_per_s = (stats.usage.fuel - self.last.usage.fuel) / elapsed_s
            self.calls_per_s = (stats.calls - self.last.calls) / elapsed_s
            self.cpu.append(round(self.cpu_ms_per_s, 1))
            self.memory.append(stats.usage.memory_bytes)
            self.calls.append(round(self.calls_per_s, 1))
        self.last, self.read_at = stats, now


class Meters:
    """Reads the meters of a host's modules, a beat at a time.

    Args:
        host: whose modules.
        clock: times the beats.
    """

    def __init__(self, host: ModuleHost, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._tracks: dict[str, _Track] = {}

    def read(self) -> None:
        """Read them all; a module that was loaded anew begins anew."""
        now = self._clock.monotonic()
        tracks = {}
        for handle in self._host.modules.values():
            track = self._tracks.get(handle.id)
            if track is None or track.handle is not handle:
                track = _Track(handle, handle.stats, now)
            track.read(now)
            tracks[handle.id] = track
        self._tracks = tracks

    def forget(self) -> None:
        """Keep nothing: nobody watches any more."""
        self._tracks = {}

    def message(self) -> dict[str, Any]:
        """Write what a page is sent: rates and histories of the last beat, and the modules as they are now."""
        modules = [self._shown(handle) for handle in self._host.modules.values()]
        return {"type": "tasks", "at": self._clock.now(), "modules": modules}

    def _shown(self, handle: ModuleHandle) -> dict[str, Any]:
        stats, track = handle.stats, self._tracks.get(handle.id)
        if track is None or track.handle is not handle:
            track = _Track(handle, stats, 0.0)
        usage = stats.usage
        return {
            "id": stats.id,
            "name": shown_name(handle.manifest),
            "version": stats.version,
            "engine": stats.engine,
            "state": stats.state,
            "cpu_ms_per_s": round(track.cpu_ms_per_s, 1),
            "fuel": usage.fuel,
            "fuel_per_s": round(track.fuel_per_s),
            "memory_bytes": usage.memory_bytes,
            "memory_limit": usage.limits.max_memory_bytes,
            "calls": stats.calls,
            "calls_per_s": round(track.calls_per_s, 1),
            "running": stats.running,
            "p95_ms": None if stats.p95_ms is None else round(stats.p95_ms, 2),
            "denials": stats.denials,
            "queue": stats.events.queued,
            "restarts": stats.restarts,
            "failures": sum(stats.failures.values()),
            **limits_of(handle),
            "history": {"cpu": list(track.cpu), "memory": list(track.memory), "calls": list(track.calls)},
        }


def limits_of(handle: ModuleHandle) -> dict[str, Any]:
    """Write the limits of a module: what is to hold, the most that a person may say, and what waits for a restart."""
    limits, in_force = attrs.asdict(handle.limits), attrs.asdict(handle.usage.limits)
    return {
        "limits": limits,
        "limits_most": attrs.asdict(handle.host_limits),
        "limits_pending": [name for name, value in limits.items() if in_force[name] != value],
    }
