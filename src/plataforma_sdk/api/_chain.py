"""Where a call stands in a chain of endpoint calls: how deep, and until when the first caller waits.

The chain travels in a context variable. A task that is started to serve a module inherits it, as asyncio copies the
context; an engine that keeps a pump task of its own has to carry the caller's context over, or the chain begins anew.
`EndpointTable` bounds the calls in flight as well, which needs no chain.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import attrs

__all__ = ["CallChain", "current_chain", "use_chain"]


@attrs.frozen
class CallChain:
    """One position in a chain.

    Attributes:
        depth: number of endpoint handlers that wait for this call.
        deadline: time of the event loop's clock at which the first caller gives up; None for never.
    """

    depth: int = 0
    deadline: float | None = None


_current: ContextVar[CallChain | None] = ContextVar("plataforma_call_chain", default=None)
_START = CallChain()


def current_chain() -> CallChain:
    """Return the chain of the running task."""
    return _current.get() or _START


@contextlib.contextmanager
def use_chain(chain: CallChain) -> Iterator[None]:
    """Let `chain` be the current one within the ``with`` block."""
    token = _current.set(chain)
    try:
        yield
    finally:
        _current.reset(token)
