"""Reads what a module is to be restored from: a snapshot, its file, or a journal."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from plataforma_sdk import codec
from plataforma_sdk.errors import CodecError, IntegrityError, SandboxError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime._journals import open_journal
from plataforma_sdk.runtime._snapshot import Snapshot

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.wasm import Journal, Resumption
    from plataforma_sdk.sandbox.wasm._resume import RecordedInstance

__all__ = ["Restoration", "RestoreSource", "read_source"]

RestoreSource: TypeAlias = "Snapshot | str | os.PathLike[str]"


@attrs.define(kw_only=True)
class Restoration:
    """What a module goes on from.

    Attributes:
        by: ``"memory"``, ``"state"`` or ``"replay"``.
        package: what it runs.
        state: what it handed over, where it goes on by state.
        resumption: its guest, where it goes on by memory or replay; made by `prepare`.
    """

    by: str
    package: ModulePackage
    state: Any = None
    resumption: Resumption | None = None
    recorded: RecordedInstance | None = attrs.field(default=None, repr=False)
    captured: Snapshot | None = attrs.field(default=None, repr=False)
    path: Path | None = None

    def open_journal(self, record: str | os.PathLike[str] | Journal | None, tier: str) -> Journal | None:
        """Open the journal to go on in, which then holds the module from its beginning.

        Raises:
            SandboxError: it cannot be written, or this kind of restoration cannot be recorded.
        """
        if record is not None and self.by == "memory":
            raise SandboxError("A module restored from memory cannot be recorded: its journal would lack its beginning")
        journal = open_journal(record, tier)
        if journal is not None and self.recorded is not None:
            is_same = self.path is not None and journal.path.resolve() == self.path.resolve()
            if not is_same:
                self.recorded = self.recorded.copy_to(journal)
        return journal

    async def prepare(self, max_memory_bytes: int) -> None:
        """Bring the guest to where it stood.

        Raises:
            StaleRunnerError: it is another runner's.
            IntegrityError: it does not come to the same.
        """
        if self.recorded is not None:
            from plataforma_sdk.sandbox.wasm._resume import resume_from_journal

            self.resumption = await resume_from_journal(self.recorded, max_memory_bytes=max_memory_bytes)
        elif self.captured is not None:
            self.resumption = await _resume_memory(self.captured, max_memory_bytes)

    def drop(self) -> None:
        """Free the guest: the module is not restored after all."""
        if self.resumption is not None:
            self.resumption.guest.drop()


async def _resume_memory(snapshot: Snapshot, max_memory_bytes: int) -> Resumption:
    from plataforma_sdk.sandbox.wasm._resume_memory import Captured, resume_from_memory

    try:
        registrations = [(str(method), list(args)) for method, args in snapshot.facts["registrations"]]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"The snapshot does not say what was registered: {error}") from None
    captured = Captured(snapshot.content, snapshot.facts)
    resumption = await resume_from_memory(captured, module=snapshot.module, max_memory_bytes=max_memory_bytes)
    resumption.registrations = registrations
    return resumption


async def read_source(source: RestoreSource, *, key: bytes, trusted: bool) -> Restoration:
    """Read a snapshot or a journal.

    Raises:
        IntegrityError: it is neither, it is damaged, or a memory that this host did not write.
    """
    return await asyncio.to_thread(_read, source, key, trusted)


def _read(source: RestoreSource, key: bytes, trusted: bool) -> Restoration:
    if not isinstance(source, Snapshot):
        path = Path(source).expanduser()
        if not path.is_file():
            raise IntegrityError(f"There is no file {path}: give a snapshot, its file, or a journal")
        if _is_journal(path):
            return _from_journal(path, path)
        source = Snapshot.read(path)
    package = ModulePackage.from_archive(source.package)
    if package.digest != source.digest or package.id != source.module:
        raise IntegrityError(f"The snapshot of {source.module!r} carries another package than it names")
    if source.kind == "state":
        return Restoration(by="state", package=package, state=_decoded(source.content))
    if source.kind == "replay":
        return _from_journal(source.content, None)
    if source.kind == "memory":
        if not (trusted or source.is_sealed_by(key)):
            raise IntegrityError(
                f"The memory of {source.module!r} was written down by another host, or changed since: whoever wrote it "
                "decides what the module does. Restore it where its host's state_dir is, or pass trusted=True"
            )
        return Restoration(by="memory", package=package, captured=source)
    raise IntegrityError(f"The snapshot is of a kind that this version does not read: {source.kind!r}")


def _decoded(content: bytes) -> Any:
    try:
        return codec.decode(content.decode())
    except (CodecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"The state in the snapshot is not readable: {error}") from None


def _is_journal(path: Path) -> bool:
    from plataforma_sdk.sandbox.wasm._journal import MAGIC

    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _from_journal(source: Path | bytes, path: Path | None) -> Restoration:
    from plataforma_sdk.sandbox.wasm._resume import find_live

    recorded = find_live(source)
    return Restoration(by="replay", package=recorded.package(), recorded=recorded, path=path)
