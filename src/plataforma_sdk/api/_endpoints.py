"""Endpoints of modules: one module calls another, through the host."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import attrs

from plataforma_sdk.api._chain import CallChain, current_chain, use_chain
from plataforma_sdk.api._headers import ALLOWED_HEADERS
from plataforma_sdk.api._paths import CheckedPath, check_method, check_path
from plataforma_sdk.api._transport import TransportRequest, TransportResponse
from plataforma_sdk.errors import ApiError, ApiStatusError, QuotaExceededError, TransportError
from plataforma_sdk.logs import logger_of
from plataforma_sdk.types import ApiRequest, Subscription, module_segment

__all__ = ["EndpointHandler", "EndpointTable"]

EndpointHandler: TypeAlias = Callable[[ApiRequest], "Awaitable[Any] | Any"]
"""Serves an `ApiRequest`; what it returns, or what comes of awaiting that, is the answer."""

MAX_DEPTH: Final = 8
MAX_IN_FLIGHT: Final = 64
MAX_ENDPOINTS: Final = 256

_log = logger_of("plataforma_sdk.api")


@attrs.frozen(eq=False)
class _Endpoint:
    module_id: str
    handler: EndpointHandler


class EndpointTable:
    """The endpoints of all modules of one host; a `Transport`.

    >>> import asyncio
    >>> from plataforma_sdk.api import ApiClient, EndpointTable
    >>> table = EndpointTable()
    >>> _ = table.register("vendas", "/vendas/resumo", ["GET"], lambda request: {"caller": request.caller})
    >>> asyncio.run(ApiClient(table, module_id="painel").request("/vendas/resumo"))
    {'caller': 'painel'}
    """

    def __init__(self, *, on_error: Callable[[str, BaseException], None] | None = None) -> None:
        """Make an empty table; `on_error` gets the module's id and what its handler raised, for the host's log."""
        self._on_error = on_error or _log_error
        self._routes: dict[str, dict[str, list[_Endpoint]]] = {}  # path -> method -> newest last
        self._in_flight: Counter[str] = Counter()

    def register(
        self,
        module_id: str,
        path: str,
        methods: Iterable[str],
        handler: EndpointHandler,
        *,
        allowed: Mapping[str, Collection[str]] | None = None,
    ) -> Subscription:
        """Serve `path` by `handler` until the subscription ends or `dispose` is called.

        A later registration of the same path and method takes over, and gives back when it ends: during a reload the
        new instance registers while the old one still serves.

        Args:
            module_id: the owner; its segment must be the first of `path`.
            path: without a query.
            methods: those that this handler serves.
            handler: gets an `ApiRequest` and returns data of the codec, at once or awaited. To answer with an error
                status it raises `ApiStatusError`.
            allowed: ``[endpoints]`` of the manifest, path -> methods; None lets the module serve all under its segment.

        Raises:
            ApiError: the path is not the module's own, or not declared; the message says the line to add.
            TransportError: the path or a method is refused.
            QuotaExceededError: the module has too many endpoints.
        """
        checked, names = check_path(path), tuple(map(check_method, methods))
        _check_declared(module_id, checked, names, allowed)
        if sum(1 for endpoint in self._all() if endpoint.module_id == module_id) + len(names) > MAX_ENDPOINTS:
            raise QuotaExceededError("endpoints", limit=MAX_ENDPOINTS, unit="endpoints", module=module_id)
        endpoint = _Endpoint(module_id, handler)
        for name in names:
            self._routes.setdefault(checked.path, {}).setdefault(name, []).append(endpoint)
        return Subscription(checked.path, lambda: self._remove(lambda other: other is endpoint))

    def dispose(self, module_id: str) -> None:
        """Remove all endpoints of a module."""
        self._remove(lambda endpoint: endpoint.module_id == module_id)

    def serves(self, path: str) -> bool:
        """Tell whether some module serves `path`, by whatever method."""
        return path in self._routes

    @property
    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """Path -> methods served."""
        return {path: tuple(methods) for path, methods in self._routes.items()}

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Let the owner's handler answer: 404 for an unknown path, 405 for a method, 500 for a handler's fault.

        Raises:
            QuotaExceededError: the chain of calls is deeper than 8, or the owner has 64 calls in flight.
            TransportError: an absolute URL, or an answer that is too large.
        """
        if request.origin is not None:
            raise TransportError("Endpoints of modules serve relative paths only")
        methods = self._routes.get(request.path)
        if methods is None:
            return _failure(404, "no module serves this path")
        found = methods.get(request.method)
        if found is None:
            return _failure(405, f"use {', '.join(methods)}")
        return await self._dispatch(found[-1], request)

    async def _dispatch(self, endpoint: _Endpoint, request: TransportRequest) -> TransportResponse:
        chain, owner = current_chain(), endpoint.module_id
        _check_room("endpoint_depth", chain.depth, MAX_DEPTH, request)
        _check_room("endpoint_calls", self._in_flight[owner], MAX_IN_FLIGHT, request)
        self._in_flight[owner] += 1
        try:
            with use_chain(CallChain(chain.depth + 1, chain.deadline)):
                return await self._answer(endpoint, request)
        finally:
            self._in_flight[owner] -= 1
            if not self._in_flight[owner]:
                del self._in_flight[owner]

    async def _answer(self, endpoint: _Endpoint, request: TransportRequest) -> TransportResponse:
        try:
            response = await _call(endpoint.handler, _api_request(request))
        except Exception as error:  # noqa: BLE001 - a handler may raise anything; the caller learns only that it did
            self._on_error(endpoint.module_id, error)
            return _failure(500, f"the endpoint of module {endpoint.module_id!r} failed")
        if len(response.body) > request.max_response_bytes:
            raise TransportError(
                f"{request.path} answered more than {request.max_response_bytes:,} bytes; ask for less"
            )
        return response

    def _all(self) -> Iterable[_Endpoint]:
        return (item for methods in self._routes.values() for stack in methods.values() for item in stack)

    def _remove(self, is_gone: Callable[[_Endpoint], bool]) -> None:
        for path, methods in list(self._routes.items()):
            for name, stack in list(methods.items()):
                stack[:] = [endpoint for endpoint in stack if not is_gone(endpoint)]
                if not stack:
                    del methods[name]
            if not methods:
                del self._routes[path]


