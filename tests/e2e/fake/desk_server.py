"""The desktop's page against a scripted connection, under its own policy: ``python desk_server.py [PORT]``."""

import mimetypes
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import plataforma_sdk
from plataforma_sdk.web.desktop._app import CONTENT_SECURITY_POLICY

__all__ = ["make_server"]

_ROOMS = {
    "static": Path(plataforma_sdk.__file__).parent / "web" / "desktop" / "static",
    "fake": Path(__file__).parent,
}
_FILLED = {
    "{token}": "a-token",
    "{lang}": "pt-BR",
    "{title}": "Loja Central",
    "static/js/main.js": "fake/desk.js",
}
"""What the server fills into the page, and the scripted connection in place of the real one."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that http.server calls
        path = urlsplit(self.path).path.lstrip("/")
        body, kind = self._page() if not path else self._file(path)
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def _page(self) -> tuple[bytes, str]:
        page = (_ROOMS["static"] / "index.html").read_text("utf-8")
        for old, new in _FILLED.items():
            page = page.replace(old, new)
        return page.encode(), "text/html; charset=utf-8"

    def _file(self, path: str) -> tuple[bytes, str | None]:
        room, _, name = path.partition("/")
        base = _ROOMS.get(room, _ROOMS["fake"])
        file = (base / name).resolve()
        if room in _ROOMS and file.is_file() and file.is_relative_to(base):
            return file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return b"", None

    def log_message(self, *_: object) -> None:
        """Say nothing: a test reads its own output."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """Make the server, on a free port of the loopback interface."""
    return ThreadingHTTPServer(("127.0.0.1", port), _Handler)


if __name__ == "__main__":
    with make_server(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/\n")
        sys.stdout.flush()
        server.serve_forever()
