"""What the kernel and the host allow a worker beyond what the engine in it counts; the same figures on both sides."""

from __future__ import annotations

from typing import Final

from plataforma_sdk.sandbox import ResourceLimits

__all__ = ["EXIT_FAULT", "EXIT_MEMORY", "HEADROOM_BYTES", "cpu_allowance_s", "memory_growth"]

HEADROOM_BYTES: Final = 64 << 20
"""For what is not the module's: frames of the largest payload on their way, and the codec's copies of them."""

EXIT_MEMORY: Final = 65
"""Exit status of a worker that had no memory left to answer with."""

EXIT_FAULT: Final = 70
"""Exit status of a worker that failed by a fault of its own."""

_FACTOR: Final = 2
_CPU_GRACE_S: Final = 5


def memory_growth(limits: ResourceLimits) -> int:
    """Bytes that a worker may grow by once it holds a module, on top of its interpreter (about 30 MiB resident).

    Twice the module's account, as the engine's own breaker allows: the account counts objects, the kernel counts pages.
    """
    return limits.max_memory_bytes * _FACTOR + HEADROOM_BYTES


def cpu_allowance_s(limits: ResourceLimits) -> int:
    """Seconds of processor time without a turn of the worker's event loop, after which the kernel ends it."""
    return -(-limits.max_call_ms // 1_000) + _CPU_GRACE_S
