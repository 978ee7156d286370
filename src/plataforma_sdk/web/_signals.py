"""A uvicorn server that ends like a program that was asked to."""

from __future__ import annotations

import signal
from types import FrameType

import uvicorn

__all__ = ["SignalledServer"]


class SignalledServer(uvicorn.Server):
    """Ends by itself on a signal: uvicorn would raise it again, and its exit code would be the signal's."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Take a signal; a second Ctrl-C waits for nothing."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
