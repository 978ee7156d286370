"""A guest's memory, written down, and a guest made of it: what makes it differ from a fresh instance, page by page.

Between two pumps all that a guest is lies in its linear memory: the stack is empty, and the globals and tables of the
runner hold what they held when it was instantiated. So a fresh instance of the same runner whose memory is made equal
is the same guest; a coroutine that waits goes on. That is a property of this runner, outside any contract of wasmtime,
as is the place of a memory, which is learnt from the process's map, on Linux. `hibernation_refusal` has tried the
latter in a process of its own before anything here is called; `check_memory_images` proves the former once in each
process.

An image is: size of the memory, number of pages, digest of what follows, the pages' numbers, their contents. Taking
one and writing it back cost 10-40 ms each, during which the loop stands still; packing it, which costs more, may be
done in a thread.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import struct
import threading
import zlib
from array import array
from collections.abc import Iterator
from typing import Final

from plataforma_sdk import codec
from plataforma_sdk.errors import IntegrityError, ResourceLimitError, SandboxError
from plataforma_sdk.sandbox._limits import ResourceLimits
from plataforma_sdk.sandbox.wasm._compiled import compiled_runner
from plataforma_sdk.sandbox.wasm._store import GuestStore
from plataforma_sdk.sandbox.wasm._traps import DEFAULT_FUEL
from plataforma_sdk.sandbox.wasm._wasi import InterruptibleHost
from plataforma_sdk.types import Clock, FakeClock

__all__ = ["IdleHost", "check_memory_images", "guest_of_image", "pack_image", "take_image", "unpack_image"]

_PAGE: Final = 4_096
_WASM_PAGE: Final = 65_536
_HEAD: Final = struct.Struct("<QI32s")
_NOTHING: Final = bytes(_PAGE)
_CHUNK: Final = 256 * _PAGE
_SLACK: Final = 2 * _WASM_PAGE
_MAX_GROWTHS: Final = 64
_LEAST_GROWTH: Final = 8 * _WASM_PAGE
"""Smaller blocks may fit the holes of the heap for long before the memory has to grow."""
_LOCK: Final = threading.Lock()
_CONFIG: Final = (
    '{"id":"scratch","version":"0","config":{},"locale":"en","messages":{},"max_tree_nodes":1,"seed":0,"now":0.0}'
)
_SCRATCH: Final = """
import asyncio
from plataforma_sdk import ModuleFramework

class Scratch(ModuleFramework):
    async def on_load(self):
        self.kept = []
    def render(self):
        pass
    def grow(self, size):
        self.kept.append(bytes(size))
        return len(self.kept)
    async def wait(self, seconds):
        await asyncio.sleep(seconds)
        return [len(block) for block in self.kept]
