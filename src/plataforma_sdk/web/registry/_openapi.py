"""The OpenAPI 3.1 document of the service; a test holds it against the routes and the records."""

from __future__ import annotations

from typing import Any, Final

from plataforma_sdk import __version__

__all__ = ["EXAMPLE", "describe"]

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_NO_BYTES: Final = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_DIGEST: Final = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_ID: Final = {
    "type": "string",
    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$",
    "maxLength": 64,
}
_VERSION: Final = {"type": "string", "description": "A semantic version.", "maxLength": 256}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_BLOB: Final = _object(digest=_DIGEST, size={"type": "integer", "minimum": 0, "maximum": 1 << 30}, media_type=_TEXT)
_RELEASE: Final = _object(
    id=_ID,
    version=_VERSION,
    digest=_DIGEST,
    archive=_ref("Blob"),
    name=_TEXT,
    description=_TEXT,
    licence=_TEXT,
    authors={"type": "array", "items": _TEXT},
    sdk=_TEXT,
    excluded_tiers={"type": "array", "items": _TEXT},
    dependencies={"type": "object", "additionalProperties": _TEXT},
    attachments={"type": "object", "additionalProperties": _ref("Blob")},
    publisher=_TEXT_OR_NULL,
    published_at=_TEXT,
    yanked=_TEXT_OR_NULL,
)
EXAMPLE: Final = {
    "id": "vendas",
    "version": "1.0.0",
    "digest": _NO_BYTES,
    "archive": {"digest": _NO_BYTES, "size": 0, "media_type": "application/vnd.plataforma.module.v1+zip"},
    "name": "Vendas",
    "description": "Painel de vendas",
    "licence": "MIT",
    "authors": ["Ana"],
    "sdk": ">=0.1",
    "excluded_tiers": [],
    "dependencies": {"acme/clientes": "^1"},
    "attachments": {},
    "publisher": None,
    "published_at": "2026-01-31T12:00:00Z",
    "yanked": None,
}
"""A release that can be published where the blob of no bytes is there."""
_SCHEMAS: Final = {
    "Blob": _BLOB,
    "Release": _RELEASE,
    "Index": _object(
        id=_ID,
        revision={"type": "integer", "minimum": 0},
        owner=_TEXT_OR_NULL,
        releases={"type": "array", "items": _ref("Release")},
    ),
    "Hit": _object(id=_ID, version=_VERSION, name=_TEXT, description=_TEXT),
    "Page": _object(hits={"type": "array", "items": _ref("Hit")}, total={"type": "integer", "minimum": 0}),
    "Health": _object(is_ready={"type": "boolean"}, detail=_TEXT),
    "Error": _object(error=_object(code=_TEXT, message=_TEXT)),
}


def _parameter(name: str, where: str, schema: dict[str, Any], text: str, **more: str) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "description": text, **more}


