"""Lets a guest that ran elsewhere go on here: in another process, under another host.

What was under way on the other side is gone with it: nobody waits for the results of the calls that had begun, and
what the guest had asked for and not been given is answered with an error, `HostCallError` ``Interrupted``, since
nobody knows whether it was done. The guest's clock goes on from where it stood, so that its timers keep their distance;
the wall clock is the real one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, IntegrityError, ModuleStateError
from plataforma_sdk.sandbox._registrations import Registrations
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._guest_protocol import Guest
from plataforma_sdk.sandbox.wasm._journal import (
    BEGIN,
    CLOSED,
    END,
    INSTANCE,
    PACKAGE,
    Frame,
    Journal,
    facts_of,
    read_frames,
    reading_frames,
)
from plataforma_sdk.sandbox.wasm._player import Player, make_guest
from plataforma_sdk.sandbox.wasm._recorder import LOAD, OK, PUMP, Begin, End, written
from plataforma_sdk.sandbox.wasm._unfinished import Unfinished
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost
from plataforma_sdk.types import Clock

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["RecordedInstance", "Resumption", "find_live", "resume_from_journal"]

_FIRST_CALL: Final = 1
"""The number of ``@load``."""


class SwitchedHost:
    """The host of a guest, which changes once it is here.

    Args:
        host: the first one.
    """

    def __init__(self, host: InterruptibleHost) -> None:
        self.host = host

    @property
    def clock(self) -> Clock:
        """The present host's."""
        return self.host.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self.host.clock = clock

    @property
    def interrupt(self) -> BaseException | None:
        """The present host's."""
        return self.host.interrupt

    @interrupt.setter
    def interrupt(self, error: BaseException | None) -> None:
        self.host.interrupt = error

    def random_bytes(self, count: int) -> bytes:
        """Ask the present host."""
        return self.host.random_bytes(count)

    def serve_now(self, method: bytes, payload: bytes) -> tuple[bool, bytes]:
        """Ask the present host."""
        return self.host.serve_now(method, payload)


class ResumedClock:
    """A clock whose monotonic time goes on from where the guest's stood.

    Args:
        clock: the host's.
        now: the guest's time.
    """

    def __init__(self, clock: Clock, now: float) -> None:
        self._clock = clock
        self._ahead = now - clock.monotonic()

    def now(self) -> float:
        """The host's wall time."""
        return self._clock.now()

    def monotonic(self) -> float:
        """The guest's time."""
        return self._clock.monotonic() + self._ahead


@attrs.define(eq=False, kw_only=True)
class Resumption:
    """A guest that is ready to go on, and what its new host has to know.

    Attributes:
        by: ``"memory"`` or ``"replay"``.
        guest: the guest, between two pumps.
        switch: where its new host is put in.
        left: what is under way in it.
        registrations: what it had registered, as calls to be made again.
        instance: its number in the journal that it goes on in, where it does.
        begin: lets it run; set by the engine, called when what it had registered is registered again.
    """

    by: str
    guest: Guest
    switch: SwitchedHost
    left: Unfinished
    registrations: list[tuple[str, list[Any]]]
    instance: int = 0
    begin: Callable[[], None] = lambda: None

    def attach(self, host: InterruptibleHost) -> Guest:
        """Give the guest its new host."""
        self.switch.host = host
        return self.guest

    def clock(self, clock: Clock) -> Clock:
        """Return the guest's clock, made of its new host's."""
        return ResumedClock(clock, self.left.now)


@attrs.frozen
class RecordedInstance:
    """One instance of a journal.

    Attributes:
        number: its number there.
        facts: what its INSTANCE frame says.
        archive: its package.
        frames: its calls.
    """

    number: int
    facts: dict[str, Any]
    archive: bytes = attrs.field(repr=False)
    frames: list[Frame] = attrs.field(repr=False)

    def package(self) -> ModulePackage:
        """Read the package.

        Raises:
            IntegrityError: it is damaged, or not the one that was recorded.
        """
        from plataforma_sdk.package import ModulePackage

        package = ModulePackage.from_archive(self.archive)
        if package.digest != self.facts.get("digest") or package.id != self.facts.get("module"):
            raise IntegrityError("The journal carries another package than it names")
        return package

    def copy_to(self, journal: Journal) -> RecordedInstance:
        """Write it to an open journal, to go on there, and return it with its number in that."""
        number = journal.new_instance()
        journal.write(INSTANCE, number, codec.encode(self.facts).encode())
        journal.write(PACKAGE, number, self.archive)
        for frame in self.frames:
            journal.write(frame.kind, number, frame.body)
        return attrs.evolve(self, number=number)


