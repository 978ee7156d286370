"""Strips from requests what only the host may say: which module calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from plataforma_sdk.api import IDENTITY_KEY, WSGI_IDENTITY_KEY, CallerIdentity, WsgiApp

__all__ = ["AsgiIdentityGuard", "WsgiIdentityGuard", "asgi_caller", "strip_environ", "wsgi_caller"]

_PREFIXES: Final = ("x-module-", "x-plataforma-")


def _is_identity(name: str) -> bool:
    """Tell whether a header claims an identity; servers write hyphens as underscores, and some take either."""
    return name.lower().replace("_", "-").startswith(_PREFIXES)


def asgi_caller(scope: MutableMapping[str, Any]) -> CallerIdentity | None:
    """Return which module calls, or None for whoever came over the network."""
    found = (scope.get("extensions") or {}).get(IDENTITY_KEY)
    return found if type(found) is CallerIdentity else None


def wsgi_caller(environ: MutableMapping[str, Any]) -> CallerIdentity | None:
    """Return which module calls, or None for whoever came over the network."""
    found = environ.get(WSGI_IDENTITY_KEY)
    return found if type(found) is CallerIdentity else None


class AsgiIdentityGuard:
    """ASGI middleware: an identity that did not come from a transport of this process is taken off the request.

    Strips ``X-Module-*``, ``X-Plataforma-*`` and a ``plataforma`` extension of the scope. Put it outermost.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Clean the scope, in place: what outer middleware reads of it later is still the same one."""
        if scope["type"] in {"http", "websocket"} and asgi_caller(scope) is None:
            scope["headers"] = [pair for pair in scope["headers"] if not _is_identity(pair[0].decode("latin-1"))]
            extensions = scope.get("extensions")
            if extensions and IDENTITY_KEY in extensions:
                scope["extensions"] = {key: value for key, value in extensions.items() if key != IDENTITY_KEY}
        await self.app(scope, receive, send)


class WsgiIdentityGuard:
    """WSGI middleware: the same, for ``HTTP_X_MODULE_*``, ``HTTP_X_PLATAFORMA_*`` and ``plataforma.module``."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Clean the environ and go on."""
        strip_environ(environ)
        return self.app(environ, start_response)


def strip_environ(environ: MutableMapping[str, Any]) -> None:
    """Take foreign identities off an environ, in place."""
    if wsgi_caller(environ) is not None:
        return
    environ.pop(WSGI_IDENTITY_KEY, None)
    for name in [name for name in environ if name.startswith("HTTP_") and _is_identity(name.removeprefix("HTTP_"))]:
        del environ[name]
