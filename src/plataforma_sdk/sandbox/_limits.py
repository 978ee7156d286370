"""The limits of one module, each with its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import attrs

__all__ = ["ResourceLimits"]

_MIB: Final = 2**20


def _positive(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None and attribute.default is None:
        return
    if type(value) is not int or value <= 0:
        raise ValueError(f"{attribute.name} is a whole number above 0, not {value!r}")


def _limit(default: int | None) -> Any:
    return attrs.field(default=default, validator=_positive)


@attrs.frozen(kw_only=True)
class ResourceLimits:
    """What one module may use.

    Hard limits end the call and cannot be caught in the module; the names in `SOFT` are raised in it.

    `trusted` enforces `max_call_ms` and the soft limits only: its code is the host's own.

    Attributes:
        max_memory_bytes: memory of the module. In `wasm` its linear memory, about 30 MiB of interpreter included;
            in `restricted` a deterministic account of charged allocations.
        max_fuel: work of one call, in the engine's own units: WebAssembly instructions in `wasm`, loop turns and
            calls in `restricted`. None is the engine's documented default.
        max_call_ms: wall time of one call, host waits included; waiting for a person does not count.
        max_step_ms: processor time of synchronous code between two awaits; loading code is exempt.
        max_network_requests_per_min: API calls in any window of 60 s.
        max_storage_bytes: keys and encoded values in the module's storage.
        max_host_calls_per_s: calls into the host in any window of one second.
        max_payload_bytes: one value that crosses, encoded.
        max_output_bytes: text printed and logged in one call.
        max_tree_nodes: elements of one rendered tree.
        max_cpu_ms_per_s: share of a processor; delays the next slice, never kills. None is no share.

    >>> ResourceLimits(max_call_ms=500).max_memory_bytes
    134217728
    """

    SOFT: ClassVar[frozenset[str]] = frozenset(
        {
            "max_network_requests_per_min",
            "max_storage_bytes",
            "max_host_calls_per_s",
            "max_payload_bytes",
            "max_output_bytes",
            "max_tree_nodes",
        }
    )
    """Names of the limits that a module can meet and go on; a change of theirs holds for an instance that runs."""

    max_memory_bytes: int = _limit(128 * _MIB)
    max_fuel: int | None = _limit(None)
    max_call_ms: int = _limit(10_000)
    max_step_ms: int = _limit(50)
    max_network_requests_per_min: int = _limit(600)
    max_storage_bytes: int = _limit(5 * _MIB)
    max_host_calls_per_s: int = _limit(5_000)
    max_payload_bytes: int = _limit(4 * _MIB)
    max_output_bytes: int = _limit(_MIB)
    max_tree_nodes: int = _limit(20_000)
    max_cpu_ms_per_s: int | None = _limit(None)

    def lowered_by(self, wanted: Mapping[str, int]) -> Self:
        """Apply a manifest's ``[limits]``: a module may ask for less than the host gives, never for more."""
        lower = {}
        for name, value in wanted.items():
            allowed = getattr(self, name)
            lower[name] = value if allowed is None else min(value, allowed)
        return attrs.evolve(self, **lower)

    def with_soft(self, other: ResourceLimits) -> Self:
        """Take over the soft limits of others."""
        return attrs.evolve(self, **{name: getattr(other, name) for name in self.SOFT})
