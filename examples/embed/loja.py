"""The application that embeds modules: a shop's API over plain ASGI, the same that its web site would use."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import attrs

Message: TypeAlias = MutableMapping[str, Any]

COMPRAS = {7: 12, 8: 1}
"""Client -> how often they have bought."""


@attrs.frozen
class Pedido:
    """An order before discounts.

    Attributes:
        cliente: who orders.
        total: what it costs, in reais.
    """

    cliente: int
    total: Decimal


async def app(
    scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve ``GET /loja/cliente?id=7``, to modules only.

    Who calls stands in ``scope["extensions"]["plataforma"]``: ``{"module", "version", "subject"}``. The host puts it
    there; no request from a network can.
    """
    if scope["type"] != "http":
        return
    if "plataforma" not in scope.get("extensions", {}):
        await _answer(send, HTTPStatus.FORBIDDEN, {"erro": "somente para módulos"})
        return
    (client,) = parse_qs(scope["query_string"].decode()).get("id", ["0"])
    compras = COMPRAS.get(int(client)) if client.isdecimal() else None
    if scope["path"] != "/loja/cliente" or compras is None:
        await _answer(send, HTTPStatus.NOT_FOUND, {"erro": "não há"})
    else:
        await _answer(send, HTTPStatus.OK, {"compras": compras})


async def _answer(send: Callable[[Message], Awaitable[None]], status: HTTPStatus, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
