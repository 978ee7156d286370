"""Calls to a WSGI application in this process."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from plataforma_sdk.api._body import BodyReader
from plataforma_sdk.api._identity import caller_identity
from plataforma_sdk.api._transport import TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError
from plataforma_sdk.logs import logger_of

__all__ = ["WSGI_IDENTITY_KEY", "WsgiApp", "WsgiTransport"]

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application: takes the environ and ``start_response``, returns the body in pieces."""

WSGI_IDENTITY_KEY: Final = "plataforma.module"
"""No header can have this name: what a client sends arrives as ``HTTP_...``."""

_log = logger_of("plataforma_sdk.api")


class WsgiTransport:
    """Serves the host's API from a WSGI application (Flask, Django ...), without a network.

    The application finds who calls under ``environ["plataforma.module"]``: ``{"module", "version", "subject"}``. No
    network client can put it there, so it may be trusted; the ``X-Module-*`` headers may not.

    Each call runs in a thread of the loop's executor. One that is given up there runs on to its end, as a request
    does whose client has gone.
    """

    def __init__(self, app: WsgiApp, *, host: str = "localhost", scheme: str = "http", script_name: str = "") -> None:
        """Wrap `app`; `host` is what it reads in the Host header, `scheme` how it believes to be called."""
        self._app = app
        self._scheme = scheme
        self._host = host
        self._script_name = script_name

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Call the application and wait until it has answered.

        Raises:
            TransportError: it raised, answered nothing, or answered too much.
        """
        if request.origin is not None:
            raise TransportError("An application in this process serves relative paths only")
        return await asyncio.to_thread(self._serve, request, request.body)

    def _serve(self, request: TransportRequest, body: bytes) -> TransportResponse:
        answer = _Answer(request)
        try:
            parts = self._app(self._environ(request, body), answer.start)
            try:
                for part in parts:
                    answer.feed(part)
            finally:
                close = getattr(parts, "close", None)
                if close is not None:
                    close()
            return answer.finish()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - an application may raise anything
            # class name and text stay in the host's log: they may hold paths, queries, customers
            _log.error("The WSGI application failed on %s %s", request.method, request.path, exc_info=error)
            raise TransportError(f"{request.path} failed in the host's application; its log says why") from None

    def _environ(self, request: TransportRequest, body: bytes) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": self._script_name,
            "PATH_INFO": request.path.encode().decode("latin-1"),  # PEP 3333: bytes, written as latin-1
            "QUERY_STRING": request.query,
            "SERVER_NAME": self._host,
            "SERVER_PORT": "443" if self._scheme == "https" else "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self._host,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            WSGI_IDENTITY_KEY: caller_identity(request.identity),
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return environ


class _Answer:
    """Gathers what an application answers."""

    def __init__(self, request: TransportRequest) -> None:
        self._request = request
        self._status = 0
        self._headers: dict[str, str] = {}
        self._reader: BodyReader | None = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:  # noqa: ARG002
        self._status = int(status.partition(" ")[0])
        self._headers = {name.lower(): value for name, value in headers}
        # An answer to HEAD announces a length and encoding, and has no body.
        announced = {} if self._request.method == "HEAD" else self._headers
        self._reader = BodyReader(announced, limit=self._request.max_response_bytes)
        return self.feed

    def feed(self, part: bytes) -> None:
        if self._reader is None:
            raise TransportError(f"{self._request.path}: the host's application sent a body before its status")
        self._reader.feed(part)

    def finish(self) -> TransportResponse:
        if self._reader is None:
            raise TransportError(f"{self._request.path} got no answer from the host's application")
        return TransportResponse(status=self._status, headers=self._headers, body=self._reader.finish())
