"""The host's end of the wire, where the other one goes away."""

from __future__ import annotations

import asyncio
import socket

import pytest

from plataforma_sdk.sandbox.restricted.process._channel import Channel
from plataforma_sdk.sandbox.restricted.process._wire import pack


async def talk_to_the_dead(*, is_full: bool) -> list[bytes | None]:
    """Speak to a worker that has said something and gone; return what the host hears, and None for the end."""
    host, worker = socket.socketpair()
    host.setblocking(False)
    heard: list[bytes | None] = []
    ended = asyncio.Event()

    def on_lost(_: object) -> None:
        heard.append(None)
        ended.set()

    channel = Channel(host, 1 << 20, heard.append, on_lost)
    if is_full:
        channel.send(b"x" * (4 << 20))
    worker.sendall(pack(b"last words"))
    worker.close()
    channel.send(b"anybody there?")
    channel.send(b"hello?")
    async with asyncio.timeout(5):
        await ended.wait()
    return heard


@pytest.mark.parametrize("is_full", [False, True], ids=["while it reads", "while it owes"])
def test_the_last_words_of_a_worker_are_heard(is_full: bool) -> None:
    """A worker that answers and ends has answered, though nothing can be sent to it any more."""
    assert asyncio.run(talk_to_the_dead(is_full=is_full)) == [b"last words", None]
