"""`desktop_app`: the desktop as an ASGI application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.runtime import ModuleHost
from plataforma_sdk.web.charts import ChartRenderer
from plataforma_sdk.web.desktop._access import Access, Authenticate
from plataforma_sdk.web.desktop._decisions import DesktopDecisions
from plataforma_sdk.web.desktop._desktop import Desktop
from plataforma_sdk.web.desktop._features import Feature
from plataforma_sdk.web.desktop._frames import ChartSource
from plataforma_sdk.web.desktop._launcher import Launchable
from plataforma_sdk.web.desktop._pages import STATIC, Pages
from plataforma_sdk.web.desktop._prompt import DesktopPrompt
from plataforma_sdk.web.desktop._protocol import WireLimits
from plataforma_sdk.web.desktop._socket import serve_socket
from plataforma_sdk.web.desktop._tasks import DesktopTasks

__all__ = ["CONTENT_SECURITY_POLICY", "LOOPBACK", "desktop_app"]

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def desktop_app(
    host: ModuleHost,
    *,
    allowed_hosts: Iterable[str] = LOOPBACK,
    authenticate: Authenticate | None = None,
    secret: bytes | None = None,
    modules: Iterable[ModulePackage | Launchable] = (),
    features: Iterable[Feature] | None = None,
    charts: ChartSource | None = None,
    limits: WireLimits | None = None,
    title: str | None = None,
    mark: tuple[str, int] | None = None,
    static: Path = STATIC,
) -> Starlette:
    """Make the desktop of a host: an ASGI application that serves its modules' windows to browsers.

    Serve it alone, or mount it below a path of another application, whose lifespan then enters ``app.state.desktop``.

    Args:
        host: entered, in the loop that serves.
        allowed_hosts: names by which browsers may call the server, without port; others are refused, so that a name
            which somebody points at this machine reaches nothing.
        authenticate: ``async (connection) -> subject or None``, takes the place of the token in the address.
        secret: at least 16 random bytes that sign cookies; the same after a restart lets open pages reconnect.
        modules: what the launcher may load, beside what is or was loaded.
        features: parts with messages of their own, beside notifications and toasts; None takes the permission dialogs
            (which a host without a prompt then asks by), the decisions and the task manager.
        charts: where charts are drawn; None draws them by the extra ``charts``, and shows tables where that is missing.
        limits: of pages.
        title: of the page.
        mark: a word and a hue, 0 to 359, that stand on the desktop's own dialogs; by default those of the secret.
        static: another front end in place of our own.

    Returns:
        The application; ``app.state.desktop`` is its `Desktop`.

    Raises:
        ValueError: the secret is too short.
    """
    if secret is not None and len(secret) < _MIN_SECRET_BYTES:
        raise ValueError(f"A secret is at least {_MIN_SECRET_BYTES} random bytes: secrets.token_bytes(32)")
    access = Access(secret=secret, allowed_hosts=allowed_hosts, authenticate=authenticate)
    desktop = Desktop(
        host,
        access,
        features=_usual_features(host) if features is None else features,
        modules=modules,
        charts=charts or ChartRenderer(),
        limits=limits,
        title=title,
        mark=mark,
    )
    pages = Pages(desktop, static)

    async def socket(websocket: WebSocket) -> None:
        await serve_socket(websocket, desktop)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with desktop:
            yield

    routes = [
        Route("/", pages.page),
        Route("/static/{file:path}", pages.file),
        Route("/charts/{digest}.svg", pages.chart),
        WebSocketRoute("/socket", socket),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(_Guard, access=access)])
    app.state.desktop = desktop
    return app


_MIN_SECRET_BYTES: Final = 16


def _usual_features(host: ModuleHost) -> list[Feature]:
    """Make the dialogs, the settings and the task manager; whom a host asks already goes on being asked."""
    features: list[Feature] = [DesktopDecisions(host), DesktopTasks(host)]
    if host.prompt is None:
        host.prompt = DesktopPrompt(host)
    if isinstance(host.prompt, DesktopPrompt):
        features.append(host.prompt)
    return features


class _Guard:
    """Refuses foreign host names before anything else, and adds the headers that every answer has."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if self._access.is_own_host(Headers(scope=scope)):
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(1008)
        else:
            refusal = PlainTextResponse("This server has another name; allowed_hosts lists what it answers to\n", 421)
            await refusal(scope, receive, send_guarded)