_PATH_ID: Final = _parameter(
    "id",
    "path",
    {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*(--[a-z0-9]+(-[a-z0-9]+)*)?$", "maxLength": 65},
    "A module id as one segment: acme--vendas for acme/vendas.",
    example="vendas",
)
_PATH_VERSION: Final = _parameter("version", "path", _VERSION, "Percent-encoded: 1.0.0%2Bbuild.7.", example="1.0.0")
_PATH_DIGEST: Final = _parameter("digest", "path", _DIGEST, "What the bytes are.", example=_NO_BYTES)
_IF_NONE_MATCH: Final = _parameter("If-None-Match", "header", _TEXT, "The ETag of what the client has.")
_RANGE: Final = _parameter("Range", "header", _TEXT, "One part: bytes=4096-.")
_CONTENT_DIGEST: Final = _parameter(
    "Content-Digest", "header", _TEXT, "sha-256=:BASE64: of the body (RFC 9530); one that does not fit is refused."
)


def _json(name: str, text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": _ref(name)}}}


def _bytes(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}


def _refusals(*statuses: int) -> dict[str, Any]:
    return {str(status): _json("Error", _WORDS[status]) for status in (*statuses, 429, 500, 503)}


_WORDS: Final = {
    400: "Malformed, or not what its digest says.",
    401: "No token, or one that is not valid.",
    403: "The token's scopes do not reach so far, or the namespace belongs to another key.",
    404: "There is no such blob or version.",
    408: "The body did not arrive in time.",
    409: "This version exists with other content.",
    411: "A body without Content-Length.",
    413: "Too large.",
    416: "A range behind the end.",
    422: "A release whose blobs are not all there.",
    429: "Too many requests; Retry-After in seconds.",
    500: "What is stored is damaged, or the service failed.",
    501: "The release is signed, and the service lacks what it verifies that with.",
    503: "The service cannot be used now.",
}
_NOT_MODIFIED: Final = {"304": {"description": "The client has it."}}


def _operation(
    name: str,
    text: str,
    *parameters: dict[str, Any],
    answers: dict[str, Any],
    body: dict[str, Any] | None = None,
    access: str = "none",
) -> dict[str, Any]:
    """Write one operation; `access` is ``"token"``, ``"read"`` (a token in a private registry) or ``"none"``."""
    operation: dict[str, Any] = {"operationId": name, "summary": text, "responses": answers}
    if parameters:
        operation["parameters"] = list(parameters)
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    operation["security"] = {"token": [{"token": []}], "read": [{}, {"token": []}], "none": [{}]}[access]
    return operation


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}


def _modules() -> dict[str, Any]:
    index = {"200": _json("Index", "The index.")}
    writes = (400, 401, 403, 408, 411, 413)
    reason = {"type": ["string", "null"], "minLength": 1, "maxLength": 2_000}
    owner = {"type": ["string", "null"], "minLength": 1, "maxLength": 200}
    return {
        "/v1/modules/{id}": {
            "get": _operation(
                "read_index",
                "A module's index.",
                _PATH_ID,
                _IF_NONE_MATCH,
                answers=index | _NOT_MODIFIED | _refusals(400, 401, 403),
                access="read",
            )
        },
        "/v1/modules/{id}/{version}": {
            "put": _operation(
                "publish_release",
                "List a release whose blobs are there.",
                _PATH_ID,
                _PATH_VERSION,
                _CONTENT_DIGEST,
                answers=index
                | {"201": _json("Index", "The index with the release.")}
                | _refusals(*writes, 409, 422, 501),
                body=_body(_object(release=_ref("Release"), owner=owner), {"release": EXAMPLE, "owner": None}),
                access="token",
            )
        },
        "/v1/modules/{id}/{version}/yank": {
            "post": _operation(
                "yank_release",
                "Yank a version, or take that back.",
                _PATH_ID,
                _PATH_VERSION,
                _CONTENT_DIGEST,
                answers=index | _refusals(*writes, 404),
                body=_body(_object(reason=reason), {"reason": "loses sales on leap days"}),
                access="token",
            )
        },
    }


def _blobs(max_blob_bytes: int) -> dict[str, Any]:
    content = {"type": "string", "maxLength": max_blob_bytes}
    found = {"200": _bytes("All bytes."), "206": _bytes("One part.")}
    return {
        "/v1/blobs/{digest}": {
            "get": _operation(
                "read_blob",
                "A blob, or a part of it; HEAD answers the same without the bytes.",
                _PATH_DIGEST,
                _IF_NONE_MATCH,
                _RANGE,
                answers=found | _NOT_MODIFIED | _refusals(400, 401, 403, 404, 416),
                access="read",
            ),
            "put": _operation(
                "upload_blob",
                f"Upload a blob of up to {max_blob_bytes:,} bytes.",
                _PATH_DIGEST,
                answers={"200": {"description": "It was there."}, "201": {"description": "It is stored."}}
                | _refusals(400, 401, 403, 408, 411, 413),
                body={"application/octet-stream": {"schema": content, "example": ""}},
                access="token",
            ),
        }
    }


def _search() -> dict[str, Any]:
    parameters = (
        _parameter("q", "query", {"type": "string", "maxLength": 200}, "Beginnings of words; all of them count."),
        _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Hits."),
        _parameter(
            "offset", "query", {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0}, "Skipped."
        ),
    )
    answers = {"200": _json("Page", "A page of modules.")} | _NOT_MODIFIED | _refusals(400, 401, 403)
    operation = _operation(
        "search_modules", "Find modules.", _IF_NONE_MATCH, *parameters, answers=answers, access="read"
    )
    return {"/v1/search": {"get": operation}}


def _metadata() -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^([1-9][0-9]{0,17}\\.)?[a-z]+(-[0-9a-f]{2})?\\.json$", "maxLength": 40}
    name = _parameter("name", "path", schema, "timestamp.json, or VERSION.ROLE.json.", example="timestamp.json")
    signed = {"description": "It, as it was signed.", "content": {"application/json": {"schema": {"type": "object"}}}}
    answers = {"200": signed} | _refusals(400, 401, 403, 404)
    operation = _operation("read_metadata", "TUF metadata, where there is any.", name, answers=answers, access="read")
    return {"/v1/tuf/{name}": {"get": operation}}


def _about() -> dict[str, Any]:
    metrics = {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": _TEXT}}}
    unready = {"503": _json("Health", "It cannot serve, or is about to stop.")}
    document = {"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "/health": {
            "get": _operation("health", "Whether the process lives.", answers={"200": _json("Health", "Yes.")})
        },
        "/ready": {
            "get": _operation("ready", "Whether it can serve.", answers={"200": _json("Health", "Yes.")} | unready)
        },
        "/metrics": {
            "get": _operation("metrics", "Counters.", answers={"200": metrics} | _refusals(401, 403), access="read")
        },
        "/openapi.json": {
            "get": _operation(
                "openapi", "This document.", _IF_NONE_MATCH, answers={"200": document} | _NOT_MODIFIED | _refusals()
            )
        },
    }


def describe(max_blob_bytes: int) -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "plataforma registry",
            "version": __version__,
            "description": "Modules by id and version, blobs by digest; in words: docs/reference/registry-http.md",
        },
        "paths": _modules() | _blobs(max_blob_bytes) | _search() | _metadata() | _about(),
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
