"""The meters of one module: engines and the proxy count here, hosts read `usage`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import QuotaExceededError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.types import Clock, SystemClock

__all__ = ["ResourceMonitor", "ResourceUsage"]

_MINUTE_S: Final = 60.0
_SCALARS: Final = frozenset({type(None), bool, float})
_SHORT_BYTES: Final = 4_096


@attrs.frozen(kw_only=True)
class ResourceUsage:
    """What a module has used since it was loaded, and what it may use.

    Attributes:
        cpu_ms: processor time inside the module.
        fuel: work in the engine's units; 0 under `trusted`, which does not meter.
        memory_bytes: memory now; 0 under `trusted`.
        memory_peak_bytes: the most it held.
        host_calls: calls into the host.
        network_requests: API calls made.
        storage_bytes: bytes in the module's storage now.
        output_bytes: text printed and logged.
        limits: the limits in force.
    """

    cpu_ms: float = 0.0
    fuel: int = 0
    memory_bytes: int = 0
    memory_peak_bytes: int = 0
    host_calls: int = 0
    network_requests: int = 0
    storage_bytes: int = 0
    output_bytes: int = 0
    limits: ResourceLimits = attrs.field(factory=ResourceLimits, repr=False)

    def __str__(self) -> str:
        limits = self.limits
        rows = (
            ("cpu", f"{self.cpu_ms:,.1f} ms", f"{limits.max_step_ms:,} ms a step"),
            ("fuel", f"{self.fuel:,}", f"{limits.max_fuel:,} a call" if limits.max_fuel else "engine default"),
            ("memory", f"{self.memory_bytes:,} B, peak {self.memory_peak_bytes:,} B", f"{limits.max_memory_bytes:,} B"),
            ("host calls", f"{self.host_calls:,}", f"{limits.max_host_calls_per_s:,}/s"),
            ("network", f"{self.network_requests:,}", f"{limits.max_network_requests_per_min:,}/min"),
            ("storage", f"{self.storage_bytes:,} B", f"{limits.max_storage_bytes:,} B"),
            ("output", f"{self.output_bytes:,} B", f"{limits.max_output_bytes:,} B a call"),
        )
        return "\n".join(f"{name:<11}{used:<34}of {limit}" for name, used, limit in rows)


class ResourceMonitor:
    """Counts what one module uses and refuses what passes a soft limit.

    The rate windows slide: a limit of 600 a minute holds for *any* 60 s, not for each calendar minute.

    Attributes:
        limits: the limits in force.
        module: id of the module.
        on_exceeded: told the name of each soft limit that is passed.
        pending: tells the milliseconds and the fuel that are used and not counted yet, for an engine that counts when a
            call has ended; changes nothing.

    >>> monitor = ResourceMonitor(ResourceLimits(max_host_calls_per_s=2), module="vendas")
    >>> monitor.count_host_call(); monitor.count_host_call()
    >>> monitor.usage.host_calls
    2
    """

    def __init__(
        self, limits: ResourceLimits | None = None, *, module: str | None = None, clock: Clock | None = None
    ) -> None:
        self.limits = limits or ResourceLimits()
        self.module = module
        self._clock = clock or SystemClock()
        self._cpu_ms = 0.0
        self._fuel = 0
        self._memory = 0
        self._peak = 0
        self._host_calls = 0
        self._network = 0
        self._storage = 0
        self._output = 0
        self._output_of_call = 0
        self._bucket = float(self.limits.max_host_calls_per_s)
        self._refilled_at = self._clock.monotonic()
        self._requests: deque[float] = deque()
        self.on_exceeded: Callable[[str], None] = lambda _: None
        self.pending: Callable[[], tuple[float, int]] = lambda: (0.0, 0)

    @property
    def usage(self) -> ResourceUsage:
        """A snapshot of the meters."""
        cpu_ms, fuel = self.pending()
        return ResourceUsage(
            cpu_ms=self._cpu_ms + cpu_ms,
            fuel=self._fuel + fuel,
            memory_bytes=self._memory,
            memory_peak_bytes=self._peak,
            host_calls=self._host_calls,
            network_requests=self._network,
            storage_bytes=self._storage,
            output_bytes=self._output,
            limits=self.limits,
        )

    def add_cpu(self, ms: float) -> None:
        """Count processor time, in milliseconds."""
        self._cpu_ms += ms

    def add_fuel(self, units: int) -> None:
        """Count work, in the engine's units."""
        self._fuel += units

    def set_memory(self, used_bytes: int) -> None:
        """Record the memory held now; the peak follows."""
        self._memory = used_bytes
        self._peak = max(self._peak, used_bytes)

    def set_storage(self, used_bytes: int) -> None:
        """Record the bytes in the module's storage now."""
        self._storage = used_bytes

    def begin_call(self) -> None:
        """Begin a call into the module: the output quota is counted anew."""
        self._output_of_call = 0

    def count_host_call(self) -> None:
        """Count one call into the host.

        A token bucket that holds one second's worth: O(1) for each call.

        Raises:
            QuotaExceededError: more than `max_host_calls_per_s`.
        """
        rate = self.limits.max_host_calls_per_s
        now = self._clock.monotonic()
        self._bucket = min(rate, self._bucket + (now - self._refilled_at) * rate)
        self._refilled_at = now
        if self._bucket < 1.0:
            raise self._exceeded("host_calls", rate + 1, rate, "calls/s")
        self._bucket -= 1.0
        self._host_calls += 1

    def count_network_request(self) -> None:
        """Count one API call.

        Raises:
            QuotaExceededError: more than `max_network_requests_per_min` within 60 s.
        """
        limit = self.limits.max_network_requests_per_min
        now = self._clock.monotonic()
        recent = self._requests
        while recent and now - recent[0] >= _MINUTE_S:
            recent.popleft()
        if len(recent) >= limit:
            raise self._exceeded("network_requests", len(recent) + 1, limit, "requests/min")
        recent.append(now)
        self._network += 1

    def count_output(self, text_bytes: int) -> None:
        """Count text printed or logged.

        Raises:
            QuotaExceededError: more than `max_output_bytes` in this call.
        """
        limit = self.limits.max_output_bytes
        if self._output_of_call + text_bytes > limit:
            raise self._exceeded("output", self._output_of_call + text_bytes, limit, "bytes")
        self._output_of_call += text_bytes
        self._output += text_bytes

    def check_payload(self, size_bytes: int) -> None:
        """Check the size of one encoded value.

        Raises:
            QuotaExceededError: more than `max_payload_bytes`.
        """
        limit = self.limits.max_payload_bytes
        if size_bytes > limit:
            raise self._exceeded("payload", size_bytes, limit, "bytes")

    def check_values(self, values: Sequence[Any]) -> int:
        """Check the size of values of the codec and return it, or 0 for short scalars, not worth encoding to measure.

        Raises:
            QuotaExceededError: more than `max_payload_bytes`.
        """
        bound = 0
        for value in values:
            if type(value) is str:
                bound += 6 * len(value) + 3  # a control character is six bytes of JSON
            elif type(value) in _SCALARS:
                bound += 32
            else:
                bound = sys.maxsize
        if bound <= min(self.limits.max_payload_bytes, _SHORT_BYTES):
            return 0
        size = sum(len(codec.encode(value).encode()) for value in values)
        self.check_payload(size)
        return size

    def _exceeded(self, resource: str, used: int, limit: int, unit: str) -> QuotaExceededError:
        self.on_exceeded(resource)
        return QuotaExceededError(resource, used=used, limit=limit, unit=unit, module=self.module)
