"""Bodies: read within a cap, decompressed within the same cap, decoded to plain data.

**Source:** decompression bombs as in CVE-2025-66471 (urllib3): no step ever inflates more than what is left.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from plataforma_sdk import codec
from plataforma_sdk.api._headers import is_json_type
from plataforma_sdk.api._json import read_json
from plataforma_sdk.api._transport import CODEC_TYPE, TransportResponse
from plataforma_sdk.errors import CodecError, TransportError

__all__ = ["BodyReader", "bounded_body", "decode_body"]

MAX_ERROR_BODY_BYTES: Final = 16_384
_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_TEXT_TYPES: Final = ("application/xml", "application/javascript", "application/x-www-form-urlencoded", "image/svg+xml")


class BodyReader:
    """Collects a body chunk by chunk and never holds more than `limit` bytes.

    >>> reader = BodyReader({}, limit=10)
    >>> reader.feed(b"hello")
    >>> reader.finish()
    b'hello'
    """

    def __init__(self, headers: Mapping[str, str], *, limit: int) -> None:
        """Choose the decoder by ``content-encoding``; an announced length over the limit is refused at once.

        Raises:
            TransportError: the length announced is over `limit`, or the encoding is none of gzip and deflate.
        """
        self._limit = limit
        self._received = 0
        self._parts: list[bytes] = []
        self._size = 0
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > limit:
            raise self._too_large()
        self._inflater = _inflater(headers.get("content-encoding", ""))

    def feed(self, chunk: bytes) -> None:
        """Add a chunk.

        Raises:
            TransportError: the body is over the limit, or is not what its encoding says.
        """
        self._received += len(chunk)
        if self._received > self._limit:
            raise self._too_large()
        if self._inflater is None:
            self._add(chunk)
            return
        try:
            self._inflate(self._inflater, chunk)
        except zlib.error:
            raise TransportError("The answer is not readable: its compression is broken") from None

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            TransportError: a compressed body ends too early.
        """
        if self._inflater is not None and self._received and not self._inflater.eof:
            raise TransportError("The answer is not readable: its compressed body ends too early")
        return b"".join(self._parts)

    def _inflate(self, inflater: Any, chunk: bytes) -> None:
        while chunk and not inflater.eof:
            self._add(inflater.decompress(chunk, self._limit - self._size + 1))
            chunk = inflater.unconsumed_tail

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise self._too_large()
        self._parts.append(data)

    def _too_large(self) -> TransportError:
        return TransportError(f"The answer is larger than {self._limit:,} bytes; ask for less at a time")


def decode_body(response: TransportResponse) -> Any:
    """Read a body: JSON as data, text as str, anything else as bytes, an empty one as None.

    Raises:
        TransportError: it says JSON and is not, or holds what does not cross a boundary (NaN, depth over 64).
    """
    content_type = response.headers.get("content-type", "")
    if not response.body:
        return None
    try:
        if content_type.startswith(CODEC_TYPE):
            return codec.decode(response.body.decode("utf-8"))
        if is_json_type(content_type):
            return read_json(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError, CodecError):
        raise TransportError("The answer is not readable: it says JSON, and is not plain JSON data in UTF-8") from None
    if not content_type or content_type.startswith(("text/", *_TEXT_TYPES)):
        return response.body.decode(_charset(content_type), "replace")
    return response.body


def bounded_body(response: TransportResponse) -> Any:
    """Read the body of an error: decoded where it is short and readable, else the beginning of its text."""
    if len(response.body) <= MAX_ERROR_BODY_BYTES:
        try:
            return decode_body(response)
        except TransportError:
            pass
    return response.body[:MAX_ERROR_BODY_BYTES].decode("utf-8", "replace")


def _inflater(encoding: str) -> Any:
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name not in _WINDOW_BITS:  # a list of encodings too: layers multiply, 1000 x 1000
        raise TransportError("The answer is not readable: it is compressed by other means than gzip or deflate")
    return zlib.decompressobj(_WINDOW_BITS[name])


def _charset(content_type: str) -> str:
    """Decode Latin-1 where it is declared, UTF-8 otherwise; other codecs are not worth their attack surface."""
    charset = content_type.lower().partition("charset=")[2].strip(" \"'")
    return "latin-1" if charset.startswith(("iso-8859-1", "latin-1", "latin1")) else "utf-8"
