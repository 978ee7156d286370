"""An OCI registry in memory, like Debian's: no referrers API, tags can be overwritten, what is named must exist."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2

from plataforma_sdk.registry import digest_of

PAGE = 3


class OciRegistry(httpx2.AsyncBaseTransport):
    """Serves ``/v2/``; `repositories` is what it holds."""

    def __init__(self) -> None:
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.manifests: dict[str, dict[str, bytes]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.sessions = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = b"".join([piece async for piece in request.stream])
        path = request.url.path
        for pattern, handler in self._routes().items():
            found = re.fullmatch(f"(?:GET|HEAD|PUT|POST) {pattern}", f"{request.method} {path}")
            if found:
                return handler(request, body, *found.groups())
        return _error(404, "UNSUPPORTED")

    def _routes(self) -> dict[str, Any]:
        return {
            r"/v2/": lambda *_: _answer(200, b"{}"),
            r"/v2/(.+)/tags/list": self._list,
            r"/v2/(.+)/manifests/([^/]+)": self._manifest,
            r"/v2/(.+)/blobs/uploads/": self._begin,
            r"/v2/(.+)/blobs/uploads/(\d+)": self._upload,
            r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})": self._blob,
        }

    def _list(self, request: httpx2.Request, _: bytes, name: str) -> httpx2.Response:
        if name not in self.tags:
            return _error(404, "NAME_UNKNOWN")
        last = request.url.params.get("last", "")
        tags = sorted(tag for tag in self.tags[name] if tag > last)
        headers = {"link": f'</v2/{name}/tags/list?n={PAGE}&last={tags[PAGE - 1]}>; rel="next"'} if tags[PAGE:] else {}
        return _answer(200, json.dumps({"name": name, "tags": tags[:PAGE]}).encode(), headers)

    def _manifest(self, request: httpx2.Request, body: bytes, name: str, reference: str) -> httpx2.Response:
        if request.method == "PUT":
            return self._put_manifest(body, name, reference)
        digest = self.tags.get(name, {}).get(reference, reference)
        data = self.manifests.get(name, {}).get(digest)
        return (
            _error(404, "MANIFEST_UNKNOWN") if data is None else _answer(200, data, {"docker-content-digest": digest})
        )

    def _put_manifest(self, body: bytes, name: str, reference: str) -> httpx2.Response:
        digest, data = digest_of(body), json.loads(body)
        held = self.blobs.get(name, {}).keys() | self.manifests.get(name, {}).keys()
        needed = [data["config"], *data["layers"]] if "config" in data else data["manifests"]
        if not {item["digest"] for item in needed} <= held:
            return _error(404, "MANIFEST_BLOB_UNKNOWN")
        self.manifests.setdefault(name, {})[digest] = body
        if ":" not in reference:
            self.tags.setdefault(name, {})[reference] = digest
        elif reference != digest:
            return _error(400, "DIGEST_INVALID")
        return _answer(201, b"", {"docker-content-digest": digest})

    def _begin(self, _: httpx2.Request, __: bytes, name: str) -> httpx2.Response:
        self.sessions += 1
        return _answer(202, b"", {"location": f"/v2/{name}/blobs/uploads/{self.sessions}?_state=x"})

    def _upload(self, request: httpx2.Request, body: bytes, name: str, _: str) -> httpx2.Response:
        if digest_of(body) != request.url.params["digest"]:
            return _error(400, "DIGEST_INVALID")
        self.blobs.setdefault(name, {})[digest_of(body)] = body
        return _answer(201, b"")

    def _blob(self, request: httpx2.Request, _: bytes, name: str, digest: str) -> httpx2.Response:
        data = self.blobs.get(name, {}).get(digest)
        if data is None:
            return _error(404, "BLOB_UNKNOWN")
        start = int(re.sub(r"\D", "", request.headers.get("range", "0")))
        headers = {"content-range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        return _answer(206 if start else 200, b"" if request.method == "HEAD" else data[start:], headers)


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
    return httpx2.Response(status, headers=headers, content=body)


def _error(status: int, code: str) -> httpx2.Response:
    return _answer(status, json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode())
