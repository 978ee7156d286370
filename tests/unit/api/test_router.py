"""Which transport carries which call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, EndpointTable, MockTransport, RoutingTransport, Transport
from plataforma_sdk.errors import ApiStatusError, TransportError

Run = Callable[[Any], Any]


@pytest.fixture
def table() -> EndpointTable:
    made = EndpointTable()
    made.register("vendas", "/vendas/resumo", ["GET"], lambda _: "endpoint")
    return made


def named(name: str) -> MockTransport:
    return MockTransport(lambda _: name)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/vendas/resumo", "endpoint"),
        ("/vendas/clientes", "api"),
        ("/outro/x", "api"),
        ("https://api.example.com/vendas/resumo", "external"),
    ],
)
def test_call_goes_where_it_belongs(run: Run, table: EndpointTable, path: str, found: str) -> None:
    router = RoutingTransport(endpoints=table, api=named("api"), external=named("external"))
    assert run(ApiClient(router).request(path)) == found


def test_method_that_the_module_does_not_serve_is_not_the_hosts(run: Run, table: EndpointTable) -> None:
    router = RoutingTransport(endpoints=table, api=named("api"))
    with pytest.raises(ApiStatusError) as caught:
        run(ApiClient(router).request("/vendas/resumo", method="POST"))
    assert caught.value.status == 405


def test_host_without_an_api_answers_404(run: Run, table: EndpointTable) -> None:
    with pytest.raises(ApiStatusError) as caught:
        run(ApiClient(RoutingTransport(endpoints=table)).request("/vendas/clientes"))
    assert caught.value.status == 404


@pytest.mark.parametrize(("path", "word"), [("/vendas/x", "api="), ("https://api.example.com/", "external")])
def test_missing_transport_is_named(run: Run, path: str, word: str) -> None:
    with pytest.raises(TransportError, match=word):
        run(ApiClient(RoutingTransport()).request(path))


def test_closing_reaches_the_transports_that_close(run: Run) -> None:
    closed: list[str] = []

    class Closing(MockTransport):
        async def aclose(self) -> None:
            closed.append("yes")

    run(RoutingTransport(api=Closing({}), external=named("x")).aclose())
    assert closed == ["yes"]


@pytest.mark.parametrize(
    "transport", [RoutingTransport(), EndpointTable(), MockTransport({})], ids=lambda item: type(item).__name__
)
def test_every_transport_keeps_to_the_protocol(transport: Any) -> None:
    assert isinstance(transport, Transport)
