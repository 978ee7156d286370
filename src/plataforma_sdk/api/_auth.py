"""Credentials: attached by the host behind the module's back."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs

from plataforma_sdk.api._headers import check_credentials
from plataforma_sdk.api._transport import ModuleIdentity, Transport, TransportRequest, TransportResponse

__all__ = ["ApiAuth", "AuthTransport"]

ApiAuth: TypeAlias = Callable[[TransportRequest, ModuleIdentity], "Mapping[str, str] | Awaitable[Mapping[str, str]]"]
"""Returns the headers to attach to a request, at once or awaited: ``{"authorization": "Bearer ..."}``."""


class AuthTransport:
    """Puts the host's credentials on every call to its own API; an absolute URL never gets any.

    Place it directly around the transport that leads to the API, behind any router: endpoints of modules and external
    hosts then never see a credential.
    """

    def __init__(self, inner: Transport, auth: ApiAuth) -> None:
        self._inner = inner
        self._auth = auth

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Attach and carry.

        Raises:
            TransportError: the hook returned a header that it may not set, or as the inner transport.
        """
        if request.origin is not None:
            return await self._inner.send(request)
        found = self._auth(request, request.identity)
        headers = await found if inspect.isawaitable(found) else found
        return await self._inner.send(attrs.evolve(request, headers={**request.headers, **check_credentials(headers)}))

    async def aclose(self) -> None:
        """Close the inner transport, where it can be closed."""
        close = getattr(self._inner, "aclose", None)
        if close is not None:
            await close()
