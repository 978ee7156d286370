"""What is under way in a guest between two pumps, read off the wire."""

from __future__ import annotations

import attrs

__all__ = ["Unfinished"]


@attrs.define
class Unfinished:
    """What is under way in a guest between two pumps.

    Attributes:
        last_call: the highest number of a call.
        calls: numbers of the calls that have not ended.
        requests: numbers of what the guest awaits of its host.
        timer: when it wants to be pumped, in its own time; None for never.
        now: its time, seconds.
    """

    last_call: int = 0
    calls: set[int] = attrs.field(factory=set)
    requests: set[int] = attrs.field(factory=set)
    timer: float | None = None
    now: float = 0.0

    def read_inbox(self, text: str) -> None:
        """Take account of what the host said."""
        now, *lines = text.split("\n")
        self.now = float(now)
        for line in lines:
            kind, number = line[:1], int(line.partition(" ")[0][1:])
            if kind == "c":
                self.calls.add(number)
                self.last_call = max(self.last_call, number)
            elif kind in "vx":
                self.requests.discard(number)

    def read_outbox(self, text: str) -> None:
        """Take account of what the guest said."""
        self.timer = None
        for line in text.split("\n") if text else ():
            kind, head = line[:1], line.partition(" ")[0][1:]
            if kind == "t":
                self.timer = float(head)
            elif kind == "h":
                self.requests.add(int(head))
            elif kind == "d":
                self.requests.discard(int(head))
            else:
                self.calls.discard(int(head))
