"""The registry service in a hundred lines: what ``docs/reference/registry-http.md`` asks for, over any backend."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, unquote

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError, VersionConflictError
from plataforma_sdk.registry import ModuleIndex, Release, digest_of
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry.backends import MemoryBackend

Answer = tuple[int, dict[str, str], bytes]
Message = MutableMapping[str, Any]

STATUSES = {IntegrityError: 400, PackageNotFoundError: 404, VersionConflictError: 409, RegistryError: 400}


class Service:
    """An ASGI application that keeps its releases in memory."""

    def __init__(self) -> None:
        self.backend = MemoryBackend()
        self.blobs: dict[str, bytes] = {}
        self.routes: list[tuple[str, str, Callable[..., Awaitable[Answer]]]] = [
            ("GET", r"/v1/modules/([^/]+)", self.index),
            ("PUT", r"/v1/modules/([^/]+)/([^/]+)", self.publish),
            ("POST", r"/v1/modules/([^/]+)/([^/]+)/yank", self.yank),
            ("(?:GET|HEAD)", r"/v1/blobs/([^/]+)", self.blob),
            ("PUT", r"/v1/blobs/([^/]+)", self.upload),
            ("GET", r"/v1/search", self.search),
            ("GET", r"/ready", self.ready),
        ]

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, headers, answer = await self.answer(scope, body)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})

    async def answer(self, scope: Message, body: bytes) -> Answer:
        scope["headers"] = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        digest = scope["headers"].get("content-digest")
        if digest not in (None, f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"):
            return self.json(400, {"error": {"code": "IntegrityError", "message": "the body is not what was sent"}})
        path = scope["raw_path"].decode().removeprefix("/base")
        for method, pattern, handler in self.routes:
            found = re.fullmatch(pattern, path)
            if found and re.fullmatch(method, scope["method"]):
                try:
                    return await handler(scope, body, *map(unquote, found.groups()))
                except RegistryError as error:
                    status = 403 if "belongs to the key" in error.message else STATUSES[type(error)]
                    data = {"error": {"code": type(error).__name__, "message": error.message}}
                    return self.json(status, data)
        return self.json(404, {"error": {"code": "RegistryError", "message": "no such route"}})

    def json(self, status: int, data: Any) -> Answer:
        body = to_json(data)
        return status, {"content-type": "application/json", "etag": f'"{digest_of(body)}"'}, body

    async def index(self, scope: Message, body: bytes, segment: str) -> Answer:
        index = await self.backend.versions(segment.replace("--", "/"))
        status, headers, text = self.json(200, index.to_data())
        if scope["headers"].get("if-none-match") == headers["etag"]:
            return 304, headers, b""
        return status, headers, text

    async def publish(self, scope: Message, body: bytes, segment: str, version: str) -> Answer:
        data = from_json(body, what="the body")
        release = Release.from_data(data["release"])
        if (release.id, release.version) != (segment.replace("--", "/"), version):
            raise IntegrityError("the release stands under another path")
        named = {blob.digest for blob in (release.archive, *release.attachments.values())}
        blobs = {digest: self.blobs[digest] for digest in named & self.blobs.keys()}
        before = await self.backend.versions(release.id)
        index: ModuleIndex = await self.backend.publish(release, blobs, owner=data["owner"])
        return self.json(201 if index.revision > before.revision else 200, index.to_data())

    async def yank(self, scope: Message, body: bytes, segment: str, version: str) -> Answer:
        reason = from_json(body, what="the body")["reason"]
        index = await self.backend.yank(segment.replace("--", "/"), version, reason)
        return self.json(200, index.to_data())

    async def blob(self, scope: Message, body: bytes, digest: str) -> Answer:
        data = self.blobs.get(digest)
        if data is None:
            raise PackageNotFoundError(f"no blob {digest}")
        start = int(re.sub(r"\D", "", scope["headers"].get("range", "0")))
        headers = {"etag": f'"{digest}"', "accept-ranges": "bytes", "content-length": str(len(data) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return 206 if start else 200, headers, b"" if scope["method"] == "HEAD" else data[start:]

    async def upload(self, scope: Message, body: bytes, digest: str) -> Answer:
        if digest_of(body) != digest:
            raise IntegrityError(f"the bytes are not {digest}")
        status = 200 if digest in self.blobs else 201
        self.blobs[digest] = body
        return status, {}, b""

    async def search(self, scope: Message, body: bytes) -> Answer:
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        page = await self.backend.search(
            query.get("q", [""])[0], limit=int(query["limit"][0]), offset=int(query["offset"][0])
        )
        hits = [{name: getattr(hit, name) for name in ("id", "version", "name", "description")} for hit in page.hits]
        return self.json(200, {"hits": hits, "total": page.total})

    async def ready(self, scope: Message, body: bytes) -> Answer:
        return self.json(200, {"is_ready": True, "detail": "in memory"})