async def _call(handler: EndpointHandler, request: ApiRequest) -> TransportResponse:
    try:
        result = handler(request)
        return TransportResponse.of(await result if inspect.isawaitable(result) else result)
    except ApiStatusError as error:
        if error.status not in range(400, 600):
            raise
        return TransportResponse.of(error.body, error.status)


def _check_declared(
    module_id: str, path: CheckedPath, methods: tuple[str, ...], allowed: Mapping[str, Collection[str]] | None
) -> None:
    segment = module_segment(module_id)
    if path.segments[0] != segment:
        raise ApiError(
            f"Module {module_id!r} may not serve {path.path!r}: its paths begin with '/{segment}/'", module=module_id
        )
    if path.query:
        raise ApiError(f"Module {module_id!r} may not serve a query; register {path.path!r}", module=module_id)
    declared = None if allowed is None else {method.upper() for method in allowed.get(path.path, ())}
    if declared is not None and not declared.issuperset(methods):
        line = f'"{path.path}" = [{", ".join(f"{chr(34)}{m}{chr(34)}" for m in sorted(declared | set(methods)))}]'
        raise ApiError(
            f"Module {module_id!r} did not declare {'/'.join(methods)} {path.path!r}: "
            f"add the line {line} to [endpoints] in module.toml",
            module=module_id,
        )


def _check_room(resource: str, used: int, limit: int, request: TransportRequest) -> None:
    if used >= limit:
        raise QuotaExceededError(
            resource,
            used=used + 1,
            limit=limit,
            unit="calls",
            module=request.identity.module,
            advice="endpoints that call each other must come to an end",
        )


def _api_request(request: TransportRequest) -> ApiRequest:
    params: dict[str, Any] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        if name not in params:
            params[name] = value
        elif isinstance(params[name], list):
            params[name].append(value)
        else:
            params[name] = [params[name], value]
    headers = {name: value for name, value in request.headers.items() if name in ALLOWED_HEADERS}
    return ApiRequest(request.method, request.path, params, request.json, headers, request.identity.module)


def _failure(status: int, text: str) -> TransportResponse:
    return TransportResponse.of({"error": text}, status)


def _log_error(module_id: str, error: BaseException) -> None:
    _log.error("An endpoint of module %r failed", module_id, exc_info=error)
