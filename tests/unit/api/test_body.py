"""Reading a body within its cap."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.api._body import BodyReader
from plataforma_sdk.errors import TransportError


def read(chunks: list[bytes], limit: int = 1_000, **headers: str) -> bytes:
    reader = BodyReader({name.replace("_", "-"): value for name, value in headers.items()}, limit=limit)
    for chunk in chunks:
        reader.feed(chunk)
    return reader.finish()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", b"hello"),
        ("identity", b"hello"),
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("X-GZIP", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
    ],
)
def test_body_is_decompressed(encoding: str, body: bytes) -> None:
    assert read([body[:3], body[3:]], content_encoding=encoding) == b"hello"


def test_body_as_large_as_the_limit_passes() -> None:
    assert len(read([b"x" * 600, b"x" * 400])) == 1_000


def test_body_over_the_limit_is_refused() -> None:
    with pytest.raises(TransportError, match="larger than 1,000 bytes"):
        read([b"x" * 600, b"x" * 401])


def test_announced_length_over_the_limit_is_refused_at_once() -> None:
    with pytest.raises(TransportError, match="larger than"):
        BodyReader({"content-length": "1001"}, limit=1_000)


@pytest.mark.parametrize("length", ["9" * 5_000, "1001"])
def test_absurd_length_is_refused(length: str) -> None:
    with pytest.raises(TransportError):
        BodyReader({"content-length": length}, limit=1_000)


def test_bomb_is_refused_before_it_is_inflated() -> None:
    """CVE-2025-66471 (urllib3): one megabyte of zeros in one kilobyte."""
    reader = BodyReader({"content-encoding": "gzip"}, limit=10_000)
    with pytest.raises(TransportError, match="larger than"):
        reader.feed(gzip.compress(bytes(1_000_000)))
    assert sum(map(len, reader._parts)) <= 10_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "gzip,deflate"])
def test_other_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(TransportError, match="other means"):
        BodyReader({"content-encoding": encoding}, limit=10)


def test_broken_compression_is_refused() -> None:
    with pytest.raises(TransportError, match="broken"):
        read([b"not gzip"], content_encoding="gzip")


def test_cut_compression_is_refused() -> None:
    with pytest.raises(TransportError, match="too early"):
        read([gzip.compress(b"hello", mtime=0)[:-4]], content_encoding="gzip")


def test_empty_body_needs_no_compression() -> None:
    assert read([], content_encoding="gzip") == b""


@given(st.binary(max_size=300), st.integers(1, 40), st.integers(0, 300))
def test_any_split_gives_the_same_body_or_a_refusal(data: bytes, step: int, limit: int) -> None:
    packed = gzip.compress(data)
    chunks = [packed[at : at + step] for at in range(0, len(packed), step)]
    if max(len(data), len(packed)) <= limit:
        assert read(chunks, limit=limit, content_encoding="gzip") == data
    else:
        with pytest.raises(TransportError):
            read(chunks, limit=limit, content_encoding="gzip")
