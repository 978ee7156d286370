"""Around every request: its log line, its meters, and the headers of every answer."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plataforma_sdk.logs import logger_of
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.web.registry._metrics import Metrics

__all__ = ["Observe"]

_LOG: Final = logger_of("plataforma_sdk.web.registry")
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SERVER_ERROR: Final = 500
_MAX_PATH_CHARS: Final = 300
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Observe:
    """Passes requests on, and tells what became of them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        self._metrics.under_way.add()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            exchange.end = "stopped"
            raise
        except Exception:
            exchange.end = "failed"
            _LOG.exception("request %s failed", exchange.id)
            if not exchange.status:  # Starlette answers what fails, unless it has begun to answer
                raise
        finally:
            self._metrics.under_way.add(amount=-1)
            self._tell(scope, exchange)

    def _tell(self, scope: Scope, exchange: _Exchange) -> None:
        operation = getattr(scope.get("endpoint"), "__name__", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        seconds = time.monotonic() - exchange.begun
        self._metrics.requests.add(operation, method, str(exchange.status or exchange.end))
        self._metrics.seconds.add(operation, seconds)
        self._metrics.sent.add(amount=exchange.sent)
        self._metrics.received.add(amount=exchange.received)
        _log(exchange, scope, operation=operation, method=method, ms=round(seconds * 1_000, 2))


def _log(exchange: _Exchange, scope: Scope, *, operation: str, method: str, ms: float) -> None:
    fields = {
        "request": exchange.id,
        "client": (scope.get("client") or ("",))[0],
        "token": scope.get("plataforma.token"),
        "method": method,
        "path": clean_text(scope["path"], _MAX_PATH_CHARS),  # a line break in it could forge a line of a plain log
        "operation": operation,
        "status": exchange.status,
        "end": exchange.end,
        "ms": ms,
        "received_bytes": exchange.received,
        "sent_bytes": exchange.sent,
    }
    is_fault = exchange.status >= _SERVER_ERROR or exchange.end == "failed"
    level = logging.WARNING if is_fault else logging.INFO
    line = "%s %s: %s in %s ms"
    _LOG.log(level, line, method, fields["path"], exchange.status, ms, extra={"fields": fields})


class _Exchange:
    """One request and its answer, as far as they have come.

    Attributes:
        id: names it in the log and in the answer.
        end: ``"whole"`` where the answer was sent to its end, else what happened.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = secrets.token_hex(8)
        self.begun = time.monotonic()
        self.status = 0
        self.received = 0
        self.sent = 0
        self.end = "cut"
        self._is_head = scope["method"] == "HEAD"
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """Count what comes."""
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Count what goes, and complete its headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [*_HEADERS, (b"x-request-id", self.id.encode())]
            message = {**message, "headers": [*message.get("headers", []), *own]}
        else:
            self.sent += 0 if self._is_head else len(message.get("body", b""))
            if not message.get("more_body", False):
                self.end = "whole"
        await self._send(message)
