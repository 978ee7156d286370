"""Plays the journal of one instance into a fresh guest."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, Final

import attrs

from plataforma_sdk.errors import IntegrityError, PlataformaError, StaleRunnerError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._bundle import bundle_of
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._guest_protocol import Guest
from plataforma_sdk.sandbox.wasm._recorder import DROPPED, ERR, LOAD, OK, TRAPPED, Begin, End
from plataforma_sdk.sandbox.wasm._replayed_host import ExactHost, LenientHost, OnCall, ReplayedHost
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost

if TYPE_CHECKING:
    from plataforma_sdk.package import ModulePackage

__all__ = ["Played", "Player", "another_runner", "limits_of", "make_guest"]

_ENDLESS: Final = 2**31


@attrs.frozen
class Played:
    """What one call into the guest came to.

    Attributes:
        outcome: `OK`, `ERR`, `TRAPPED` or `DROPPED`.
        text: the outbox, or the error's message.
        fuel: fuel used.
        error: what ended the guest.
        difference: what the guest asked that the journal does not hold: ``(recorded, done)``.
    """

    outcome: int
    text: bytes
    fuel: int
    error: PlataformaError | None = None
    difference: tuple[str, str] | None = None


class Player:
    """One guest that is run again.

    Args:
        facts: of the journal's INSTANCE frame.
        archive: of its PACKAGE frame.
        package: another version to run in its place.
        on_call: called with each immediate call.

    Attributes:
        notes: what may be in the way of an exact replay.
        text: what the guest said last.
        is_stopped: whether whoever plays in another thread is to stop.
    """

    def __init__(
        self,
        facts: dict[str, Any],
        archive: bytes,
        *,
        package: ModulePackage | None = None,
        on_call: OnCall | None = None,
    ) -> None:
        self.notes: list[str] = []
        self.host: ReplayedHost = ExactHost(on_call) if package is None else LenientHost()
        self._facts = facts
        self._archive = archive
        self._package = package
        self._guest: Guest | None = None
        self.text = b""
        self.is_stopped = False

    @property
    def guest(self) -> Guest:
        """The guest; made at the first call of `prepare`."""
        if self._guest is None:
            raise IntegrityError("The journal ends before its module was loaded")
        return self._guest

    def prepare(self) -> None:
        """Make the guest, unless there is one.

        Raises:
            StaleRunnerError: this installation has another runner than the journal.
        """
        if self._guest is None:
            self._guest = make_guest(self._facts, self._archive, self.host, package=self._package)
            self._note_versions()

    def use(self, guest: Guest) -> None:
        """Play into a guest that was made already, with this player's host."""
        self._guest = guest

    def play(self, begin: Begin, end: End | None) -> Played:
        """Run one export to its end, or as far as the host let it run then."""
        guest, host = self.guest, self.host
        if end is not None and end.events:
            host.feed(end.read_events())
        first = begin.first
        if self._package is not None and begin.export == LOAD:
            first = bundle_of(self._package)
        guest.begin(guest.load if begin.export == LOAD else guest.pump, begin.fuel, first, begin.second)
        slices = end.slices if end is not None and end.outcome == DROPPED and self._package is None else _ENDLESS
        while slices > 0 and not guest.poll():
            slices -= 1
        fuel = begin.fuel - guest.fuel_left()
        if guest.is_busy or slices <= 0:
            return Played(DROPPED, b"", fuel)
        return self._ended(guest, fuel)

    def _ended(self, guest: Guest, fuel: int) -> Played:
        host = self.host
        try:
            is_ok, text = guest.end()
        except PlataformaError as error:
            return Played(TRAPPED, str(error).encode(), fuel, error, host.difference)
        self.text = text
        difference = host.difference
        rest = host.rest() if difference is None else None
        if rest is not None:
            difference = (rest, "did not ask for it")
        return Played(OK if is_ok else ERR, text, fuel, None, difference)

    def close(self) -> None:
        """Free the guest."""
        if self._guest is not None:
            self._guest.drop()

    def _note_versions(self) -> None:
        now, then = importlib.metadata.version("wasmtime"), self._facts.get("wasmtime")
        if now != then:
            self.notes.append(f"recorded with wasmtime {then}, replayed with {now}: fuel may be counted otherwise")


def make_guest(
    facts: dict[str, Any], archive: bytes, host: InterruptibleHost, *, package: ModulePackage | None = None
) -> Guest:
    """Make a fresh guest of the kind that a journal or a snapshot describes. Blocks where it has to compile.

    Raises:
        StaleRunnerError: this installation has another runner.
        IntegrityError: the description or the package is damaged.
    """
    from plataforma_sdk.package import ModulePackage

    try:
        module, runner = str(facts["module"]), str(facts["runner"])
        limits = limits_of(facts)
        is_component = bool(facts["is_component"])
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"The journal does not describe its module: {error}") from None
    if is_component:
        from plataforma_sdk.sandbox.wasm._foreign_engine import foreign_store_maker

        whole = package or ModulePackage.from_archive(archive)
        return foreign_store_maker(whole.files[whole.entry_file], limits, module=module)(host)
    compiled = compiled_runner()
    if package is None and compiled.runner.sha256 != runner:
        raise StaleRunnerError(another_runner(facts, compiled.runner.sha256), module=module)
    return GuestStore(compiled, host, limits, module=module)


def limits_of(facts: dict[str, Any]) -> ResourceLimits:
    """Read the limits that end a guest from within."""
    return ResourceLimits(max_memory_bytes=int(facts["max_memory_bytes"]), max_fuel=facts["max_fuel"])


def another_runner(facts: dict[str, Any], here: str) -> str:
    """Write why a journal or a memory cannot be used here, and what to do."""
    return (
        f"Module {facts.get('module')!r} ran in the guest runner {str(facts.get('runner'))[:16]}..., and this "
        f"installation has {here[:16]}...; only the same can go on from the same state: install plataforma-sdk "
        f"{facts.get('library')} from the wheel that recorded it (plataforma engine info shows a runner's sha256)"
    )
