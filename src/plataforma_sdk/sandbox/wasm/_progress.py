"""Says what takes seconds: to the log, and to a person at a terminal as a bar that moves."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TextIO

__all__ = ["Progress", "announced"]

Progress = Callable[[str, float], AbstractContextManager[None]]
"""``(what is done, seconds that it is expected to take)`` -> a context in which it is done."""

_LOG: Final = logging.getLogger("plataforma_sdk.sandbox.wasm")
_WIDTH: Final = 24
_FRAME_S: Final = 0.2
_CLEAR_LINE: Final = "\r\x1b[K"


@contextmanager
def announced(what: str, expected_s: float) -> Iterator[None]:
    """Log the beginning and the end of some work, and draw a bar meanwhile where standard error is a terminal.

    Args:
        what: "Compiling the guest runner, once".
        expected_s: what the bar takes for the whole.
    """
    _LOG.info("%s, about %.0f s ...", what, expected_s)
    began = time.monotonic()
    bar = _Bar(sys.stderr, what, expected_s) if sys.stderr is not None and sys.stderr.isatty() else None
    try:
        yield
    except BaseException:
        if bar is not None:
            bar.end("failed")
        raise
    took = time.monotonic() - began
    if bar is not None:
        bar.end(f"done in {took:.1f} s")
    _LOG.info("%s: done in %.1f s", what, took)


class _Bar:
    """One line that a thread of its own draws anew, since the work itself holds no Python."""

    def __init__(self, stream: TextIO, what: str, expected_s: float) -> None:
        self._stream = stream
        self._what = what
        self._expected_s = expected_s
        self._has_ended = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._draw, name="plataforma-progress", daemon=True)
        self._thread.start()

    def end(self, outcome: str) -> None:
        """Draw the last line."""
        self._has_ended.set()
        self._thread.join()
        self._write(f"{_CLEAR_LINE}plataforma: {self._what}: {outcome}\n")

    def _draw(self) -> None:
        while True:
            seconds = time.monotonic() - self._began
            done = min(_WIDTH - 1, int(_WIDTH * seconds / self._expected_s))
            bar = "█" * done + "░" * (_WIDTH - done)
            self._write(f"{_CLEAR_LINE}plataforma: {self._what} {bar} {seconds:.0f} of about {self._expected_s:.0f} s")
            if self._has_ended.wait(_FRAME_S):
                return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            """The terminal is gone; the work goes on."""