def find_live(source: str | os.PathLike[str] | bytes) -> RecordedInstance:
    """Find the instance of a journal that was alive when the journal ended: the first that was not closed.

    While a module reloads there are two, and the older one serves.

    Raises:
        IntegrityError: the file is no journal.
        ModuleStateError: each instance was closed: the module was unloaded in order.
    """
    found: dict[int, RecordedInstance] = {}
    for frame in read_frames(source):
        number = frame.instance
        if frame.kind == INSTANCE:
            found[number] = RecordedInstance(number, facts_of(frame), b"", [])
        elif frame.kind == PACKAGE and number in found:
            found[number] = attrs.evolve(found[number], archive=frame.body)
        elif frame.kind == CLOSED:
            found.pop(number, None)
        elif frame.kind in (BEGIN, END) and number in found:
            found[number].frames.append(frame)
    if not found:
        raise ModuleStateError(
            "No module was alive at the end of the journal: it was unloaded in order, or its last instance had ended; "
            "load() it"
        )
    return found[min(found)]


async def resume_from_journal(recorded: RecordedInstance, *, max_memory_bytes: int) -> Resumption:
    """Run an instance's journal to its end in a fresh guest, in a thread, and return the guest.

    The guest gets the lower of two memory limits: one that was never reached cannot be noticed.

    Raises:
        StaleRunnerError: the journal is of another runner.
        IntegrityError: the guest did otherwise than the journal says.
        ModuleStateError: the module had not finished loading.
    """
    if recorded.facts.get("is_component"):
        from plataforma_sdk.sandbox.wasm._foreign import compile_foreign

        package = recorded.package()
        data, module = package.files[package.entry_file], package.id
        await asyncio.to_thread(compile_foreign, data, module=module)  # so that `make_guest` finds it done
    else:
        await asyncio.to_thread(compiled_runner)
    kept = Registrations()
    player = Player(recorded.facts, recorded.archive, on_call=_noting(kept))
    host = player.host
    switch = SwitchedHost(host)
    lower = min(max_memory_bytes, int(recorded.facts.get("max_memory_bytes", 0)))
    guest = make_guest({**recorded.facts, "max_memory_bytes": lower}, recorded.archive, switch)
    player.use(guest)
    playing = asyncio.ensure_future(asyncio.to_thread(_play, recorded, player, kept))
    try:
        left = await asyncio.shield(playing)
    except BaseException:
        player.is_stopped = True
        playing.add_done_callback(lambda done: _drop(done, guest))  # not before: its thread may be inside the guest
        raise
    return Resumption(
        by="replay",
        guest=guest,
        switch=switch,
        left=left,
        registrations=kept.calls(),
        instance=recorded.number,
    )


def _drop(done: asyncio.Future[Unfinished], guest: Guest) -> None:
    if not done.cancelled():
        done.exception()  # it was raised already, or nobody waits for it any more
    guest.drop()


def _play(recorded: RecordedInstance, player: Player, kept: Registrations) -> Unfinished:
    left, begin, is_loaded = Unfinished(), None, False
    with reading_frames():
        for frame in recorded.frames:
            if player.is_stopped:
                break
            if frame.kind == BEGIN:
                begin = Begin.read(frame)
            elif begin is not None:
                _play_one(player, begin, End.read(frame))
                is_loaded = is_loaded or begin.export == LOAD
                if begin.export == PUMP:
                    inbox = begin.first.decode()
                    left.read_inbox(inbox)
                    left.read_outbox(player.text.decode())
                    _note_closed(inbox, kept)
                begin = None
    if not is_loaded or left.last_call == 0 or _FIRST_CALL in left.calls:
        raise ModuleStateError(
            f"Module {recorded.facts.get('module')!r} had not finished loading when its journal ended; load() it",
            module=str(recorded.facts.get("module")),
        )
    return left


def _play_one(player: Player, begin: Begin, end: End) -> None:
    played = player.play(begin, end)
    is_same = (
        played.difference is None
        and played.outcome == end.outcome == OK
        and written(played.text) == (end.is_digest, end.text)
        and played.fuel == end.fuel
    )
    if not is_same:
        raise IntegrityError(
            "The journal does not run again to what it holds, so the module's state cannot be had from it: "
            "'plataforma replay' shows the first difference"
        )


def _noting(kept: Registrations) -> Callable[[str, bytes, bool], None]:
    def note(method: str, payload: bytes, is_ok: bool) -> None:
        if is_ok:
            kept.note(method, codec.decode(payload.partition(b" ")[2].decode()))

    return note


def _note_closed(inbox: str, kept: Registrations) -> None:
    """A window that the person closed: the host tells the module by a call."""
    if " @closed " not in inbox:
        return
    for line in inbox.split("\n")[1:]:
        _, _, rest = line.partition(" ")
        if rest.startswith("@closed "):
            try:
                kept.note("windows.close", codec.decode(rest.removeprefix("@closed ")))
            except CodecError as error:
                raise IntegrityError(f"The journal holds a call that is not readable: {error}") from None
