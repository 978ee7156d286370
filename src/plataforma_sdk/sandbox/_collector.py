"""Times the garbage collections that fall into a step, so that the step does not pay for its host's heap.

A collection runs in whichever thread allocates next. A full one walks every object of the process: with a million of
the host's it takes longer than a whole step may, and it would be charged to a module that made ten objects.

Only full collections are forgiven. The young ones walk what was made just now, which in a step is the module's own
work. And of one step only the first `MOST_FORGIVEN`: CPython begins a full collection when a quarter as many objects
have come to stay as there were, so a step that sees a third one makes the garbage itself.

Source: the documentation of `gc.callbacks` and `gc.set_threshold`.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["MOST_FORGIVEN", "forgiven_s", "watch_collections"]

MOST_FORGIVEN: Final = 2
"""Full collections that one step is forgiven."""

_FULL: Final = 2
_KEPT: Final = 16


class _Seen(threading.local):
    """The last full collections in this thread: when each began and how long it took, in processor time."""

    def __init__(self) -> None:
        self.began = 0.0
        self.last: deque[tuple[float, float]] = deque(maxlen=_KEPT)


_SEEN: Final = _Seen()
"""Of the process, not of a sandbox: there is one collector, and it does not say for whom it works."""


def watch_collections() -> None:
    """Begin to time collections; whatever has a step clock calls this once. Costs 1 µs a collection."""
    if _on_collection not in gc.callbacks:
        gc.callbacks.append(_on_collection)


def forgiven_s(since_s: float, until_s: float) -> float:
    """Return the seconds that full collections took in this thread between two moments of its processor time."""
    begun = [seconds for began, seconds in _SEEN.last if since_s <= began < until_s]
    return sum(begun[:MOST_FORGIVEN])


def _on_collection(phase: str, info: Mapping[str, Any]) -> None:
    if info["generation"] < _FULL:
        return
    if phase == "start":
        _SEEN.began = time.thread_time()
    else:
        _SEEN.last.append((_SEEN.began, time.thread_time() - _SEEN.began))
