"""The API that a module calls, from a table; a call that nobody expected is refused and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plataforma_sdk.api import MockTransport, TransportRequest, TransportResponse, route_names

__all__ = ["FakeApi", "UnexpectedCallError"]


class UnexpectedCallError(AssertionError):
    """A module called what the test had no answer for."""


class FakeApi:
    """Answers `api_call` from a table and remembers what was asked.

    Args:
        routes: ``"GET /vendas/clientes"`` or a bare path -> the answer: a value, a `TransportResponse`, or a function
            ``(request) -> answer``, async or not.

    Attributes:
        requests: every request, oldest first: ``.method``, ``.path``, ``.query``, ``.json``.
        unexpected: requests that the table had no answer for.

    >>> api = FakeApi({"/vendas/clientes": [{"nome": "Ana"}]})
    >>> api.answer("POST /vendas/clientes", {"id": 7})
    """

    def __init__(self, routes: Mapping[str, Any] | None = None) -> None:
        self.unexpected: list[TransportRequest] = []
        self._routes: dict[str, Any] = dict(routes or {})
        self._transport = MockTransport(self._routes)

    @property
    def requests(self) -> list[TransportRequest]:
        """Every request, oldest first."""
        return self._transport.requests

    @property
    def paths(self) -> list[str]:
        """``"GET /vendas/clientes"`` of every request, oldest first."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def answer(self, route: str, answer: Any) -> None:
        """Add or replace an answer."""
        self._routes[route] = answer

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Serve a request; see `Transport`."""
        if not any(name in self._routes for name in route_names(request)):
            self.unexpected.append(request)
        return await self._transport.send(request)

    def assert_expected(self) -> None:
        """Fail on calls that the table had no answer for.

        Raises:
            UnexpectedCallError: the message names the first of them and the line that answers it.
        """
        for request in self.unexpected:
            name = f"{request.method} {request.path}"
            raise UnexpectedCallError(f"the module called {name}, and no answer was given: api={{{name!r}: ...}}")
