"""What ended a guest, as an error of ours.

wasmtime's C API reports a trap as text, without a code, so it is classified by its wording; `tests` holds each wording
against the installed version.
"""

from __future__ import annotations

from typing import Final

from plataforma_sdk.errors import ResourceLimitError, SandboxCrashedError, SandboxError
from plataforma_sdk.sandbox._limits import ResourceLimits

__all__ = ["DEFAULT_FUEL", "limit_error", "trap_error"]

DEFAULT_FUEL: Final = 20_000_000_000
"""Fuel of one call where `max_fuel` is None: WebAssembly instructions, some 10 s of pure computing."""

_MAX_REASON_CHARS: Final = 300
_FUEL: Final = "all fuel consumed"
_STACK: Final = "call stack exhausted"
_MEMORY: Final = ("exceeds memory limits", "memory minimum size")


def trap_error(text: str, *, module: str, limits: ResourceLimits) -> SandboxError:
    """Classify what wasmtime said when a guest ended."""
    if _FUEL in text:
        return limit_error("fuel", module=module, limits=limits)
    if _STACK in text:
        return limit_error("stack", module=module, limits=limits)
    if any(wording in text for wording in _MEMORY):
        return limit_error("memory", module=module, limits=limits)
    reason = text.strip().rsplit("\n", 1)[-1].strip()[:_MAX_REASON_CHARS]
    return SandboxCrashedError(
        f"The sandbox of module {module!r} ended without saying why ({reason}); its instance is of no more use",
        module=module,
    )


def limit_error(resource: str, *, module: str, limits: ResourceLimits, used: float | None = None) -> ResourceLimitError:
    """Write a hard limit with what the limits say about it."""
    fuel = limits.max_fuel or DEFAULT_FUEL
    known: dict[str, tuple[float | None, float | None, str, str | None]] = {
        "fuel": (fuel, fuel, "units", None),
        "memory": (used, limits.max_memory_bytes, "bytes", None),
        "call_time": (used, limits.max_call_ms, "ms", None),
        "step_time": (
            used,
            limits.max_step_ms,
            "ms",
            "await asyncio.sleep(0) inside long loops, or raise 'max_step_ms' under [limits] or in ResourceLimits",
        ),
        "stack": (None, None, "frames", "recurse less deeply: write a loop with a list of what is still to do"),
    }
    spent, limit, unit, advice = known[resource]
    return ResourceLimitError(resource, used=spent, limit=limit, unit=unit, module=module, advice=advice)
