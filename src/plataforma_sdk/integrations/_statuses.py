"""What an error of the library is to an HTTP client."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from plataforma_sdk.errors import (
    ApiError,
    CodecError,
    IntegrityError,
    InvalidPermissionError,
    ManifestError,
    ModuleError,
    ModuleLoadError,
    ModuleStateError,
    PackageNotFoundError,
    PermissionDeniedError,
    PlataformaError,
    QuotaExceededError,
    RegistryError,
    RenderError,
    ResourceLimitError,
    SandboxError,
    UnknownHandlerError,
)

__all__ = ["describe_error", "status_of"]

_STATUSES: Final[tuple[tuple[type[PlataformaError], HTTPStatus], ...]] = (
    (PermissionDeniedError, HTTPStatus.FORBIDDEN),
    (InvalidPermissionError, HTTPStatus.BAD_REQUEST),
    (CodecError, HTTPStatus.BAD_REQUEST),
    (UnknownHandlerError, HTTPStatus.CONFLICT),
    (QuotaExceededError, HTTPStatus.TOO_MANY_REQUESTS),
    (ResourceLimitError, HTTPStatus.GATEWAY_TIMEOUT),
    (PackageNotFoundError, HTTPStatus.NOT_FOUND),
    (ModuleStateError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ModuleLoadError, HTTPStatus.BAD_GATEWAY),
    (ManifestError, HTTPStatus.BAD_GATEWAY),
    (IntegrityError, HTTPStatus.BAD_GATEWAY),
    (SandboxError, HTTPStatus.BAD_GATEWAY),
    (RenderError, HTTPStatus.BAD_GATEWAY),
    (RegistryError, HTTPStatus.BAD_GATEWAY),
    (ApiError, HTTPStatus.BAD_GATEWAY),
    (ModuleError, HTTPStatus.NOT_FOUND),
)
"""The first that fits: a module's own faults are those of a gateway's other side, not of the application."""


def status_of(error: PlataformaError) -> int:
    """Return the status: ``status`` of the error's class where it has one, 500 for what is not foreseen.

    >>> status_of(PermissionDeniedError("api.vendas"))
    403
    """
    own = getattr(type(error), "http_status", None)
    if isinstance(own, int):
        return int(own)
    return next((int(status) for cls, status in _STATUSES if isinstance(error, cls)), 500)


def describe_error(error: PlataformaError) -> dict[str, Any]:
    """Write the body of the answer: ``{"error", "module", "message"}``.

    The message is the error's own where the client can do something about it; a module's fault stays in the log, since
    its text and traceback may hold what another user may not see.
    """
    status = status_of(error)
    message = error.message if status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus(status).phrase
    return {"error": type(error).__name__, "module": error.module, "message": message}
