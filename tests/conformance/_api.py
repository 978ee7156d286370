"""What the host has for the modules of the suite: an API, a plain ASGI application, and a small shop in SQLite."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["CUSTOMERS", "app", "make_database"]

CUSTOMERS = [{"id": 1, "name": "Ana"}, {"id": 2, "name": "Zoë"}]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer by the last segment: data, an echo, a status, after 50 ms, never, or by failing."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    segments = scope["path"].strip("/").split("/")
    kind = segments[1] if len(segments) > 1 else ""
    if kind == "slow":
        await asyncio.sleep(0.05)
    elif kind == "never":
        await asyncio.Event().wait()
    elif kind == "failing":
        raise RuntimeError("cannot read /srv/secrets/token.txt")
    elif kind == "text":
        await _answer(send, 200, b"plain", b"text/plain")
        return
    elif kind == "large":
        await _answer(send, 200, json.dumps("x" * 50_000).encode())
        return
    status = int(segments[2]) if kind == "status" else 200
    content = CUSTOMERS if kind == "customers" else await _echo(scope, receive)
    await _answer(send, status, b"" if status == 204 else json.dumps(content).encode())


async def _echo(scope: Any, receive: Any) -> dict[str, Any]:
    body = (await receive()).get("body", b"")
    return {
        "method": scope["method"],
        "path": scope["path"],
        "query": parse_qsl(scope["query_string"].decode(), keep_blank_values=True),
        "headers": {name.decode().lower(): value.decode() for name, value in scope["headers"]},
        "json": json.loads(body) if body else None,
        "identity": scope["extensions"]["plataforma"],
    }


async def _answer(send: Any, status: int, body: bytes, content_type: bytes = b"application/json") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type)]})
    await send({"type": "http.response.body", "body": body})


def make_database(path: Path) -> Path:
    """Write a small shop: customers, invoices, and a table of secrets."""
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE Customer (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE Invoice (id INTEGER PRIMARY KEY, customer INTEGER, total NUMERIC);
        CREATE TABLE Secret (token TEXT);
        INSERT INTO Customer VALUES (1, 'Ana'), (2, 'Zoë');
        INSERT INTO Invoice VALUES (10, 1, 12.5), (11, 2, 7.5), (12, 1, 30);
        INSERT INTO Secret VALUES ('hidden');
        """
    )
    connection.close()
    return path
