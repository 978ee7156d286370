"""Takes snapshots of a live module: by memory, by state, or by its journal, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk import codec
from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.runtime._snapshot import KINDS, Snapshot

if TYPE_CHECKING:
    from plataforma_sdk.runtime._live import LiveModule

__all__ = ["take_snapshot"]


class _UnavailableError(Exception):
    """Why a kind of snapshot cannot be had."""


async def take_snapshot(live: LiveModule, kind: str | None) -> Snapshot:
    """Take a snapshot of a kind, or of the first that can be had.

    Raises:
        ValueError: there is no such kind.
        ModuleStateError: the module is not active, or no snapshot can be had; the message says why of each kind.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    if live.state != "active":
        raise ModuleStateError(f"Module {live.id!r} is {live.state}; it cannot be snapshot now", module=live.id)
    reasons = []
    for name in KINDS if kind is None else (kind,):
        try:
            return (await _TAKE[name](live)).sealed(live.setup.seal_key())
        except _UnavailableError as reason:
            reasons.append(f"by {name}: {reason}")
    raise ModuleStateError(f"Module {live.id!r} cannot be snapshot {'; '.join(reasons)}", module=live.id)


async def _by_memory(live: LiveModule) -> Snapshot:
    take = getattr(live.instance, "capture", None)
    if take is None:
        raise _UnavailableError(f"the tier {live.engine.name!r} has no memory of its own")
    try:
        captured = await take()
    except PlataformaError as error:
        raise _UnavailableError(error.message) from None
    # Nothing has run since the memory was read: `take` does not wait after that.
    registered = [[method, args] for method, args in live.registrations()]
    from plataforma_sdk.sandbox.wasm._resume_memory import packed

    captured = await asyncio.to_thread(packed, captured)
    return _make(live, "memory", captured.image, {**captured.facts, "registrations": registered})


async def _by_state(live: LiveModule) -> Snapshot:
    if live.setup.cls is not None:
        raise _UnavailableError("it is a class of the host, which no snapshot carries")
    instance = live.instance
    if instance is None or instance.is_poisoned:
        raise _UnavailableError("its instance has ended")
    try:
        content = codec.encode(await instance.call("@state")).encode()
    except PlataformaError as error:
        raise _UnavailableError(f"its state does not cross ({error.message})") from None
    return _make(live, "state", content)


async def _by_replay(live: LiveModule) -> Snapshot:
    journal = live.setup.journal
    if journal is None:
        raise _UnavailableError("it is not recorded: load it with record=")
    if not journal.is_recording:
        raise _UnavailableError("its journal has reached its size")
    size = journal.size_bytes
    content = (await asyncio.to_thread(journal.path.read_bytes))[:size]
    return _make(live, "replay", content)


def _make(live: LiveModule, kind: str, content: bytes, facts: Mapping[str, Any] | None = None) -> Snapshot:
    package = live.package
    return Snapshot(
        kind=kind,
        module=package.id,
        version=package.version,
        digest=package.digest,
        made=live.parts.clock.now(),
        facts={"tier": live.engine.name, **(facts or {})},
        package=package.to_bytes(),
        content=content,
    )


_TAKE: Final[Mapping[str, Callable[[LiveModule], Awaitable[Snapshot]]]] = {
    "memory": _by_memory,
    "state": _by_state,
    "replay": _by_replay,
}
