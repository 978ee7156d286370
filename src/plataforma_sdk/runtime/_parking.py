"""Parks a module that nothing happens in, where its host has said after how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["IdleParking"]


class IdleParking:
    """Looks now and then whether a module has done anything since the last look; costs a call nothing.

    So a module is parked after one to two times `after_s` of quiet. Belongs to the loop in which it is started.

    Args:
        after_s: seconds of quiet; None never parks.
        work_done: what grows whenever the module's code runs.
        park: parks the module, unless it serves a call, awaits its host or has a timer due within `after_s`.
    """

    def __init__(
        self, after_s: float | None, work_done: Callable[[], float], park: Callable[[float], Awaitable[object]]
    ) -> None:
        self._after_s = after_s
        self._work_done = work_done
        self._park = park
        self._seen: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parking: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._after_s is not None:
            self._timer = asyncio.get_running_loop().call_later(self._after_s, self._look, self._after_s)

    def stop(self) -> None:
        """Look no more; a second call does nothing."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if self._parking is not None:
            self._parking.cancel()

    def _look(self, after_s: float) -> None:
        done = self._work_done()
        if done == self._seen and (self._parking is None or self._parking.done()):
            self._parking = asyncio.ensure_future(self._park(after_s))
        self._seen = done
        self.start()
