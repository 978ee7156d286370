"""Puts an idle guest's memory away: what it changed, compressed, instead of the pages. Linux only.

Away goes the difference between each private page and what it would hold had nobody written it; the pages themselves
are given back to the kernel. Waking writes them again, whole. Where the memory lies is not told by wasmtime, so all of
this rests on facts outside any contract of its: where instances keep their memory, and that nothing else of an instance
changes while it is idle. They are proven once for each wasmtime, kernel and runner, by `hibernation_check`, in a
process of its own: if they do not hold, that process may crash, and this one does not. Until then nothing is put away.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox._private import private_directory, write_aside
from plataforma_sdk.sandbox.wasm._memory import LinearMemory
from plataforma_sdk.sandbox.wasm._pages import PAGE, Run, drop, pristine, private_runs

__all__ = ["SAYS_YES", "Asleep", "assume_possible", "hibernation_refusal", "put_away", "write_back"]

_LEVEL: Final = 1
"""Of zlib: higher ones take twice the time for a tenth less."""

_CHECK: Final = "plataforma_sdk.sandbox.wasm._hibernation_check"
_CHECK_S: Final = 60
SAYS_YES: Final = "hibernation holds"
_LOCK: Final = threading.Lock()


@attrs.define
class Asleep:
    """A memory that was put away.

    Attributes:
        size_bytes: size of the memory; it cannot grow meanwhile.
        runs: the pages that were private.
        changes: their differences from the pristine pages, one run after the other; compressed once `pack` has run.
        is_packed: whether it has.
    """

    size_bytes: int
    runs: list[Run]
    changes: bytes = attrs.field(repr=False)
    is_packed: bool = False

    @property
    def held_bytes(self) -> int:
        """What is kept for it."""
        return len(self.changes)

    def pack(self) -> None:
        """Compress; 20 ms for 4 MB, without the interpreter's lock: call it in a thread."""
        if not self.is_packed:
            self.changes = zlib.compress(self.changes, _LEVEL)
            self.is_packed = True

    def unpacked(self) -> bytes:
        """Return the changes; 10 ms for 4 MB, without the interpreter's lock."""
        return zlib.decompress(self.changes) if self.is_packed else self.changes


def put_away(memory: LinearMemory) -> Asleep:
    """Take the changes out of a memory whose guest is not running, and give its pages back. 3-5 ms for 4 MB.

    Raises:
        OSError: the place of the memory is not known, or the kernel does not tell; nothing has changed then.
    """
    if not memory.base or memory.image is None:
        raise OSError("the place of the guest's memory is not known")
    size = memory.measure()
    runs = private_runs(memory)
    changes = b"".join(
        _xor(ctypes.string_at(memory.base + run.first * PAGE, run.count * PAGE), pristine(memory, run)) for run in runs
    )
    for run in runs:
        drop(memory, run)
    return Asleep(size, runs, changes)


def write_back(memory: LinearMemory, asleep: Asleep, changes: bytes) -> None:
    """Write the pages of a memory again. 2-4 ms for 4 MB.

    Args:
        memory: where to.
        asleep: what `put_away` returned.
        changes: its changes, unpacked.

    Raises:
        OSError: it is not the memory that was put away, or its image is gone.
    """
    if not memory.base or memory.measure() != asleep.size_bytes:
        raise OSError("the guest's memory is not the one that was put away")
    at = 0
    for run in asleep.runs:
        size = run.count * PAGE
        page = _xor(changes[at : at + size], pristine(memory, run))
        ctypes.memmove(memory.base + run.first * PAGE, page, size)
        at += size


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")


# --- whether it holds here --------------------------------------------------------------------------------------------


def assume_possible() -> None:
    """Let `hibernation_refusal` say yes in this process: it is the one that finds out."""
    _refusal.cache_clear()
    _ASSUMED.append(True)


_ASSUMED: Final[list[bool]] = []


def hibernation_refusal(memory: object) -> str | None:
    """Return why memories cannot be put away here, or None where they can.

    The first call on a machine starts a process that tries it, 1-3 s, and remembers that it worked; call it in a
    thread. What failed is tried again by the next process.

    Args:
        memory: one that is to be put away.
    """
    part = memory.image if isinstance(memory, LinearMemory) else None
    if part is None:
        return f"where a guest's memory lies is not known on {platform.system()}"
    with _LOCK:
        return _refusal(part.path)


@functools.cache
def _refusal(artefact: Path) -> str | None:
    if _ASSUMED:
        return None
    if getattr(sys, "frozen", False) or not sys.executable:
        return "there is no interpreter to try it with in another process"
    try:
        passed = private_directory("compiled") / f"hibernation-{_facts(artefact)}.passed"
        if passed.is_file() and not passed.is_symlink():
            return None
        reason = _try_it()
        if reason is None:
            write_aside(passed, b"")
    except (OSError, SandboxError) as error:
        return str(error)
    return reason


def _facts(artefact: Path) -> str:
    """Name what it depends on; the artefact's name tells the runner, the engine's configuration and the processor."""
    facts = (importlib.metadata.version("wasmtime"), platform.release(), str(PAGE), artefact.name)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


def _try_it() -> str | None:
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *(path for path in sys.path if path)])}
    command = [sys.executable, "-c", f"from {_CHECK} import main; main()"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, code of our own
            command, capture_output=True, text=True, timeout=_CHECK_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return f"the trial took more than {_CHECK_S} s"
    if done.returncode == 0 and SAYS_YES in done.stdout:
        return None
    said = (done.stderr or done.stdout).strip().rsplit("\n", 1)[-1][:300]
    return f"the trial ended with exit code {done.returncode}: {said}"
