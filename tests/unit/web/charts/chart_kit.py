"""Charts, and workers that draw nothing: what the tests of this room are made of."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from typing import Any

import pytest

from plataforma_sdk import ui
from plataforma_sdk.web.charts._drawing import Drawers
from plataforma_sdk.workers import WorkerPool, spawn

HAS_DRAWING = importlib.util.find_spec("vl_convert") is not None
DRAWS = pytest.mark.skipif(not HAS_DRAWING, reason="draws for real: needs the extra charts (vl-convert-python)")

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1"/></svg>'

WIRE = """
import socket, time, os
wire = socket.socket(fileno=descriptor)
def send(payload, size=None):
    wire.sendall((len(payload) if size is None else size).to_bytes(4, "little") + payload)
def read():
    head = wire.recv(4, socket.MSG_WAITALL)
    if not head: os._exit(0)
    return wire.recv(int.from_bytes(head, "little"), socket.MSG_WAITALL)
"""


def node_of(element: ui.Element) -> dict[str, Any]:
    return ui.to_data(element)


def props_of(*args: Any, **options: Any) -> Mapping[str, Any]:
    return ui.chart(*args, **options).props


def lying(code: str, *, spares: int = 0) -> WorkerPool:
    """Return a pool whose workers run `code` after the wire's own."""
    return WorkerPool(lambda: spawn(WIRE + code, ["plataforma_sdk"]), spares)


class FakeDrawers(Drawers):
    """Draws at once, in memory, and remembers what it was asked."""

    def __init__(self, reply: bytes | Exception = SVG) -> None:
        super().__init__()
        self.reply = reply
        self.requests: list[bytes] = []
        self.warmed = 0
        self.gate: asyncio.Event | None = None

    def warm_up(self) -> None:
        self.warmed += 1

    async def draw(self, request: bytes) -> bytes:
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply
