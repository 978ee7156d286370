"""A page with one window against a scripted host, under the desktop's own policy: ``python view_server.py [PORT]``."""

import mimetypes
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import plataforma_sdk
from plataforma_sdk import codec, ui
from plataforma_sdk.web.desktop._app import CONTENT_SECURITY_POLICY
from tests.e2e.fake.view_trees import TREES

__all__ = ["make_server"]

_HERE = Path(__file__).parent
_STATIC = Path(plataforma_sdk.__file__).parent / "web" / "desktop" / "static"
_CHART = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="720" height="280"><g fill="none" stroke="{}" stroke-width="2">'
    '<path d="M20 260h680" stroke-opacity=".4"/>'
    '<path d="M20 220 120 150 220 180 320 90 420 120 520 60 620 80 700 30"/></g></svg>'
)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that http.server calls
        url = urlsplit(self.path)
        found = self._find(url.path.lstrip("/") or "fake/view.html", url.query)
        self.send_response(200 if found else 404)
        body, kind = found or (b"", "text/plain")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def _find(self, path: str, query: str) -> tuple[bytes, str] | None:
        room, _, name = path.partition("/")
        if room == "trees" and name in TREES:
            tree, charts = TREES[name]()
            text = codec.encode({"tree": ui.to_data(tree), "charts": charts})
            return text.encode(), "application/json"
        if room == "charts":
            return _CHART.format("#86aaff" if "dark" in query else "#2b5bd7").encode(), "image/svg+xml"
        base = {"static": _STATIC, "fake": _HERE}.get(room, _HERE)
        file = (base / name).resolve()
        if room in {"static", "fake"} and file.is_file() and file.is_relative_to(base):
            return file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return (b"", "text/css") if path == "static/css/tokens.css" else None

    def log_message(self, *_: object) -> None:
        """Say nothing: a test reads its own output."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """Make the server, on a free port of the loopback interface."""
    return ThreadingHTTPServer(("127.0.0.1", port), _Handler)


if __name__ == "__main__":
    with make_server(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/?tree=gallery\n")
        sys.stdout.flush()
        server.serve_forever()
