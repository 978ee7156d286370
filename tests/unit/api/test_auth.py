"""Credentials of the host: on its own API, nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.api import (
    ApiClient,
    AuthTransport,
    EndpointTable,
    MockTransport,
    ModuleIdentity,
    RoutingTransport,
    TransportRequest,
)
from plataforma_sdk.errors import TransportError
from plataforma_sdk.types import ApiRequest

Run = Callable[[Any], Any]


def bearer(_request: TransportRequest, identity: ModuleIdentity) -> dict[str, str]:
    return {"Authorization": f"Bearer for-{identity.module}"}


def test_credentials_are_attached(run: Run) -> None:
    transport = MockTransport(lambda _: None)
    run(ApiClient(transport, module_id="vendas", auth=bearer).request("/vendas/clientes"))
    assert transport.requests[0].headers["authorization"] == "Bearer for-vendas"


def test_hook_may_be_awaited(run: Run) -> None:
    async def later(request: TransportRequest, _: ModuleIdentity) -> dict[str, str]:
        return {"X-Signature": f"{request.method} {request.path}"}

    transport = MockTransport(lambda _: None)
    run(ApiClient(transport, auth=later).request("/vendas/clientes"))
    assert transport.requests[0].headers["x-signature"] == "GET /vendas/clientes"


def test_absolute_url_never_gets_credentials(run: Run) -> None:
    called: list[str] = []

    def hook(request: TransportRequest, _: ModuleIdentity) -> dict[str, str]:
        called.append(request.path)
        return {"authorization": "secret"}

    transport = MockTransport(lambda _: None)
    run(ApiClient(transport, auth=hook).request("https://api.example.com/v1"))
    assert "authorization" not in transport.requests[0].headers
    assert called == []


def test_endpoint_of_a_module_never_sees_credentials(run: Run) -> None:
    seen: list[ApiRequest] = []
    table = EndpointTable()
    table.register("painel", "/painel/x", ["GET"], seen.append)
    run(ApiClient(table, auth=bearer).request("/painel/x", headers={"accept-language": "pt"}))
    assert "authorization" not in seen[0].headers
    assert seen[0].headers["accept-language"] == "pt"


def test_behind_a_router_the_hook_is_not_even_asked(run: Run) -> None:
    asked: list[str] = []

    def hook(request: TransportRequest, _: ModuleIdentity) -> dict[str, str]:
        asked.append(request.path)
        return {}

    table = EndpointTable()
    table.register("painel", "/painel/x", ["GET"], lambda _: 1)
    router = RoutingTransport(endpoints=table, api=AuthTransport(MockTransport(lambda _: 2), hook))
    client = ApiClient(router)
    assert [run(client.request(path)) for path in ("/painel/x", "/vendas/y")] == [1, 2]
    assert asked == ["/vendas/y"]


@pytest.mark.parametrize(
    "headers",
    [{"Host": "x"}, {"content-length": "1"}, {"Transfer-Encoding": "x"}, {"a b": "x"}, {"": "x"},
     {"authorization": "s3cret\r\nx: y"}, {"authorization": 7}],
    ids=repr,
)  # fmt: skip
def test_hook_cannot_break_the_framing(run: Run, headers: Any) -> None:
    transport = MockTransport(lambda _: None)
    with pytest.raises(TransportError) as caught:
        run(ApiClient(transport, auth=lambda _request, _identity: headers).request("/vendas/clientes"))
    assert "s3cret" not in str(caught.value)
    assert transport.requests == []


def test_closing_closes_the_inner_transport(run: Run) -> None:
    closed: list[int] = []

    class Inner(MockTransport):
        async def aclose(self) -> None:
            closed.append(1)

    run(AuthTransport(Inner({}), bearer).aclose())
    run(AuthTransport(MockTransport({}), bearer).aclose())
    assert closed == [1]
