"""What a worker gives up before it sees what it is not to trust. Runs inside it; the limits are the kernel's.

Descriptors: its socket and what an event loop needs, and a few to spare, since time zones are files. No file may grow,
no core is written, no process is made (root is exempt from that one: do not run hosts as root). No privilege can be
gained, the worker dies with its host, and another process of the same user cannot attach to it; these three on Linux.

Tried and rejected: ``preexec_fn`` of `subprocess`, which runs Python between fork and exec and deadlocks with threads.
Source: setrlimit(2), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from typing import Final

__all__ = [
    "SPARE_DESCRIPTORS",
    "bound_cpu",
    "bound_data",
    "bound_memory",
    "confine",
    "forbid_processes",
    "seal_descriptors",
    "take_socket",
]

SPARE_DESCRIPTORS: Final = 8
"""Files that a worker may open beside what it holds when it is ready."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_ORPHANED: Final = 71
_MAPPED: Final = 0
_DATA: Final = 5
"""Columns of /proc/self/statm, see proc(5)."""


def take_socket(number: int) -> socket.socket:
    """Move the one inherited descriptor to the lowest free number, and take it."""
    low = os.dup(number)
    os.close(number)
    return socket.socket(fileno=low)


def confine(host: int) -> None:
    """Give up what no worker needs; `host` is the process id of the host, which must still be the parent."""
    os.umask(0o777)
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE"):
        _limit(name, 0)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != host:  # it ended before the signal was set
        os._exit(_ORPHANED)


def forbid_processes() -> None:
    """Allow no further process and no further thread; call it once the threads that the work needs have started."""
    _limit("NPROC", 0)


def seal_descriptors(spare: int = SPARE_DESCRIPTORS) -> None:
    """Allow no more descriptors than are open, and `spare`; with none to spare, no file and no connection is opened."""
    probe = os.open("/", os.O_RDONLY | os.O_CLOEXEC)  # the lowest free number: all below it are in use
    os.close(probe)
    _limit("NOFILE", probe + spare)


def bound_memory(growth_bytes: int) -> None:
    """Allow `growth_bytes` of address space beyond what is mapped now; call it before the descriptors are sealed."""
    if pages := _pages():
        _limit("AS", pages[_MAPPED] * resource.getpagesize() + growth_bytes)


def bound_data(growth_bytes: int) -> None:
    """Allow `growth_bytes` of writable memory beyond what there is now; call it before the descriptors are sealed.

    For those who reserve all their address space first and fill it later, as JavaScript engines do. Not beside
    `bound_memory`: Linux lets one large part of what was reserved be made writable where it would exceed both limits.
    """
    if pages := _pages():
        _limit("DATA", pages[_DATA] * resource.getpagesize() + growth_bytes)


def bound_cpu(seconds: int) -> None:
    """Allow `seconds` of processor time from now; then SIGXCPU ends the worker. The next call moves the bound on."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time()) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _pages() -> list[int]:
    """Pages of this process, by kind; nothing where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no need of pathlib here
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def _limit(name: str, value: int) -> None:
    """Lower a limit, hard and soft; one that the system does not know stays."""
    number = getattr(resource, f"RLIMIT_{name}", None)
    if number is None:
        return
    _, hard = resource.getrlimit(number)
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(number, (lowest, lowest))
