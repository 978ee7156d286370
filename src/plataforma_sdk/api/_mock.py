"""A transport for tests: answers from a table or a function, and remembers what was asked."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from plataforma_sdk.api._transport import TransportRequest, TransportResponse

__all__ = ["MockHandler", "MockTransport"]

MockHandler: TypeAlias = Callable[[TransportRequest], "TransportResponse | Awaitable[Any] | Any"]
"""Answers a request: a value, a `TransportResponse`, or something to await for one of them."""


class MockTransport:
    """Answers without a network.

    `routes` is a function from request to answer, or a table: ``"GET /vendas/clientes"`` or a bare path -> an answer or
    such a function. An answer is a `TransportResponse` or a value of the codec; whatever is not in the table is a 404.

    Attributes:
        requests: every request so far, oldest first.
    """

    def __init__(self, routes: MockHandler | Mapping[str, Any]) -> None:
        self.requests: list[TransportRequest] = []
        self._routes = routes

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Remember the request and answer it."""
        self.requests.append(request)
        answer = self._find(request)
        if callable(answer):
            answer = answer(request)
            if inspect.isawaitable(answer):
                answer = await answer
        return answer if isinstance(answer, TransportResponse) else TransportResponse.of(answer)

    def _find(self, request: TransportRequest) -> Any:
        if callable(self._routes):
            return self._routes
        for name in route_names(request):
            if name in self._routes:
                return self._routes[name]
        return TransportResponse.of({"error": f"the mock has no answer for {route_names(request)[0]}"}, 404)


def route_names(request: TransportRequest) -> tuple[str, str]:
    """Return what a table may call a request, the more exact first: ``"GET /path"`` and ``"/path"``."""
    name = request.path if request.origin is None else f"https://{request.origin.host}{request.path}"
    return f"{request.method} {name}", name
