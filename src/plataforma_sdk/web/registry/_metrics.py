"""Counters and durations of a service, in Prometheus' text format."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Final

__all__ = ["Counter", "Histogram", "Metrics"]

_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


def _labelled(labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Write labels; their values are names of ours and numbers, which need no escapes."""
    return (
        "{" + ",".join(f'{name}="{value}"' for name, value in zip(labels, values, strict=True)) + "}" if labels else ""
    )


class Counter:
    """A number that grows, or with `kind` ``"gauge"`` falls too, for each combination of labels."""

    def __init__(self, name: str, text: str, *labels: str, kind: str = "counter") -> None:
        self.name = name
        self._head = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
        self._labels = labels
        self._values: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def add(self, *values: str, amount: int = 1) -> None:
        """Count something."""
        self._values[values] = self._values.get(values, 0) + amount

    def write(self) -> Iterator[str]:
        """Yield the lines."""
        yield self._head
        for values, number in self._values.items():
            yield f"{self.name}{_labelled(self._labels, values)} {number}\n"


class Histogram:
    """How many durations stayed below which bounds, for each value of one label."""

    def __init__(self, name: str, text: str, label: str) -> None:
        self.name = name
        self._head = f"# HELP {name} {text}\n# TYPE {name} histogram\n"
        self._label = label
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, value: str, seconds: float) -> None:
        """Count a duration."""
        counts = self._counts.setdefault(value, [0] * (len(_BOUNDS_S) + 1))
        counts[bisect.bisect_left(_BOUNDS_S, seconds)] += 1
        self._sums[value] = self._sums.get(value, 0.0) + seconds

    def write(self) -> Iterator[str]:
        """Yield the lines."""
        yield self._head
        for value, counts in self._counts.items():
            total = 0
            for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), counts, strict=True):
                total += count
                yield f"{self.name}_bucket{_labelled((self._label, 'le'), (value, bound))} {total}\n"
            yield f"{self.name}_sum{_labelled((self._label,), (value,))} {self._sums[value]:.6f}\n"
            yield f"{self.name}_count{_labelled((self._label,), (value,))} {total}\n"


class Metrics:
    """What a service counts. Labels hold names of operations and statuses alone: nobody can make them grow."""

    def __init__(self) -> None:
        prefix = "plataforma_registry"
        self.requests = Counter(f"{prefix}_requests_total", "Requests answered.", "operation", "method", "status")
        self.seconds = Histogram(f"{prefix}_request_seconds", "Time to the end of the answer.", "operation")
        self.under_way = Counter(f"{prefix}_requests_under_way", "Requests being answered.", kind="gauge")
        self.sent = Counter(f"{prefix}_sent_bytes_total", "Bytes of bodies sent.")
        self.received = Counter(f"{prefix}_received_bytes_total", "Bytes of bodies received.")
        self.uploaded = Counter(f"{prefix}_uploads_total", "Blobs received whole.")
        self.published = Counter(f"{prefix}_releases_total", "Releases listed.")
        self.refused_tokens = Counter(f"{prefix}_refused_tokens_total", "Requests without a token that is valid.")
        self.limited = Counter(f"{prefix}_limited_total", "Requests refused because their client sent too many.")

    def write(self) -> str:
        """Return all of them as text."""
        return "".join(line for metric in vars(self).values() for line in metric.write())
