"""What is served over plain HTTP: the page, its files and the charts."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.web.desktop._access import COOKIE_S, Identity
from plataforma_sdk.web.desktop._desktop import Desktop

__all__ = ["STATIC", "Pages"]

STATIC: Final = Path(__file__).parent / "static"

_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Written down, since the registry of types of the system may call JavaScript plain text."""

_FILE: Final = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{16,64}", re.ASCII)
_CHART_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_CHART_S: Final = 3600

_REFUSAL: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"></head>
<body><main><h1>{title}</h1>
<p>This desktop opens by the address that the program printed when it started. Each address works once.</p>
<p>Start it again, or ask whoever runs it for a new address.</p></main></body>
</html>
"""


class Pages:
    """Answers requests.

    Args:
        desktop: whose.
        static: directory of the front end.
    """

    def __init__(self, desktop: Desktop, static: Path = STATIC) -> None:
        self._desktop = desktop
        self._static = static

    async def page(self, request: Request) -> Response:
        """Serve the page to whoever is known, and exchange a token for a cookie."""
        access, token = self._desktop.access, request.query_params.get("token")
        entered = access.use_token(token) if token else None
        identity = entered or await access.identify(request)
        if identity is None:
            return HTMLResponse(_REFUSAL.format(title=html.escape(self._desktop.title)), 401, _NOT_KEPT)
        await self._desktop.start()
        if self._desktop.charts is not None:
            self._desktop.charts.warm_up()
        response: Response = RedirectResponse("./", 303, _NOT_KEPT) if token else self._index(identity)
        if identity.is_new:
            self._set_cookie(request, response, identity)
        return response

    def _index(self, identity: Identity) -> Response:
        text = (self._static / "index.html").read_text(encoding="utf-8")
        filled = {
            "{token}": self._desktop.access.page_token(identity),
            "{lang}": self._desktop.host.locale,
            "{title}": self._desktop.title,
        }
        pattern = re.compile("|".join(map(re.escape, filled)))  # once through: a title that reads "{token}" stays
        page = pattern.sub(lambda found: html.escape(filled[found[0]]), text)
        return HTMLResponse(page, headers=_NOT_KEPT)

    def _set_cookie(self, request: Request, response: Response, identity: Identity) -> None:
        response.set_cookie(
            self._desktop.access.cookie_name,
            self._desktop.access.cookie(identity),
            max_age=COOKIE_S,
            path=request.scope.get("root_path") or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def file(self, request: Request) -> Response:
        """Serve a file of the front end; anybody may read those."""
        name = request.path_params["file"]
        path = self._static / name
        if not _FILE.fullmatch(name) or path.suffix not in _TYPES or not path.is_file():
            return Response("There is no such file\n", 404, media_type="text/plain")
        content = path.read_bytes()
        tag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_TYPES[path.suffix], headers=headers)

    async def chart(self, request: Request) -> Response:
        """Serve a chart as a picture."""
        identity = await self._desktop.access.identify(request)
        if identity is None or identity.is_new:
            return Response("Nobody is signed in\n", 401, media_type="text/plain")
        charts, digest = self._desktop.charts, request.path_params["digest"]
        theme = "dark" if request.query_params.get("theme") == "dark" else "light"
        try:
            drawn = await charts.svg(digest, theme) if charts is not None and _DIGEST.fullmatch(digest) else None
        except PlataformaError as error:
            return Response(f"{error.message}\n", 503, {"retry-after": "30"}, "text/plain")
        if drawn is None:
            return Response("There is no such chart\n", 404, media_type="text/plain")
        kept = {"cache-control": f"private, max-age={_CHART_S}, immutable", "content-security-policy": _CHART_CSP}
        return Response(drawn, headers=kept, media_type=_TYPES[".svg"])


_NOT_KEPT: Final = {"cache-control": "no-store"}
