"""How large a guest's linear memory is, which wasmtime's C API does not tell for components.

On Linux the memory's address is learnt from the process's map when the instance is made: it is the one new copy of the
runner's memory image. After that the size costs one system call: the kernel is asked to copy a byte from just past the
last known end, and refuses while the memory has not grown. Elsewhere the size is unknown, 0; the limit is enforced all
the same, by wasmtime.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from ctypes import addressof, c_size_t, c_ssize_t, c_ulong, c_void_p
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["ImagePart", "LinearMemory"]

_WASM_PAGE: Final = 65_536
_RESERVATION: Final = 4 * 2**30
_MAPS: Final = Path("/proc/self/maps")
_LOCK: Final = threading.Lock()
_MAKING: Final = threading.Lock()
_TAKEN: Final[set[int]] = set()
"""Addresses of the memories that are known to belong to live instances."""

_UNCLEAR: Final[dict[Path, set[int]]] = {}
"""Image -> addresses of memories that appeared at once, so that nobody can tell whose they are."""


class _Span(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


def _reader() -> Any:
    """Return `process_vm_readv`, which reads memory through the kernel's checks, or None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), "process_vm_readv", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, c_void_p, c_ulong, c_void_p, c_ulong, c_ulong]
        function.restype = c_ssize_t
    return function


_READ: Final = _reader()


@attrs.frozen
class ImagePart:
    """The part of a memory that is a private copy of the runner's image.

    Attributes:
        address: where it begins.
        size_bytes: its length.
        offset: where it begins in the file.
        file: device (as the map writes it) and inode of the file.
        path: its path when it was mapped.
    """

    address: int
    size_bytes: int
    offset: int
    file: tuple[bytes, int]
    path: Path


class LinearMemory:
    """The place and size of one guest's memory.

    Attributes:
        base: its address; 0 where it is unknown, or gone.
        size_bytes: as of the last `measure`; 0 where it is unknown.
        image: where the runner's image lies in it, and in which file.
    """

    def __init__(self) -> None:
        self.base = 0
        self.size_bytes = 0
        self.image: ImagePart | None = None
        self._byte = ctypes.create_string_buffer(1)
        self._local = _Span(addressof(self._byte), 1)
        self._remote = _Span(0, 1)

    @contextlib.contextmanager
    def appearing(self, image: Path) -> Iterator[None]:
        """Find the memory of the instance that the block makes; see `locate`. One is made at a time in a process."""
        with _MAKING:
            yield
            self.locate(image)

    @contextlib.contextmanager
    def vanishing(self) -> Iterator[None]:
        """Forget the memory, which the block unmaps: its address is another's to take after that, and not before."""
        base, self.base, self.image = self.base, 0, None
        try:
            yield
        finally:
            with _LOCK:
                _TAKEN.discard(base)

    def locate(self, image: Path) -> None:
        """Find the memory of the instance that was just made.

        Args:
            image: the file that the runner's memory image is mapped from.
        """
        if _READ is None:
            return
        with _LOCK:
            unknown = [memory for memory in _copies_of(image) if memory[0] not in _TAKEN]
            unclear = _UNCLEAR.get(image, set())
            fresh = [memory for memory in unknown if memory[0] not in unclear]
            if len(fresh) != 1 or not self._can_read(fresh[0][0]):
                _UNCLEAR[image] = {memory[0] for memory in unknown}  # the next one is found all the same
                return
            unclear.intersection_update(memory[0] for memory in unknown)
            self.base, self.size_bytes, self.image = fresh[0]
            _TAKEN.add(self.base)

    def forget(self) -> None:
        """Give the address back: the memory is about to be unmapped, see `vanishing`."""
        with self.vanishing():
            pass

    def measure(self) -> int:
        """Look whether the memory has grown and return its size; it never shrinks. One system call, about 1 µs."""
        base = self.base
        if not base or not self._can_read(base + self.size_bytes):
            return self.size_bytes
        known, unknown = self.size_bytes, _RESERVATION
        while unknown - known > _WASM_PAGE:
            middle = (known + unknown) // 2 // _WASM_PAGE * _WASM_PAGE
            if self._can_read(base + middle):
                known = middle
            else:
                unknown = middle
        self.size_bytes = unknown
        return unknown

    def _can_read(self, address: int) -> bool:
        self._remote.base = address
        return bool(_READ(os.getpid(), addressof(self._local), 1, addressof(self._remote), 1, 0) == 1)


def _copies_of(image: Path) -> list[tuple[int, int, ImagePart]]:
    """Return ``(base, accessible bytes, image)`` of each private, writable copy of the image in this process."""
    name = os.fsencode(image)
    lines = _MAPS.read_bytes().splitlines()
    return [
        (*_extent(lines, index), _image_part(line, image))
        for index, line in enumerate(lines)
        if line.endswith(name) and b" rw-p " in line[:80]
    ]


def _image_part(line: bytes, path: Path) -> ImagePart:
    first, last = _span(line)
    _, _, offset, device, inode, *_ = line.split(None, 5)
    return ImagePart(first, last - first, int(offset, 16), (device, int(inode)), path)


def _extent(lines: Sequence[bytes], index: int) -> tuple[int, int]:
    """Widen a mapping by its writable neighbours: the image is one part of the memory."""
    base, end = _span(lines[index])
    before = index - 1
    while before >= 0 and b" rw-p " in lines[before][:80] and _span(lines[before])[1] == base:
        base = _span(lines[before])[0]
        before -= 1
    after = index + 1
    while after < len(lines) and b" rw-p " in lines[after][:80] and _span(lines[after])[0] == end:
        end = _span(lines[after])[1]
        after += 1
    return base, end - base


def _span(line: bytes) -> tuple[int, int]:
    first, _, last = line.partition(b" ")[0].partition(b"-")
    return int(first, 16), int(last, 16)
