"""A worker, whatever it is for: what it has given up, seen from inside. More of it: the tests of process isolation."""

from __future__ import annotations

import socket
import sys

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.workers import WorkerPool, spawn

PROBE = """
import os
from plataforma_sdk.workers import *
wire = take_socket(descriptor)
def attempt(name, work):
    try:
        work()
    except (OSError, MemoryError) as error:
        said.append(f"{name}: {type(error).__name__}")
    else:
        said.append(f"{name}: done")
said = []
"""
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def seen_inside(code: str) -> list[str]:
    worker = spawn(f"{PROBE}{code}\nwire.sendall('|'.join(said).encode()); os._exit(0)", ["plataforma_sdk", "attr"])
    try:
        worker.socket.settimeout(15)
        return worker.socket.recv(4_096, socket.MSG_WAITALL).decode().split("|")
    finally:
        worker.discard()


def test_with_no_descriptor_to_spare_nothing_is_opened() -> None:
    assert seen_inside(
        "confine(host); seal_descriptors(0); import socket\n"
        "attempt('file', lambda: open('/')); attempt('connection', socket.socket); attempt('pipe', os.pipe)"
    ) == ["file: OSError", "connection: OSError", "pipe: OSError"]


def test_threads_may_start_until_they_are_forbidden() -> None:
    """A JavaScript engine has threads of its own, which begin when it warms up."""
    code = "confine(host); import resource; {}; said += map(str, resource.getrlimit(resource.RLIMIT_NPROC))"
    assert seen_inside(code.format("forbid_processes()")) == ["0", "0"]
    assert seen_inside(code.format("pass")) != ["0", "0"]


@ONLY_LINUX
@pytest.mark.parametrize("kind", ["fresh", "reserved before"])
def test_memory_is_bounded_also_where_its_addresses_were_reserved(kind: str) -> None:
    """`RLIMIT_AS` does not see memory that is only now made writable. Source: getrlimit(2), RLIMIT_DATA."""
    code = """
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
size, private = 256 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
reserved = libc.mmap(None, size, 0, private, -1, 0)
def fresh():
    if libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, private, -1, 0) in (None, ctypes.c_void_p(-1).value):
        raise MemoryError
def unlocked():
    if libc.mprotect(reserved, size, mmap.PROT_READ | mmap.PROT_WRITE):
        raise MemoryError
bound_data({growth})
attempt('memory', {work})
"""
    work = "fresh" if kind == "fresh" else "unlocked"
    assert seen_inside(code.format(growth=64 << 20, work=work)) == ["memory: MemoryError"]
    assert seen_inside(code.format(growth=512 << 20, work=work)) == ["memory: done"]


def test_a_package_that_is_not_there_is_said() -> None:
    with pytest.raises(SandboxError, match="nowhere is not installed as a package"):
        spawn("pass", ["nowhere"])


def test_a_pool_starts_what_it_is_told_to() -> None:
    started = []

    def start():  # type: ignore[no-untyped-def]
        started.append(spawn("import time; time.sleep(60)", ["plataforma_sdk"]))
        return started[-1]

    with WorkerPool(start, spares=2) as pool:
        assert pool.spares == 2
    assert [worker.is_running for worker in started] == [False, False]
