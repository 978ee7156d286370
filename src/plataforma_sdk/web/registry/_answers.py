"""What the service answers: JSON with the digest of its body, and refusals of one shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from plataforma_sdk.errors import (
    IntegrityError,
    PackageNotFoundError,
    RegistryError,
    SecurityScanError,
    VersionConflictError,
)
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry._json import to_json

__all__ = ["Refusal", "answer_bytes", "answer_json", "is_unchanged", "refusal_of", "refuse", "refused_as"]

T = TypeVar("T")

_STATUSES: Final[tuple[tuple[type[RegistryError], int], ...]] = (
    (PackageNotFoundError, 404),
    (VersionConflictError, 409),
    (SecurityScanError, 422),
    (IntegrityError, 500),  # what is stored is damaged; what was sent is refused before it is stored
    (RegistryError, 503),
)


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of the service
    """An answer of 400 and more.

    Attributes:
        status: of HTTP.
        code: name of the class that the client raises.
        message: what, which module, the next step.
        headers: besides.
    """

    def __init__(
        self, status: int, message: str, *, code: str = "RegistryError", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def refusal_of(error: RegistryError) -> Refusal:
    """Return how a fault of the store is answered."""
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    headers = {"retry-after": "1"} if status == 503 else {}  # noqa: PLR2004 - the one status that passes
    return Refusal(status, error.message, code=type(error).__name__, headers=headers)


def refused_as(status: int, check: Callable[[], T]) -> T:
    """Run a check of what a client sent, and refuse with a status what it does not let pass."""
    try:
        return check()
    except IntegrityError as error:
        raise Refusal(status, error.message, code="IntegrityError") from None


def refuse(_: Request, error: Exception) -> Response:
    """Answer a refusal, a fault of the store, or what nobody expected, whose words stay in the log."""
    if isinstance(error, RegistryError):
        error = refusal_of(error)
    if not isinstance(error, Refusal):
        error = Refusal(500, "the service failed; its log says why")
    return _json(error.status, {"error": {"code": error.code, "message": error.message}}, error.headers)


def answer_json(data: Any, status: int = 200, *, request: Request | None = None) -> Response:
    """Answer plain data with the digest of its body; with 304 where the request names that digest."""
    answer = _json(status, data, {"cache-control": "no-cache"})
    etag = f'"{digest_of(bytes(answer.body))}"'
    if request is not None and is_unchanged(request, etag):
        return Response(status_code=304, headers={"etag": etag, "cache-control": "no-cache"})
    answer.headers["etag"] = etag
    return answer


def answer_bytes(body: bytes) -> Response:
    """Answer JSON as it was signed, byte for byte."""
    headers = {"cache-control": "no-cache", "etag": f'"{digest_of(body)}"'}
    return Response(body, headers=headers, media_type="application/json")


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether the client has what this ETag names (RFC 9110, 13.1.2)."""
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    return etag in known or known == ["*"]


def _json(status: int, data: Any, headers: Mapping[str, str]) -> Response:
    return Response(to_json(data), status, headers=dict(headers), media_type="application/json")
