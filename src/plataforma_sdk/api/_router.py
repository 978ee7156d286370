"""Which transport carries a call."""

from __future__ import annotations

from plataforma_sdk.api._endpoints import EndpointTable
from plataforma_sdk.api._transport import Transport, TransportRequest, TransportResponse
from plataforma_sdk.errors import TransportError

__all__ = ["RoutingTransport"]


class RoutingTransport:
    """Sends an absolute URL outside, a path that a module serves to that module, every other path to the host's API.

    A module can only take over paths under its own segment that its manifest declares.
    """

    def __init__(
        self,
        *,
        endpoints: EndpointTable | None = None,
        api: Transport | None = None,
        external: Transport | None = None,
    ) -> None:
        """Take the transports that this host has; credentials belong around `api`: ``AuthTransport(api, auth)``."""
        self._endpoints = endpoints
        self._api = api
        self._external = external

    async def send(self, request: TransportRequest) -> TransportResponse:
        """Choose and carry.

        Raises:
            TransportError: the host has no transport for this call, or as the chosen transport.
        """
        return await self._choose(request).send(request)

    async def aclose(self) -> None:
        """Close the transports that can be closed."""
        for transport in (self._api, self._external):
            close = getattr(transport, "aclose", None)
            if close is not None:
                await close()

    def _choose(self, request: TransportRequest) -> Transport:
        if request.origin is not None:
            if self._external is None:
                raise TransportError(f"{request.origin.host} is not called: this host has no external transport")
            return self._external
        if self._endpoints is not None and (self._api is None or self._endpoints.serves(request.path)):
            return self._endpoints
        if self._api is None:
            raise TransportError(f"{request.path} is not called: this host has no API; give it one with api=...")
        return self._api
