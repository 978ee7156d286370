"""The contract between `ApiClient` and what carries its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, Self, runtime_checkable

import attrs

from plataforma_sdk import codec
from plataforma_sdk.api._json import write_json
from plataforma_sdk.types import module_segment

__all__ = ["ModuleIdentity", "Origin", "Transport", "TransportRequest", "TransportResponse"]

CODEC_TYPE: Final = "application/vnd.plataforma+json"
"""Bodies in the dialect of `codec`: what endpoints answer, so that a Decimal arrives as one."""

HTTPS_PORT: Final = 443
DEFAULT_MAX_BYTES: Final = 4 * 1024 * 1024


@attrs.frozen
class ModuleIdentity:
    """Who calls: set by the host, never by the caller.

    Attributes:
        module: id of the module, or None for the host itself.
        version: its version.
        subject: the user or tenant that the host acts for.
    """

    module: str | None = None
    version: str = ""
    subject: str = "default"

    @property
    def headers(self) -> dict[str, str]:
        """``X-Module-ID`` and ``X-Module-Version``: information, not proof; anyone on a network can send them."""
        if self.module is None:
            return {}
        return {"x-module-id": module_segment(self.module), "x-module-version": self.version}


@attrs.frozen
class Origin:
    """Host and port of an absolute https URL.

    Attributes:
        host: the name, in lower case.
        port: where it listens.
    """

    host: str
    port: int = HTTPS_PORT

    @property
    def netloc(self) -> str:
        """What stands in the Host header."""
        return self.host if self.port == HTTPS_PORT else f"{self.host}:{self.port}"


@attrs.frozen(kw_only=True)
class TransportRequest:
    """One call, checked and ready to send.

    Attributes:
        method: in upper case.
        path: the decoded path, ``"/vendas/clientes"``.
        raw_path: the same path as it goes over a wire, percent-encoded.
        query: percent-encoded, without ``?``.
        headers: names in lower case.
        json: the value to send, data of the codec; None for no body.
        identity: who calls.
        origin: where an absolute URL points; None for the host's own API and endpoints.
        max_response_bytes: cap on the answer, before and after decompression.
    """

    method: str
    path: str
    raw_path: bytes
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    json: Any = None
    identity: ModuleIdentity = attrs.field(factory=ModuleIdentity)
    origin: Origin | None = None
    max_response_bytes: int = DEFAULT_MAX_BYTES

    @property
    def body(self) -> bytes:
        """`json` as plain JSON text, written at each access; empty where there is none.

        Raises:
            TransportError: the value holds bytes.
        """
        return write_json(self.json)

    @property
    def target(self) -> bytes:
        """Path and query as one, the request target of HTTP/1.1."""
        return self.raw_path + (b"?" + self.query.encode("ascii") if self.query else b"")


@attrs.frozen(kw_only=True)
class TransportResponse:
    """An answer, complete and decompressed.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; the last one of a repeated name.
        body: at most `TransportRequest.max_response_bytes`.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Self:
        """Answer with a value of the codec.

        Raises:
            CodecError: the value does not cross a boundary.
        """
        return cls(status=status, headers={"content-type": CODEC_TYPE}, body=codec.encode(value).encode())


@runtime_checkable
class Transport(Protocol):
    """Carries calls: an HTTP client, an application in this process, the endpoints of modules, a mock.

    May also have ``async def aclose(self)``; whoever made the transport closes it.
    """

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Carry `request` and return the whole answer, whatever its status.

        Raises:
            TransportError: there is no answer, or it is larger than ``request.max_response_bytes``.
        """
