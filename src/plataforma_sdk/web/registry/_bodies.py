"""Bodies of requests: read in pieces, within their time, hashed as they arrive."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from starlette.requests import Request

from plataforma_sdk.registry._json import from_json
from plataforma_sdk.registry.backends._blob_files import BlobFiles
from plataforma_sdk.web.registry._answers import Refusal, refused_as
from plataforma_sdk.web.registry._blob_store import off_the_loop

__all__ = ["read_json", "received"]

_MAX_JSON_BYTES: Final = 1 << 18
_BUFFER_BYTES: Final = 1 << 20
_MAX_DIGITS: Final = 18
_SLOWEST_BYTES_PER_S: Final = 16_384
_MADE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


async def read_json(request: Request, fields: set[str], *, timeout_s: float) -> dict[str, Any]:
    """Read a JSON object of exactly these fields, if it is what its Content-Digest says.

    Raises:
        Refusal: it is not, or is too large or too slow.
    """
    data = bytearray()
    async for piece in _pieces(request, timeout_s=timeout_s, max_bytes=_MAX_JSON_BYTES):
        data += piece
    expected = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
    if request.headers.get("content-digest", expected) != expected:
        raise Refusal(400, "the body is not what its Content-Digest says: something on the way has changed it")
    body = refused_as(400, lambda: from_json(bytes(data), what="the body"))
    if not isinstance(body, dict) or body.keys() != fields:
        raise Refusal(400, f"the body is no object of the fields {', '.join(sorted(fields))}, and no others")
    return body


@contextlib.asynccontextmanager
async def received(
    request: Request, files: BlobFiles, digest: str, *, max_bytes: int, timeout_s: float
) -> AsyncIterator[Path]:
    """Receive a blob into a file beside the others, forced to the disk; what is not kept is removed at the end.

    Never more of it is held in memory than a mebibyte, and what the server has read ahead.

    Raises:
        Refusal: it is too large, too slow, cut, or has other bytes than its digest says.
    """
    aside = files.aside()
    try:
        with contextlib.ExitStack() as opened:  # holds the file also where the task is cancelled while it is opened
            file = await off_the_loop(lambda: opened.enter_context(_made(aside)))
            found = await _write(request, file, max_bytes=max_bytes, timeout_s=timeout_s)
        if found != digest:
            raise Refusal(400, f"the bytes sent are {found}, not {digest}: send them again", code="IntegrityError")
        yield aside
    except OSError as error:  # a full disk, most of all
        message = f"the service cannot store this now ({error.strerror}): try again later"
        raise Refusal(503, message, headers={"retry-after": "10"}) from error
    finally:
        await off_the_loop(lambda: aside.unlink(missing_ok=True))


def _made(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, _MADE, 0o600), "wb", buffering=0)


async def _write(request: Request, file: BinaryIO, *, max_bytes: int, timeout_s: float) -> str:
    """Write the body of a request into a file, and return its digest."""
    hashed, buffer = hashlib.sha256(), bytearray()

    def flush() -> None:
        hashed.update(buffer)
        view = memoryview(buffer)
        while view:
            view = view[file.write(view) :]

    async for piece in _pieces(request, timeout_s=timeout_s, max_bytes=max_bytes):
        buffer += piece
        if len(buffer) >= _BUFFER_BYTES:
            await off_the_loop(flush)
            buffer = bytearray()
    await off_the_loop(flush)
    await off_the_loop(lambda: os.fsync(file.fileno()))
    return f"sha256:{hashed.hexdigest()}"


async def _pieces(request: Request, *, timeout_s: float, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body of a request as it arrives."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or len(length) > _MAX_DIGITS:
        raise Refusal(411, "a body needs its Content-Length")
    if int(length) > max_bytes:
        raise Refusal(413, f"{int(length):,} bytes are too many: the service takes up to {max_bytes:,}")
    deadline = asyncio.get_running_loop().time() + timeout_s + int(length) / _SLOWEST_BYTES_PER_S
    more = True
    while more:
        try:
            async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + timeout_s)):
                message = await request.receive()
        except TimeoutError:
            raise Refusal(408, "the body did not arrive in time", headers={"connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the connection was cut before the body had arrived")
        more = message.get("more_body", False)
        yield message.get("body", b"")
