"""`ApiClient`: what `api_call` means, over any `Transport`."""

from __future__ import annotations

import asyncio
import datetime
import math
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import attrs

from plataforma_sdk.api._auth import ApiAuth, AuthTransport
from plataforma_sdk.api._body import bounded_body, decode_body
from plataforma_sdk.api._chain import current_chain, use_chain
from plataforma_sdk.api._headers import check_headers
from plataforma_sdk.api._paths import (
    CheckedPath,
    check_method,
    check_path,
    check_url,
    is_url,
    join_query,
    write_query,
)
from plataforma_sdk.api._transport import (
    DEFAULT_MAX_BYTES,
    ModuleIdentity,
    Origin,
    Transport,
    TransportRequest,
    TransportResponse,
)
from plataforma_sdk.errors import ApiError, ApiStatusError, TransportError

__all__ = ["ApiClient"]


class ApiClient:
    """Calls the host's API, endpoints of modules and external hosts in the name of one module.

    Checks paths, methods and headers, adds the identity headers, caps size and time, and decodes the answer.
    Permissions are not its affair: the caller asks `needed_permission` first.

    >>> import asyncio
    >>> from plataforma_sdk.api import ApiClient, MockTransport
    >>> client = ApiClient(MockTransport({"GET /vendas/clientes": [{"id": 1}]}), module_id="vendas", version="1.0.0")
    >>> asyncio.run(client.request("/vendas/clientes"))
    [{'id': 1}]
    """

    def __init__(
        self,
        transport: Transport,
        *,
        module_id: str | None = None,
        version: str = "",
        subject: str = "default",
        auth: ApiAuth | None = None,
        timeout_s: float = 10.0,
        max_response_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        """Bind a transport to an identity; `auth` goes on relative paths only. Behind a router, use `AuthTransport`."""
        self.identity = ModuleIdentity(module_id, version, subject)
        self._transport = transport if auth is None else AuthTransport(transport, auth)
        self._timeout_s = timeout_s
        self._max_response_bytes = max_response_bytes

    async def request(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Call `path`, relative or an absolute https URL, and return the decoded answer.

        JSON arrives as plain data, text as str, other content as bytes, no content as None.

        Args:
            path: may carry a query; `params` are put behind it.
            method: one of `METHODS`.
            params: values are text, numbers, booleans, dates or lists of them; None leaves a parameter away.
            json: the body, None for none; refused with GET and HEAD.
            headers: names from `ALLOWED_HEADERS`.
            timeout_s: at most as long as the client's own; a call inside an endpoint ends with its caller's.

        Raises:
            ApiStatusError: the answer has a status of 400 or more, or 304.
            TransportError: the call is refused, there is no answer in time, or it is too large or not readable.
            CodecError: `json` does not cross a boundary.
        """
        try:
            request = self._build(path, method, params, json, headers)
            response = await self._send(request, min(self._timeout_s, timeout_s or self._timeout_s))
            return _read(response, request)
        except ApiError as error:
            error.module = error.module or self.identity.module
            raise

    def _build(
        self,
        path: str,
        method: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
    ) -> TransportRequest:
        name, (checked, origin) = check_method(method), _resolve(path)
        if json is not None and name in {"GET", "HEAD"}:
            raise TransportError(f"A {name} request has no body (RFC 9110 section 9.3.1); use params, or POST")
        sent = check_headers(headers)
        if json is not None:
            sent.setdefault("content-type", "application/json")
        sent.setdefault("accept", "application/json, */*;q=0.5")
        if origin is None:
            sent.update(self.identity.headers)  # a stranger has no need to know which module calls
        return TransportRequest(
            method=name,
            path=checked.path,
            raw_path=checked.raw_path,
            query=join_query(checked.query, write_query(_pairs(params or {}))),
            headers=sent,
            json=json,
            identity=self.identity,
            origin=origin,
            max_response_bytes=self._max_response_bytes,
        )

    async def _send(self, request: TransportRequest, timeout_s: float) -> TransportResponse:
        chain = current_chain()
        deadline = asyncio.get_running_loop().time() + timeout_s
        if chain.deadline is not None:
            deadline = min(deadline, chain.deadline)
        timer = asyncio.timeout_at(deadline)
        try:
            with use_chain(attrs.evolve(chain, deadline=deadline)):
                async with timer:
                    return await self._transport.send(request)
        except TimeoutError:
            if not timer.expired():
                raise
            text = f"{request.method} {request.path} did not answer in time, {timeout_s:g} s at most"
            raise TransportError(f"{text}; ask for less, or try again later") from None


def _resolve(path: str) -> tuple[CheckedPath, Origin | None]:
    if not is_url(path):
        return check_path(path), None
    url = check_url(path)
    return url.path, Origin(url.host, url.port)


def _read(response: TransportResponse, request: TransportRequest) -> Any:
    if len(response.body) > request.max_response_bytes:
        raise TransportError(f"The answer is larger than {request.max_response_bytes:,} bytes; ask for less at a time")
    if response.status >= HTTPStatus.BAD_REQUEST or response.status == HTTPStatus.NOT_MODIFIED:
        raise ApiStatusError(response.status, body=bounded_body(response), path=request.path)
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        raise TransportError(f"{request.path} answered {response.status}; redirects are not followed: call its target")
    return None if request.method == "HEAD" else decode_body(response)


def _pairs(params: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    for name, value in params.items():
        values = value if isinstance(value, (list, tuple)) else (value,)
        pairs.extend((str(name), _write_param(str(name), item)) for item in values if item is not None)
    return pairs


def _write_param(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TransportError(f"The parameter {name[:40]!a} is a {type(value).__name__}; send text, a number or a date")
