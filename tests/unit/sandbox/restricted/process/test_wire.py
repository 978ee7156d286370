"""Frames and their grammar: whatever a worker sends is a message or a breach, never something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.sandbox.restricted.process._wire import (
    Ask,
    BreachError,
    ClockRead,
    Drop,
    FrameReader,
    Ready,
    Reply,
    pack,
    read_worker,
)

MESSAGES = {
    b"R1": Ready(),
    b"r7 1200 345 67890\n[1]": Reply("r", 7, 1200, 345, 67890, b"[1]"),
    b"e0 0 0 0\n{}": Reply("e", 0, 0, 0, 0, b"{}"),
    b"p3 1 2 3\n{}": Reply("p", 3, 1, 2, 3, b"{}"),
    b'i4 permissions.has\n["a"]': Ask(None, 4, "permissions.has", b'["a"]'),
    b"h5 4 storage.get\n[1]": Ask(5, 4, "storage.get", b"[1]"),
    b"d5": Drop(5),
    b"tn": ClockRead(is_monotonic=False),
    b"tm": ClockRead(is_monotonic=True),
}

BREACHES = {
    "unknown letter": b"z1\n",
    "another version": b"R2",
    "no number": b"r\nnull",
    "no usage": b"r1\nnull",
    "a negative number": b"r-1 0 0 0\nnull",
    "a number with an underscore": b"r1_0 0 0 0\nnull",
    "a number of a million digits": b"d" + b"9" * 1_000_000,
    "no newline": b"i4 permissions.has",
    "a method with a space": b"i4 permissions has\n[]",
    "a method in capitals": b"i4 __CLASS__\n[]",
    "a method without end": b"h1 1 " + b"a" * 70 + b"\n[]",
    "something after a drop": b"d5\n",
    "a load": b"l{}",
    "a call": b"c1 probe\n[]\n",
}


@pytest.mark.parametrize("body", MESSAGES, ids=lambda body: body.decode().partition(" ")[0])
def test_a_frame_is_read(body: bytes) -> None:
    assert read_worker(body) == MESSAGES[body]


@pytest.mark.parametrize("body", BREACHES.values(), ids=BREACHES)
def test_what_does_not_fit_is_a_breach(body: bytes) -> None:
    with pytest.raises(BreachError):
        read_worker(body)


heads = st.from_regex(rb"[Rreplihdtvx][0-9 a-z_.]{0,30}\n?", fullmatch=True)


@given(st.one_of(st.binary(max_size=200), st.tuples(heads, st.binary(max_size=50)).map(b"".join)))
def test_any_bytes_are_a_message_or_a_breach(body: bytes) -> None:
    try:
        message = read_worker(body)
    except BreachError:
        return
    assert isinstance(message, Ready | Reply | Ask | Drop | ClockRead)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=12), st.data())
def test_frames_survive_any_cut_of_the_stream(bodies: list[bytes], data: st.DataObject) -> None:
    stream, reader, found = b"".join(map(pack, bodies)), FrameReader(40), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
        while (frame := reader.next()) is not None:
            found.append(frame)
    assert found == bodies
    assert reader.is_empty


@pytest.mark.parametrize("size", [0, 41, 2**32 - 1])
def test_a_length_that_is_not_allowed_is_a_breach_before_its_bytes_are_kept(size: int) -> None:
    reader = FrameReader(40)
    reader.feed(size.to_bytes(4, "little"))
    with pytest.raises(BreachError, match="bytes"):
        reader.next()


def test_it_says_how_much_a_frame_lacks() -> None:
    reader = FrameReader(100)
    assert reader.missing_bytes == 0
    reader.feed(pack(b"x" * 50)[:14])
    assert (reader.next(), reader.missing_bytes) == (None, 40)
