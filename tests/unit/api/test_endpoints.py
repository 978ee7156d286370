"""Endpoints of modules: registration, dispatch, chains."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, EndpointTable, current_chain
from plataforma_sdk.errors import ApiError, ApiStatusError, GuestError, QuotaExceededError, TransportError
from plataforma_sdk.types import ApiRequest

Run = Callable[[Any], Any]


@pytest.fixture
def table() -> EndpointTable:
    return EndpointTable()


def call(run: Run, table: EndpointTable, path: str, **options: Any) -> Any:
    return run(ApiClient(table, module_id="painel", version="1.0.0").request(path, **options))


def test_handler_receives_the_request(run: Run, table: EndpointTable) -> None:
    seen: list[ApiRequest] = []
    table.register("acme/vendas", "/acme--vendas/resumo", ["POST"], seen.append)
    options = {"method": "POST", "params": {"b": [1, 2]}, "json": {"d": Decimal("1.5"), "b": b"\x00"}}
    call(run, table, "/acme--vendas/resumo?a=x+y&e=", **options)
    request = seen[0]
    assert (request.method, request.path, request.caller) == ("POST", "/acme--vendas/resumo", "painel")
    assert request.params == {"a": "x y", "e": "", "b": ["1", "2"]}
    assert request.json == {"d": Decimal("1.5"), "b": b"\x00"}
    assert set(request.headers) == {"accept", "content-type"}


@pytest.mark.parametrize("value", [None, 7, "x", [1], {"$t": "x"}, Decimal("2328.60"), b"\x00"], ids=repr)
def test_answer_is_a_value_of_the_codec(run: Run, table: EndpointTable, value: Any) -> None:
    table.register("vendas", "/vendas/resumo", ["GET"], lambda _: value)
    assert call(run, table, "/vendas/resumo") == value


def test_handler_may_be_a_coroutine(run: Run, table: EndpointTable) -> None:
    async def handler(request: ApiRequest) -> Any:
        await asyncio.sleep(0)
        return request.caller

    table.register("vendas", "/vendas/resumo", ["GET"], handler)
    assert call(run, table, "/vendas/resumo") == "painel"


def test_answer_is_a_copy(run: Run, table: EndpointTable) -> None:
    kept = {"a": [1]}
    table.register("vendas", "/vendas/resumo", ["GET"], lambda _: kept)
    call(run, table, "/vendas/resumo")["a"].append(2)
    assert kept == {"a": [1]}


def test_unknown_path_is_404(run: Run, table: EndpointTable) -> None:
    with pytest.raises(ApiStatusError) as caught:
        call(run, table, "/vendas/resumo")
    assert caught.value.status == 404


def test_other_method_is_405(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/resumo", ["GET", "POST"], lambda _: 1)
    with pytest.raises(ApiStatusError) as caught:
        call(run, table, "/vendas/resumo", method="DELETE")
    assert (caught.value.status, caught.value.body) == (405, {"error": "use GET, POST"})


def test_methods_may_have_handlers_of_their_own(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: "read")
    table.register("vendas", "/vendas/x", ["post"], lambda _: "written")
    found = [call(run, table, "/vendas/x", method=name) for name in ("GET", "POST")]
    assert found == ["read", "written"]
    assert table.paths == {"/vendas/x": ("GET", "POST")}


def test_handler_chooses_a_status(run: Run, table: EndpointTable) -> None:
    def missing(_: ApiRequest) -> Any:
        raise ApiStatusError(410, body={"gone": True})

    table.register("vendas", "/vendas/x", ["GET"], missing)
    with pytest.raises(ApiStatusError) as caught:
        call(run, table, "/vendas/x")
    assert (caught.value.status, caught.value.body, caught.value.module) == (410, {"gone": True}, "painel")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("/srv/secret"),
        GuestError("KeyError", "secret", module="vendas"),
        ApiStatusError(200),
        ApiStatusError("x"),  # type: ignore[arg-type]
        ApiStatusError(404, body=object()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_fault_of_a_handler_stays_at_home(run: Run, error: Exception) -> None:
    seen: list[Any] = []

    def fail(_: ApiRequest) -> Any:
        raise error

    table = EndpointTable(on_error=lambda module, found: seen.append((module, found)))
    table.register("vendas", "/vendas/x", ["GET"], fail)
    with pytest.raises(ApiStatusError) as caught:
        call(run, table, "/vendas/x")
    assert (caught.value.status, caught.value.body) == (500, {"error": "the endpoint of module 'vendas' failed"})
    assert [module for module, _ in seen] == ["vendas"]


def test_fault_is_logged_without_a_hook(run: Run, table: EndpointTable, caplog: pytest.LogCaptureFixture) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: object())
    with caplog.at_level(logging.ERROR), pytest.raises(ApiStatusError):
        call(run, table, "/vendas/x")
    assert "'vendas'" in caplog.text


def test_large_answer_is_refused(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: "x" * 100)
    with pytest.raises(TransportError, match="more than 50 bytes"):
        run(ApiClient(table, max_response_bytes=50).request("/vendas/x"))


@pytest.mark.parametrize(
    "path", ["/outro/x", "/vendas2/x", "/vendas--x/y", "/vendas/x?a=1", "/acme--vendas/x"], ids=str
)
def test_module_serves_its_own_paths_only(table: EndpointTable, path: str) -> None:
    with pytest.raises(ApiError, match="may not serve"):
        table.register("vendas", path, ["GET"], lambda _: 1)


@pytest.mark.parametrize("path", ["vendas", "/vendas/../outro", "/vendas/", "/Vendas/x", "/internal/x"])
def test_hostile_path_is_not_registered(table: EndpointTable, path: str) -> None:
    with pytest.raises(TransportError):
        table.register("vendas", path, ["GET"], lambda _: 1)


def test_undeclared_path_says_the_line_to_add(table: EndpointTable) -> None:
    with pytest.raises(ApiError) as caught:
        table.register("vendas", "/vendas/x", ["POST"], lambda _: 1, allowed={"/vendas/x": ["GET"]})
    assert '"/vendas/x" = ["GET", "POST"]' in str(caught.value)
    assert "[endpoints]" in str(caught.value)
    assert caught.value.module == "vendas"


def test_declared_path_is_served(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: 1, allowed={"/vendas/x": ["get", "POST"]})
    assert call(run, table, "/vendas/x") == 1


def test_number_of_endpoints_is_bounded(table: EndpointTable) -> None:
    for number in range(256):
        table.register("vendas", f"/vendas/{number}", ["GET"], lambda _: 1)
    table.register("painel", "/painel/x", ["GET"], lambda _: 1)
    with pytest.raises(QuotaExceededError) as caught:
        table.register("vendas", "/vendas/x", ["GET"], lambda _: 1)
    assert caught.value.resource == "endpoints"


def test_dispose_removes_everything_of_a_module(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: 1)
    table.register("painel", "/painel/x", ["GET"], lambda _: 2)
    table.dispose("vendas")
    assert (table.serves("/vendas/x"), call(run, table, "/painel/x")) == (False, 2)


def test_later_registration_takes_over_and_gives_back(run: Run, table: EndpointTable) -> None:
    """A reload: the new instance registers while the old one serves; a failed one leaves no trace."""
    table.register("vendas", "/vendas/x", ["GET"], lambda _: "old")
    new = table.register("vendas", "/vendas/x", ["GET"], lambda _: "new")
    first = call(run, table, "/vendas/x")
    new.unsubscribe()
    assert (first, call(run, table, "/vendas/x")) == ("new", "old")


def test_ended_registration_leaves_nothing(table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET", "POST"], lambda _: 1).unsubscribe()
    assert table.paths == {}


def test_absolute_url_is_not_an_endpoint(run: Run, table: EndpointTable) -> None:
    table.register("vendas", "/vendas/x", ["GET"], lambda _: 1)
    with pytest.raises(TransportError, match="relative"):
        call(run, table, "https://api.example.com/vendas/x")


def test_chain_ends_at_depth_eight(run: Run, table: EndpointTable) -> None:
    depths: list[int] = []

    async def again(_: ApiRequest) -> Any:
        depths.append(current_chain().depth)
        try:
            return await ApiClient(table, module_id="vendas").request("/vendas/x")
        except QuotaExceededError as error:
            return [error.resource, error.used, error.limit, error.module]

    table.register("vendas", "/vendas/x", ["GET"], again)
    assert call(run, table, "/vendas/x") == ["endpoint_depth", 9, 8, "vendas"]
    assert depths == list(range(1, 9))


def test_calls_in_flight_are_bounded_without_a_chain(run: Run, table: EndpointTable) -> None:
    """An engine that loses the context must not recurse for ever either."""
    gate = asyncio.Event()

    async def wait(_: ApiRequest) -> Any:
        await gate.wait()

    async def main() -> list[Any]:
        client = ApiClient(table, module_id="painel")
        calls = [asyncio.ensure_future(client.request("/vendas/x")) for _ in range(65)]
        await asyncio.sleep(0.01)
        gate.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    table.register("vendas", "/vendas/x", ["GET"], wait)
    results = run(main())
    assert [type(one) for one in results if one is not None] == [QuotaExceededError]
    assert not table._in_flight


def test_inner_call_ends_with_the_first_callers_deadline(run: Run, table: EndpointTable) -> None:
    async def outer(_: ApiRequest) -> Any:
        return await ApiClient(table, module_id="vendas", timeout_s=1_000).request("/vendas/inner")

    async def inner(_: ApiRequest) -> Any:
        deadline = current_chain().deadline
        assert deadline is not None
        return round(deadline - asyncio.get_running_loop().time())

    table.register("vendas", "/vendas/outer", ["GET"], outer)
    table.register("vendas", "/vendas/inner", ["GET"], inner)
    assert run(ApiClient(table, module_id="painel", timeout_s=20).request("/vendas/outer")) == 20


def test_time_out_cancels_the_handler(run: Run, table: EndpointTable) -> None:
    ended: list[int] = []

    async def never(_: ApiRequest) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    table.register("vendas", "/vendas/x", ["GET"], never)
    with pytest.raises(TransportError, match="in time"):
        run(ApiClient(table, timeout_s=0.01).request("/vendas/x"))
    assert ended == [1]
