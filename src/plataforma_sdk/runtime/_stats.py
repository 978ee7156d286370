"""What a host counts, as values."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from plataforma_sdk.events import OwnerStats
from plataforma_sdk.sandbox import ResourceUsage

__all__ = ["HostStats", "ModuleStats"]


@attrs.frozen(kw_only=True)
class ModuleStats:
    """What became of one module since it was loaded, through reloads and replacements.

    Attributes:
        id: the module's id.
        version: its version.
        engine: the tier that it runs in.
        state: loading, active, parked, reloading, failed or unloaded.
        calls: calls that ended, those of events, timers, endpoints and renders included.
        running: calls under way.
        failures: class of the error -> how many calls ended by it; ``CancelledError`` is the caller's own.
        p50_ms: half of the calls took no longer, within 7 %; None where none has ended.
        p95_ms: the same of 95 in a hundred.
        p99_ms: the same of 99 in a hundred.
        denials: things it asked for and was refused.
        prompts: questions that were put to a person on its behalf.
        quotas: soft limit -> how often it ran into it.
        restarts: replacements of its instance after a hard limit or a crash.
        reloads: reloads that took over.
        log_records: records that it wrote, or that were written about it.
        log_records_dropped: those beyond 200 in a second.
        events: what became of the events for it, queue and overflow included.
        events_emitted: events that it emitted.
        usage: cpu, fuel, memory, host calls, network, storage, output, and their limits.
    """

    id: str
    version: str
    engine: str
    state: str
    calls: int
    running: int
    failures: Mapping[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    denials: int
    prompts: int
    quotas: Mapping[str, int]
    restarts: int
    reloads: int
    log_records: int
    log_records_dropped: int
    events: OwnerStats
    events_emitted: int
    usage: ResourceUsage


@attrs.frozen(kw_only=True)
class HostStats:
    """What became of a host's modules; the sums hold those that are unloaded too.

    Attributes:
        subject: the user or tenant.
        modules: id -> the module, of those loaded now.
        loads: modules that were loaded.
        unloads: modules that were unloaded.
        calls: calls that ended.
        failures: class of the error -> how many calls ended by it.
        denials: things that modules asked for and were refused.
        prompts: questions put to a person.
        restarts: replacements of instances.
        memory_bytes: memory of the modules loaded now, as their engines count it.
    """

    subject: str
    modules: Mapping[str, ModuleStats]
    loads: int
    unloads: int
    calls: int
    failures: Mapping[str, int]
    denials: int
    prompts: int
    restarts: int
    memory_bytes: int
