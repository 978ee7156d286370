"""The routes of indexes and releases."""

from __future__ import annotations

from typing import Any, Final

import attrs
from starlette.requests import Request
from starlette.responses import Response

from plataforma_sdk.errors import IntegrityError, VersionConflictError
from plataforma_sdk.registry import ModuleIndex, Release
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry.rules import blobs_of, check_publish
from plataforma_sdk.web.registry._answers import Refusal, answer_json, refused_as
from plataforma_sdk.web.registry._bodies import read_json
from plataforma_sdk.web.registry._signatures import check_signatures
from plataforma_sdk.web.registry._state import ServiceState, check_owner, module_of

__all__ = ["publish_release", "read_index", "search_modules", "yank_release"]

_MAX_INDEX_BYTES: Final = 1 << 24
_MAX_QUERY_CHARS: Final = 200
_MAX_REASON_CHARS: Final = 2_000
_MAX_HITS: Final = 100
_MAX_OFFSET: Final = 1_000_000
_MAX_DIGITS: Final = 9


async def read_index(request: Request) -> Response:
    """``GET /v1/modules/{id}``."""
    service = ServiceState.of(request)
    await service.may_read(request)
    index = await service.backend.versions(module_of(request))
    return answer_json(index.to_data(), request=request)


async def publish_release(request: Request) -> Response:
    """``PUT /v1/modules/{id}/{version}``."""
    service, module_id = ServiceState.of(request), module_of(request)
    token = await service.caller(request, "publish", module_id)
    body = await read_json(request, {"release", "owner"}, timeout_s=service.options.body_timeout_s)
    release = refused_as(400, lambda: _release(body["release"], module_id, request.path_params["version"]))
    owner = _text_or_none(body, "owner", max_chars=_MAX_QUERY_CHARS)
    before = await service.backend.versions(module_id)
    if refused_as(403, lambda: check_publish(before, release, owner)):
        return answer_json(before.to_data())
    check_owner(token, module_id, owner=before.owner, claimed=owner)
    _check_size(before, release)
    await _check_blobs(service, release)
    await check_signatures(service.blobs, release, owner=before.owner or owner)
    try:
        index = await service.backend.enlist(release, owner=owner)
    except (IntegrityError, VersionConflictError) as error:  # somebody was faster
        status = 409 if isinstance(error, VersionConflictError) else 403
        raise Refusal(status, error.message, code=type(error).__name__) from None
    service.metrics.published.add()
    return answer_json(index.to_data(), 201)


async def yank_release(request: Request) -> Response:
    """``POST /v1/modules/{id}/{version}/yank``."""
    service, module_id = ServiceState.of(request), module_of(request)
    token = await service.caller(request, "yank", module_id)
    body = await read_json(request, {"reason"}, timeout_s=service.options.body_timeout_s)
    reason = _text_or_none(body, "reason", max_chars=_MAX_REASON_CHARS)
    before = await service.backend.versions(module_id)
    check_owner(token, module_id, owner=before.owner, claimed=None)
    index = await service.backend.yank(module_id, request.path_params["version"], reason)
    return answer_json(index.to_data())


async def search_modules(request: Request) -> Response:
    """``GET /v1/search``."""
    service = ServiceState.of(request)
    await service.may_read(request)
    asked = dict(request.query_params.multi_items())
    if len(asked) != len(request.query_params.multi_items()) or not asked.keys() <= {"q", "limit", "offset"}:
        raise Refusal(400, "a search takes q, limit and offset, each once")
    query = asked.get("q", "")
    if len(query) > _MAX_QUERY_CHARS:
        raise Refusal(400, f"a search takes up to {_MAX_QUERY_CHARS} characters")
    limit = _number(asked, "limit", 20, lowest=1, highest=_MAX_HITS)
    offset = _number(asked, "offset", 0, lowest=0, highest=_MAX_OFFSET)
    page = await service.backend.search(query, limit=limit, offset=offset)
    hits = [attrs.asdict(hit) for hit in page.hits]
    return answer_json({"hits": hits, "total": page.total}, request=request)


def _release(data: Any, module_id: str, version: str) -> Release:
    release = Release.from_data(data)
    if (release.id, release.version) != (module_id, version):
        raise IntegrityError(f"the release of {release.id} {release.version} stands under {module_id} {version}")
    if release.yanked is not None:
        raise IntegrityError(f"{module_id} {version} comes yanked: publish it first, then yank it")
    return release


def _check_size(index: ModuleIndex, release: Release) -> None:
    if len(to_json(index.with_release(release).to_data())) > _MAX_INDEX_BYTES:
        raise Refusal(413, f"the index of {index.id} is full: go on under another name")


async def _check_blobs(service: ServiceState, release: Release) -> None:
    """Make sure that every blob of a release is stored; what is stored has the bytes of its digest."""
    sizes = {blob: await service.blobs.size(blob.digest) for blob in blobs_of(release)}
    missing = sorted({blob.digest for blob, size in sizes.items() if size is None})
    if missing:
        raise Refusal(422, f"{release.id} {release.version}: upload what is missing first: {', '.join(missing)}")
    for blob, size in sizes.items():
        if size != blob.size:
            raise Refusal(422, f"{release.id} {release.version}: {blob.digest} has {size:,} bytes, not {blob.size:,}")


def _text_or_none(body: dict[str, Any], name: str, *, max_chars: int) -> str | None:
    value = body[name]
    if value is None or (isinstance(value, str) and 0 < len(value) <= max_chars):
        return value
    raise Refusal(400, f"{name} is neither null nor a text of 1 to {max_chars:,} characters")


def _number(asked: dict[str, str], name: str, default: int, *, lowest: int, highest: int) -> int:
    text = asked.get(name, str(default))
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS and lowest <= int(text) <= highest:
        return int(text)
    raise Refusal(400, f"{name} is a number from {lowest} to {highest:,}")
