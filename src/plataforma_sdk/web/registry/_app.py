"""The service as an ASGI application; imports Starlette, so `_service` imports this late."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.web.registry._answers import Refusal, answer_bytes, answer_json, refuse
from plataforma_sdk.web.registry._blobs import read_blob, upload_blob
from plataforma_sdk.web.registry._modules import publish_release, read_index, search_modules, yank_release
from plataforma_sdk.web.registry._observe import Observe
from plataforma_sdk.web.registry._openapi import describe
from plataforma_sdk.web.registry._rates import LimitRates
from plataforma_sdk.web.registry._state import ServiceState

__all__ = ["ROUTES", "make_app"]

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def health(_: Request) -> Response:
    """``GET /health``."""
    return answer_json({"is_ready": True, "detail": "the process lives"})


async def ready(request: Request) -> Response:
    """``GET /ready``."""
    service = ServiceState.of(request)
    found = await service.backend.health()
    is_ready = found.is_ready and not service.is_stopping
    detail = "about to stop" if service.is_stopping else found.detail
    return answer_json({"is_ready": is_ready, "detail": detail}, 200 if is_ready else 503)


async def metrics(request: Request) -> Response:
    """``GET /metrics``."""
    service = ServiceState.of(request)
    await service.may_read(request)
    return Response(service.metrics.write(), headers={"content-type": _METRICS_TYPE})


async def openapi(request: Request) -> Response:
    """``GET /openapi.json``."""
    return answer_json(describe(ServiceState.of(request).options.max_blob_bytes), request=request)


async def read_metadata(request: Request) -> Response:
    """``GET /v1/tuf/{name}``."""
    service, name = ServiceState.of(request), str(request.path_params["name"])
    await service.may_read(request)
    data = await service.backend.beside(lambda database, catalogue: service.tuf.file(database, catalogue, name))
    if data is None:
        raise Refusal(404, f"there is no TUF metadata {name[:80]!r}", code="PackageNotFoundError")
    return answer_bytes(data)


ROUTES = (
    Route("/v1/modules/{id}", read_index, methods=["GET"]),
    Route("/v1/modules/{id}/{version}", publish_release, methods=["PUT"]),
    Route("/v1/modules/{id}/{version}/yank", yank_release, methods=["POST"]),
    Route("/v1/blobs/{digest}", read_blob, methods=["GET"]),  # and HEAD, which Starlette adds
    Route("/v1/blobs/{digest}", upload_blob, methods=["PUT"]),
    Route("/v1/tuf/{name}", read_metadata, methods=["GET"]),
    Route("/v1/search", search_modules, methods=["GET"]),
    Route("/health", health, methods=["GET"]),
    Route("/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
    Route("/openapi.json", openapi, methods=["GET"]),
)


def make_app(service: ServiceState) -> ASGIApp:
    """Put the routes together, and around them what is done for each request."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.open()
        try:
            yield
        finally:
            await service.aclose()

    handlers = dict.fromkeys((Refusal, RegistryError, Exception), refuse) | {HTTPException: _no_route}
    app = Starlette(routes=list(ROUTES), exception_handlers=handlers, lifespan=lifespan)
    app.router.redirect_slashes = False
    app.state.service = service
    limited = LimitRates(app, service.options.max_requests_per_s, service.metrics.limited)
    return Observe(limited, service.metrics)


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer a path or a method that is none of ours."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (404, None)
    words = "no such route: see /openapi.json" if status == 404 else "not with this method: see /openapi.json"  # noqa: PLR2004
    return refuse(request, Refusal(status, words, headers=headers))
