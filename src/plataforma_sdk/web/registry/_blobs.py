"""The routes of blobs."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plataforma_sdk.registry import BlobRef
from plataforma_sdk.web.registry._answers import Refusal, is_unchanged, refused_as
from plataforma_sdk.web.registry._bodies import received
from plataforma_sdk.web.registry._state import ServiceState

__all__ = ["read_blob", "upload_blob"]

_RANGE: Final = re.compile(r"bytes=(?P<start>[0-9]{0,18})-(?P<end>[0-9]{0,18})", re.ASCII)
_TYPE: Final = "application/octet-stream"


async def read_blob(request: Request) -> Response:
    """``GET`` and ``HEAD /v1/blobs/{digest}``."""
    service = ServiceState.of(request)
    await service.may_read(request)
    digest = _digest(request)
    size = await service.blobs.size(digest)
    if size is None:
        raise Refusal(404, f"there is no blob {digest}", code="PackageNotFoundError")
    etag = f'"{digest}"'
    headers = {"etag": etag, "accept-ranges": "bytes", "cache-control": _caching(service)}
    if is_unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    part = _part(request, etag, size)
    start, end = part or (0, size)
    headers |= {"content-length": str(end - start), "content-disposition": "attachment"}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=_TYPE)
    return StreamingResponse(service.blobs.read(digest, start, end), status, headers, media_type=_TYPE)


async def upload_blob(request: Request) -> Response:
    """``PUT /v1/blobs/{digest}``."""
    service = ServiceState.of(request)
    await service.caller(request, "publish")
    await service.open()  # an application that is mounted below another one may not see the lifespan's start
    digest, options = _digest(request), service.options
    async with received(
        request, service.files, digest, max_bytes=options.max_blob_bytes, timeout_s=options.body_timeout_s
    ) as path:
        is_known = await service.blobs.size(digest) is not None
        await service.blobs.keep(digest, path)  # also what is known: its file may have been damaged
    service.metrics.uploaded.add()
    return Response(status_code=200 if is_known else 201)


def _digest(request: Request) -> str:
    return refused_as(400, lambda: BlobRef(request.path_params["digest"], 0)).digest


def _caching(service: ServiceState) -> str:
    return f"{'private' if service.options.is_private else 'public'}, max-age=31536000, immutable"


def _part(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Return which bytes are asked for, None for all of them: also for more than one part, as RFC 9110 allows.

    Raises:
        Refusal: the part lies behind the end.
    """
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or found[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return None
    if not found["start"]:
        start, end = max(0, size - int(found["end"])), size
    else:
        start, end = int(found["start"]), min(size, int(found["end"] or size) + 1)
        if found["end"] and int(found["end"]) < start:
            return None  # no range at all
    if start >= size:
        raise Refusal(416, f"the blob has {size:,} bytes", headers={"content-range": f"bytes */{size}"})
    return start, end
