"""The worker: draws what it is sent, in an interpreter that has given up everything else.

vl-convert holds a JavaScript engine, so this is the only file that imports it, and the only process that runs it. It is
warmed up first, since the engine's threads, its fonts and its own descriptors are taken then; afterwards there is no
descriptor to spare, so that no file is opened and no connection made, whatever runs in the engine.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import time
from typing import Any, Final

from plataforma_sdk.workers import (
    bound_cpu,
    bound_data,
    confine,
    forbid_processes,
    seal_descriptors,
    take_socket,
)

__all__ = ["main"]

_CPU_S: Final = 4
"""Of one drawing, in case the host is too slow to kill: two threads in two seconds."""

_GROWTH_BYTES: Final = 256 << 20
_MAX_FAULT_CHARS: Final = 500
_WARM_UP: Final = {
    "data": {"values": [{"x": "a", "y": 1}]},
    "mark": "bar",
    "title": {"text": "a", "fontWeight": "bold", "subtitle": "b"},
    "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y", "type": "quantitative"}},
}


def main(descriptor: int, host: int) -> None:
    """Draw until the host goes; `host` is its process id."""
    wire = take_socket(descriptor)
    confine(host)
    os.environ["TZ"] = "UTC"
    time.tzset()
    _draw({"spec": _WARM_UP, "numbers": "en-US", "times": "en-US"})
    forbid_processes()
    gc.freeze()
    bound_data(_GROWTH_BYTES)  # reads a file, so before the next line
    seal_descriptors(0)
    _send(wire, b"R")
    while True:
        request = json.loads(_receive(wire))
        bound_cpu(_CPU_S)
        _send(wire, _answer(request))


def _answer(request: dict[str, Any]) -> bytes:
    try:
        return b"S" + _draw(request).encode()
    except Exception as error:  # noqa: BLE001 - crosses as data
        said = " ".join(line for line in str(error).splitlines() if not line.startswith("    at "))
        return b"E" + said[:_MAX_FAULT_CHARS].encode(errors="replace")


def _draw(request: dict[str, Any]) -> str:
    import vl_convert  # here alone: see above

    svg: str = vl_convert.vegalite_to_svg(
        request["spec"],
        allowed_base_urls=[],
        format_locale=request["numbers"],
        time_format_locale=request["times"],
    )
    return svg


def _receive(wire: socket.socket) -> bytes:
    size = int.from_bytes(_exactly(wire, 4), "little")
    return _exactly(wire, size)


def _exactly(wire: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = wire.recv(min(size - len(parts), 1 << 20))
        if not part:
            os._exit(0)  # the host has gone
        parts += part
    return bytes(parts)


def _send(wire: socket.socket, payload: bytes) -> None:
    wire.sendall(len(payload).to_bytes(4, "little") + payload)
