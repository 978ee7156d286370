"""Starting a worker's process, and ending it.

A fresh interpreter: isolated (``-I -S``: no environment, no user's or site's hooks), an empty environment, the root as
working directory, a session of its own, no descriptor of the host's but one end of a socket pair. Where it imports from
is handed over by name: the directories of this library and of the three that the engine needs.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs

from plataforma_sdk.errors import SandboxError

__all__ = ["BOOT", "WorkerProcess", "check_platform", "spawn"]

BOOT: Final = "from plataforma_sdk.sandbox.restricted.process._worker import main; main(descriptor, host)"

_PREAMBLE: Final = "import sys; descriptor, host, *sys.path[:0] = [int(n) for n in sys.argv[1:3]] + sys.argv[3:]; "
_NEEDED: Final = ("plataforma_sdk", "attr", "RestrictedPython", "cachetools")
_LINKER: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What an interpreter may need to find its own shared library; the worker clears it once it runs."""

_END_S: Final = 5.0


def check_platform() -> None:
    """Refuse a platform without process isolation.

    Raises:
        SandboxError: it has no POSIX limits, or no interpreter to start.
    """
    if os.name != "posix" or not hasattr(socket, "AF_UNIX") or importlib.util.find_spec("resource") is None:
        raise SandboxError(
            f"isolation='process' needs POSIX resource limits, which {sys.platform!r} has not; use engine='wasm'"
        )
    if not sys.executable:
        raise SandboxError(
            "isolation='process' starts sys.executable, which this embedded interpreter does not know; "
            "set it to a python of the same version, or use engine='wasm'"
        )


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


def spawn(code: str = BOOT) -> WorkerProcess:
    """Start a worker.

    The kernel kills it when the *thread* that called this ends, so call it on one that lives as long as the worker.

    Args:
        code: what the interpreter runs, given `descriptor` and `host`; tests look out from inside with another one.

    Raises:
        SandboxError: the process could not be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with theirs:
            process = _start(code, theirs.fileno())
    except OSError as error:
        ours.close()
        raise SandboxError(f"A worker could not be started: {error.strerror or error}") from None
    ours.setblocking(False)
    return WorkerProcess(process, ours)


def _start(code: str, descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *_flags(), "-c", _PREAMBLE + code, str(descriptor), str(os.getpid()), *_import_path()],
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


def _import_path() -> list[str]:
    """Directories that hold what a worker imports beside the standard library."""
    found: dict[str, None] = {}
    for name in _NEEDED:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SandboxError(f"{name} is not installed as a package, so a worker cannot import it")
        found[str(Path(next(iter(spec.submodule_search_locations))).absolute().parent)] = None
    return list(found)
