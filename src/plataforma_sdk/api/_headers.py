"""Request headers: what a module may send, and how a value must look.

**Source:** RFC 9110 section 5.5; header injection as in CVE-2019-9740 and CVE-2016-5699.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from plataforma_sdk.errors import TransportError

__all__ = ["ALLOWED_HEADERS", "check_credentials", "check_headers"]

ALLOWED_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-language",
        "content-type",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "idempotency-key",
    }
)
"""Names that a module may send, in lower case. Everything else could carry credentials, routing or framing."""

MAX_VALUE_CHARS: Final = 1_024
_FRAMING: Final = frozenset({"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"})
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", re.ASCII)
_VALUE: Final = re.compile(r"[\x20-\x7e]*", re.ASCII)


def check_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return a module's headers with lower-case names.

    Raises:
        TransportError: a name that is not on the list, a repeated one, or a value that is not printable ASCII.
    """
    checked: dict[str, str] = {}
    for name, value in (headers or {}).items():
        key = name.lower() if isinstance(name, str) else ""
        if key not in ALLOWED_HEADERS:
            allowed = ", ".join(sorted(ALLOWED_HEADERS))
            raise TransportError(f"The request header {str(name)[:60]!a} is refused: a module may send {allowed}")
        if key in checked:
            raise TransportError(f"The request header {key!r} is given twice; send it once")
        checked[key] = _check_value(key, value)
    if "content-type" in checked and not is_json_type(checked["content-type"]):
        raise TransportError("The content-type is refused: a body is always JSON; send application/json or none")
    return checked


def check_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what the host's `api_auth` attaches, with lower-case names.

    Raises:
        TransportError: a name or value that would change the framing of the request.
    """
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if _NAME.fullmatch(name) is None or name.lower() in _FRAMING:
            raise TransportError("api_auth returned a header that it may not set; return credentials only")
        checked[name.lower()] = _check_value("of api_auth", value, limit=16_384)
    return checked


def is_json_type(content_type: str) -> bool:
    """Tell whether a Content-Type means JSON: ``application/json`` or any ``application/*+json``."""
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _check_value(name: str, value: object, limit: int = MAX_VALUE_CHARS) -> str:
    if not isinstance(value, str) or _VALUE.fullmatch(value) is None:
        # the value stays out of the message: it may be a credential
        raise TransportError(f"The value of the header {name} is refused: send printable ASCII, without line breaks")
    if len(value) > limit:
        raise TransportError(f"The value of the header {name} is refused: it is longer than {limit:,} characters")
    return value
