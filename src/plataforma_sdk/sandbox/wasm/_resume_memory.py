"""Takes a guest's memory out of one host and into another."""

from __future__ import annotations

import asyncio
import importlib.metadata
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from plataforma_sdk.errors import IntegrityError, SandboxError, StaleRunnerError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._hibernation import hibernation_refusal
from plataforma_sdk.sandbox.wasm._memory_image import IdleHost, guest_of_image, pack_image, take_image, unpack_image
from plataforma_sdk.sandbox.wasm._player import another_runner
from plataforma_sdk.sandbox.wasm._resume import Resumption, SwitchedHost
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.sandbox.wasm._unfinished import Unfinished

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.wasm._pump import Pump

__all__ = ["Captured", "capture", "packed", "require_images", "resume_from_memory"]

_Number = TypeVar("_Number", int, float)


@attrs.frozen
class Captured:
    """A guest between two pumps.

    Attributes:
        image: its memory, see `_memory_image`; packed where it is written.
        facts: its runner and what is under way in it, plain data.
    """

    image: bytes = attrs.field(repr=False)
    facts: dict[str, Any]


def capture(pump: Pump, limits: ResourceLimits) -> Captured:
    """Write a guest down.

    Raises:
        SandboxError: it is running, it is not the Python runner, or its memory cannot be read here.
    """
    left = pump.unfinished()
    if left is None:
        raise SandboxError("it is computing now: try again when it waits")
    store = getattr(pump.guest, "unrecorded", pump.guest)
    if not isinstance(store, GuestStore):
        raise SandboxError("it runs in threads alone, or is written in another language")
    facts = {
        "runner": compiled_runner().runner.sha256,
        "library": importlib.metadata.version("plataforma-sdk"),
        "max_memory_bytes": limits.max_memory_bytes,
        "last_call": left.last_call,
        "calls": sorted(left.calls),
        "requests": sorted(left.requests),
        "timer": left.timer,
        "now": left.now,
    }
    return Captured(take_image(store), facts)


async def require_images() -> None:
    """Try in a process of its own, once on a machine, what images rest on: it could crash where it does not hold.

    Raises:
        SandboxError: it does not hold here.
    """
    compiled = await asyncio.to_thread(compiled_runner)
    store = GuestStore(compiled, IdleHost(), ResourceLimits(), module="image")
    try:
        refusal = await asyncio.to_thread(hibernation_refusal, store.memory)
    finally:
        store.drop()
    if refusal is not None:
        raise SandboxError(f"A guest's memory cannot be written down here: {refusal}")


def packed(captured: Captured) -> Captured:
    """Return it with its memory packed, to be written; to be called in a thread."""
    return attrs.evolve(captured, image=pack_image(captured.image))


async def resume_from_memory(captured: Captured, *, module: str, max_memory_bytes: int) -> Resumption:
    """Make a guest of what `capture` and `packed` wrote.

    Raises:
        StaleRunnerError: it is of another runner.
        IntegrityError: it is damaged.
        ResourceLimitError: it is larger than it may be here.
        SandboxError: there are no memory snapshots here.
    """
    await require_images()
    compiled = compiled_runner()
    facts = captured.facts
    if facts.get("runner") != compiled.runner.sha256:
        raise StaleRunnerError(another_runner({**facts, "module": module}, compiled.runner.sha256), module=module)
    left = _left(facts)
    switch = SwitchedHost(IdleHost())
    limits = ResourceLimits(max_memory_bytes=max_memory_bytes)
    image = await asyncio.to_thread(unpack_image, captured.image, max_memory_bytes)
    guest = guest_of_image(image, switch, limits, module=module)
    return Resumption(by="memory", guest=guest, switch=switch, left=left, registrations=[])


def _left(facts: dict[str, Any]) -> Unfinished:
    try:
        timer = facts["timer"]
        return Unfinished(
            last_call=_plain(facts["last_call"], int),
            calls={_plain(number, int) for number in facts["calls"]},
            requests={_plain(number, int) for number in facts["requests"]},
            timer=None if timer is None else _plain(timer, float),
            now=_plain(facts["now"], float),
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"The snapshot does not say what was under way: {error}") from None


def _plain(value: Any, kind: type[_Number]) -> _Number:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
