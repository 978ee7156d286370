"""Starting a worker's process, and ending it.

A fresh interpreter: isolated (``-I -S``: no environment, no user's or site's hooks), an empty environment, the root as
working directory, a session of its own, no descriptor of the host's but one end of a socket pair. Where it imports from
is handed over by name: the directories of the packages that its work needs.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.errors import SandboxError

__all__ = ["WorkerProcess", "has_workers", "spawn"]

_PREAMBLE: Final = "import sys; descriptor, host, *sys.path[:0] = [int(n) for n in sys.argv[1:3]] + sys.argv[3:]; "
_LINKER: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What an interpreter may need to find its own shared library; the worker clears it once it runs."""

_END_S: Final = 5.0


def has_workers() -> bool:
    """Whether this platform has the limits that confine a worker."""
    return os.name == "posix" and hasattr(socket, "AF_UNIX") and importlib.util.find_spec("resource") is not None


@attrs.define(eq=False)
class WorkerProcess:
    """A running worker.

    Attributes:
        process: the process.
        socket: the host's end of the wire.
        owner: process id of the host that started it; a fork of it must leave the worker alone.
    """

    process: subprocess.Popen[bytes]
    socket: socket.socket
    owner: int = attrs.field(factory=os.getpid)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; one that has is reaped by the question."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it now. A worker that was reaped is left alone: its number may be somebody else's."""
        if os.getpid() == self.owner:
            self.process.kill()

    def discard(self) -> None:
        """Kill it, close its socket and reap it; returns within milliseconds, since nothing can hold SIGKILL up."""
        self.socket.close()
        if os.getpid() != self.owner:
            self.process.returncode = -signal.SIGKILL  # the parent's to reap: no warning that it still runs
            return
        self.kill()
        self.process.wait(_END_S)


def spawn(code: str, needed: Iterable[str]) -> WorkerProcess:
    """Start a worker.

    The kernel kills it when the *thread* that called this ends, so call it on one that lives as long as the worker.

    Args:
        code: what the interpreter runs, given `descriptor` and `host`.
        needed: packages that it imports beside the standard library.

    Raises:
        SandboxError: the process could not be started.
    """
    path = _import_path(needed)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with theirs:
            process = _start(code, theirs.fileno(), path)
    except OSError as error:
        ours.close()
        raise SandboxError(f"A worker could not be started: {error.strerror or error}") from None
    ours.setblocking(False)
    return WorkerProcess(process, ours)


def _start(code: str, descriptor: int, path: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *_flags(), "-c", _PREAMBLE + code, str(descriptor), str(os.getpid()), *path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        pass_fds=(descriptor,),
        cwd="/",
        env={name: os.environ[name] for name in _LINKER if name in os.environ},
        start_new_session=True,
    )


def _flags() -> list[str]:
    """Isolated, and bytecode kept where the host keeps it."""
    flags = ["-I", "-S", "-X", "utf8"]
    if sys.dont_write_bytecode:
        flags.append("-B")
    if sys.pycache_prefix is not None:
        flags += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    return flags


def _import_path(needed: Iterable[str]) -> list[str]:
    """Directories that hold the packages that a worker imports."""
    found: dict[str, None] = {}
    for name in needed:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SandboxError(f"{name} is not installed as a package, so a worker cannot import it")
        found[str(Path(next(iter(spec.submodule_search_locations))).absolute().parent)] = None
    return list(found)