"""
"""What makes a memory grow; nothing of it is left when an image has been written over it. And what tests images."""


class IdleHost:
    """The host of a guest that nobody uses."""

    def __init__(self) -> None:
        self.clock: Clock = FakeClock()
        self.interrupt: BaseException | None = None

    def random_bytes(self, count: int) -> bytes:
        """Return zeros."""
        return bytes(count)

    def serve_now(self, _method: bytes, _payload: bytes) -> tuple[bool, bytes]:
        """Answer null."""
        return True, b"null"


def take_image(guest: GuestStore) -> bytes:
    """Write down the memory of a guest that is not running.

    Raises:
        SandboxError: there are no images here, see `check_memory_images`.
    """
    check_memory_images()
    return _take(guest)


def guest_of_image(image: bytes, host: InterruptibleHost, limits: ResourceLimits, *, module: str) -> GuestStore:
    """Make a guest whose memory is that of an image of the same runner.

    Raises:
        IntegrityError: the image is damaged.
        ResourceLimitError: the memory is larger than the limits allow.
        SandboxError: there are no images here, see `check_memory_images`.
    """
    check_memory_images()
    return _make(image, host, limits, module)


@functools.cache
def check_memory_images() -> None:
    """Prove, once in each process, that a guest made of an image goes on as the one that it was taken of. 100 ms.

    Raises:
        SandboxError: it does not, or a memory cannot be found here; there are no images then.
    """
    with _LOCK:
        limits = ResourceLimits()
        first = GuestStore(compiled_runner(), IdleHost(), limits, module="self-test")
        second = None
        try:
            _load_scratch(first)
            _pump(first, "0.0", "c1 @load []")
            _pump(first, "0.0", "c2 grow [3000000]", "c3 wait [5]")
            image = _take(first)
            second = _make(image, IdleHost(), limits, "self-test")
            answers = {_pump(guest, "6.0", "c4 grow [1]") for guest in (first, second)}
        finally:
            first.drop()
            if second is not None:
                second.drop()
        if answers != {b"r4 2\nr3 [3000000,1]"}:
            raise SandboxError("A guest made of an image of its memory does not go on as it should on this platform")


def _take(guest: GuestStore) -> bytes:
    size = guest.memory.measure()
    fresh = GuestStore(compiled_runner(), IdleHost(), ResourceLimits(), module="image")
    try:
        pages = array("I")
        contents = []
        for number, (page, was) in enumerate(zip(_pages(guest, size), _pages(fresh, size), strict=True)):
            if page != was:
                pages.append(number)
                contents.append(page)
    finally:
        fresh.drop()
    body = b"".join((pages.tobytes(), *contents))
    return _HEAD.pack(size, len(pages), hashlib.sha256(body).digest()) + body


def pack_image(image: bytes) -> bytes:
    """Compress an image: 1 MB for a small module."""
    return zlib.compress(image, 1)


def unpack_image(packed: bytes, max_memory_bytes: int) -> bytes:
    """Inflate an image, up to what a memory of this size could need.

    Raises:
        IntegrityError: it is damaged, or larger.
    """
    most = _HEAD.size + max_memory_bytes // _PAGE * (4 + _PAGE)
    inflate = zlib.decompressobj()
    try:
        image = inflate.decompress(packed, most)
    except zlib.error as error:
        raise IntegrityError(f"The memory of the snapshot is damaged: {error}") from None
    if not inflate.eof:
        raise IntegrityError(f"The memory of the snapshot is damaged, or larger than {max_memory_bytes:,} bytes")
    return image


def _make(image: bytes, host: InterruptibleHost, limits: ResourceLimits, module: str) -> GuestStore:
    size, pages = _read(image, limits, module)
    compiled = compiled_runner()
    fresh = GuestStore(compiled, IdleHost(), limits, module=module)
    guest = GuestStore(compiled, host, limits, module=module)
    try:
        _grow(guest, size)
        _write(guest, fresh, pages)
    except BaseException:
        guest.drop()
        raise
    finally:
        fresh.drop()
    return guest


def _read(image: bytes, limits: ResourceLimits, module: str) -> tuple[int, dict[int, bytes]]:
    """Check an image and return the size of the memory and its pages."""
    try:
        size, count, digest = _HEAD.unpack_from(image)
    except struct.error:
        raise IntegrityError("The memory of the snapshot is cut short") from None
    if size > limits.max_memory_bytes:
        raise ResourceLimitError("memory", used=size, limit=limits.max_memory_bytes, unit="bytes", module=module)
    length = count * (4 + _PAGE)
    body = memoryview(image)[_HEAD.size :]
    if len(body) != length or hashlib.sha256(body).digest() != digest:
        raise IntegrityError("The memory of the snapshot is damaged")
    numbers = array("I", bytes(body[: 4 * count]))
    if any(number >= size // _PAGE for number in numbers):
        raise IntegrityError("The memory of the snapshot has pages outside of it")
    starts = range(4 * count, length, _PAGE)
    return size, {number: bytes(body[start : start + _PAGE]) for number, start in zip(numbers, starts, strict=True)}


def _grow(guest: GuestStore, size: int) -> None:
    """Let the guest itself make its memory as large as the image's, or a little larger; only it can."""
    if guest.memory.measure() >= size:
        return
    _load_scratch(guest)
    _pump(guest, "0.0", "c1 @load []")
    for number in range(2, _MAX_GROWTHS):
        missing = size - guest.memory.measure()
        if missing <= 0:
            return
        _pump(guest, "0.0", f"c{number} grow [{max(missing - _SLACK, _LEAST_GROWTH)}]")
    raise SandboxError("The memory of a new guest does not grow to the size of the snapshot's")


def _write(guest: GuestStore, fresh: GuestStore, pages: dict[int, bytes]) -> None:
    """Make each page what the image says, and each that it leaves out what a fresh instance holds."""
    size, base = guest.memory.measure(), _base(guest)
    for number, (page, was) in enumerate(zip(_pages(guest, size), _pages(fresh, size), strict=True)):
        wanted = pages.get(number, was)
        if page != wanted:
            ctypes.memmove(base + number * _PAGE, wanted, _PAGE)


def _pages(guest: GuestStore, size: int) -> Iterator[bytes]:
    """Read a memory page by page up to a size; what lies beyond its end is zeros."""
    base, end = _base(guest), min(guest.memory.measure(), size)
    for start in range(0, end, _CHUNK):
        chunk = ctypes.string_at(base + start, min(_CHUNK, end - start))
        for at in range(0, len(chunk), _PAGE):
            yield chunk[at : at + _PAGE]
    for _ in range(end, size, _PAGE):
        yield _NOTHING


def _base(guest: GuestStore) -> int:
    base = guest.memory.base
    if not base:
        raise SandboxError("A guest's memory cannot be found on this platform: memory snapshots are for Linux")
    return base


def _load_scratch(guest: GuestStore) -> None:
    files = {"entry": "scratch.py", "class": None, "files": {"scratch.py": _SCRATCH}}
    guest.begin(guest.load, DEFAULT_FUEL, codec.encode(files).encode(), _CONFIG.encode())
    _finish(guest)


def _pump(guest: GuestStore, *lines: str) -> bytes:
    guest.begin(guest.pump, DEFAULT_FUEL, "\n".join(lines).encode())
    return _finish(guest)


def _finish(guest: GuestStore) -> bytes:
    while not guest.poll():
        pass
    is_ok, text = guest.end()
    if not is_ok:
        raise SandboxError(f"A scratch module failed: {text[:200]!r}")
    return text
