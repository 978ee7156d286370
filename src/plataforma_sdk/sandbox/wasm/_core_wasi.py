"""The part of WASI preview 1 that modules of wasi-libc get: time, randomness, lines for the log, an end.

What stands here links; whatever else a module imports is refused at load, by its name. There are no files, so a
descriptor other than 0, 1 and 2 is a bad one, and reading standard input finds its end.

Source: WASI preview 1, ``wasi_snapshot_preview1.witx``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from plataforma_sdk.sandbox.wasm._core_binding import HostTrapError
from plataforma_sdk.sandbox.wasm._core_guest import CoreGuest

__all__ = ["WASI_FUNCTIONS", "WASI_MODULE", "WasiFunction"]

WASI_MODULE: Final = "wasi_snapshot_preview1"

WasiFunction = Callable[[CoreGuest, Sequence[int]], int]

_OK, _BADF, _DQUOT, _INVAL, _SPIPE = 0, 8, 19, 28, 70
_REALTIME, _MONOTONIC = 0, 1
_NS: Final = 1_000_000_000
_MAX_RANDOM_BYTES: Final = 65_536
_MAX_WRITE_BYTES: Final = 65_536
_MAX_BUFFERS: Final = 64
_CHARACTER_DEVICE: Final = 2
_FDSTAT: Final = struct.Struct("<BxHxxxxQQ")
_PAIR: Final = struct.Struct("<II")
_STANDARD: Final = (0, 1, 2)


def _clock_time(guest: CoreGuest, numbers: Sequence[int]) -> int:
    clock, _precision, position = numbers
    if clock not in (_REALTIME, _MONOTONIC):
        return _INVAL
    seconds = guest.host.clock.now() if clock == _REALTIME else guest.host.clock.monotonic()
    guest.write(position, struct.pack("<Q", max(0, int(seconds * _NS))))
    return _OK


def _clock_resolution(guest: CoreGuest, numbers: Sequence[int]) -> int:
    clock, position = numbers
    if clock not in (_REALTIME, _MONOTONIC):
        return _INVAL
    guest.write(position, struct.pack("<Q", 1))
    return _OK


def _random(guest: CoreGuest, numbers: Sequence[int]) -> int:
    position, size = numbers
    if size > _MAX_RANDOM_BYTES:
        return _INVAL
    guest.write(position, guest.host.random_bytes(size))
    return _OK


def _fd_write(guest: CoreGuest, numbers: Sequence[int]) -> int:
    """Write to the log; at most 64 KiB at once, as the interface allows: the caller asks again for the rest."""
    descriptor, vectors, count, written_at = numbers
    output = guest.outputs.get(descriptor)
    if output is None:
        return _BADF
    data = b""
    for index in range(min(count, _MAX_BUFFERS)):
        position, size = _PAIR.unpack(guest.read(vectors + index * _PAIR.size, _PAIR.size))
        data += guest.read(position, min(size, _MAX_WRITE_BYTES - len(data)))
    guest.write(written_at, struct.pack("<I", len(data)))
    return _OK if output.write(data) else _DQUOT


def _fd_read(guest: CoreGuest, numbers: Sequence[int]) -> int:
    descriptor, _vectors, _count, read_at = numbers
    if descriptor != 0:
        return _BADF
    guest.write(read_at, struct.pack("<I", 0))
    return _OK


def _fd_stat(guest: CoreGuest, numbers: Sequence[int]) -> int:
    descriptor, position = numbers
    if descriptor not in _STANDARD:
        return _BADF
    guest.write(position, _FDSTAT.pack(_CHARACTER_DEVICE, 0, 0, 0))
    return _OK


def _fd_close(_guest: CoreGuest, numbers: Sequence[int]) -> int:
    return _OK if numbers[0] in _STANDARD else _BADF


def _fd_seek(_guest: CoreGuest, numbers: Sequence[int]) -> int:
    return _SPIPE if numbers[0] in _STANDARD else _BADF


def _no_descriptor(_guest: CoreGuest, _numbers: Sequence[int]) -> int:
    return _BADF


def _none_of_them(guest: CoreGuest, numbers: Sequence[int]) -> int:
    """Arguments and environment: none, and no bytes."""
    for position in numbers:
        guest.write(position, struct.pack("<I", 0))
    return _OK


def _nothing(_guest: CoreGuest, _numbers: Sequence[int]) -> int:
    return _OK


def _exit(_guest: CoreGuest, numbers: Sequence[int]) -> int:
    raise HostTrapError(f"it called exit({numbers[0]})")


WASI_FUNCTIONS: Final[dict[str, tuple[str, str, WasiFunction]]] = {
    "args_get": ("ii", "i", _nothing),
    "args_sizes_get": ("ii", "i", _none_of_them),
    "clock_res_get": ("ii", "i", _clock_resolution),
    "clock_time_get": ("iIi", "i", _clock_time),
    "environ_get": ("ii", "i", _nothing),
    "environ_sizes_get": ("ii", "i", _none_of_them),
    "fd_close": ("i", "i", _fd_close),
    "fd_fdstat_get": ("ii", "i", _fd_stat),
    "fd_prestat_dir_name": ("iii", "i", _no_descriptor),
    "fd_prestat_get": ("ii", "i", _no_descriptor),
    "fd_read": ("iiii", "i", _fd_read),
    "fd_seek": ("iIii", "i", _fd_seek),
    "fd_write": ("iiii", "i", _fd_write),
    "proc_exit": ("i", "", _exit),
    "random_get": ("ii", "i", _random),
    "sched_yield": ("", "i", _nothing),
}
"""Name -> parameters, results (``i`` an i32, ``I`` an i64), and what serves it."""
