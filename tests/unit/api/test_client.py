"""What `ApiClient` sends and how it reads the answer."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from plataforma_sdk.api import ApiClient, MockTransport, TransportRequest, TransportResponse, current_chain
from plataforma_sdk.errors import ApiStatusError, CodecError, TransportError

Run = Callable[[Any], Any]


def answer(body: bytes, content_type: str = "", status: int = 200) -> TransportResponse:
    headers = {"content-type": content_type} if content_type else {}
    return TransportResponse(status=status, headers=headers, body=body)


def client_for(response: Any, **options: Any) -> tuple[ApiClient, MockTransport]:
    transport = MockTransport(lambda _: response)
    return ApiClient(transport, module_id="acme/vendas", version="1.2.0", **options), transport


def sent(run: Run, path: str = "/vendas/clientes", **options: Any) -> TransportRequest:
    client, transport = client_for(None)
    run(client.request(path, **options))
    return transport.requests[0]


def test_identity_travels_beside_the_request(run: Run) -> None:
    identity = sent(run).identity
    assert (identity.module, identity.version, identity.subject) == ("acme/vendas", "1.2.0", "default")


def test_identity_headers_are_information(run: Run) -> None:
    headers = sent(run).headers
    assert (headers["x-module-id"], headers["x-module-version"]) == ("acme--vendas", "1.2.0")


def test_stranger_does_not_learn_which_module_calls(run: Run) -> None:
    assert not [name for name in sent(run, "https://api.example.com/v1").headers if name.startswith("x-")]


def test_host_calls_without_an_identity(run: Run) -> None:
    transport = MockTransport({"/vendas/clientes": 1})
    run(ApiClient(transport).request("/vendas/clientes"))
    assert "x-module-id" not in transport.requests[0].headers
    assert transport.requests[0].identity.module is None


def test_path_and_query_are_written_anew(run: Run) -> None:
    request = sent(run, "/vendas/Jo%c3%a3o?b=%7e+x&c", params={"a": "é&=", "n": 1})
    assert request.path == "/vendas/João"
    assert request.target == b"/vendas/Jo%C3%A3o?b=~%20x&c&a=%C3%A9%26%3D&n=1"


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("x", "p=x"),
        ("", "p="),
        (True, "p=true"),
        (7, "p=7"),
        (1.5, "p=1.5"),
        (Decimal("2.50"), "p=2.50"),
        (datetime.date(2024, 2, 29), "p=2024-02-29"),
        (None, ""),
        ([1, None, "b"], "p=1&p=b"),
        ([], ""),
    ],
    ids=repr,
)
def test_parameter_is_written(run: Run, value: Any, query: str) -> None:
    assert sent(run, params={"p": value}).query == query


@pytest.mark.parametrize("value", [b"x", {"a": 1}, float("nan"), float("inf"), object, "a\r\nb", "\x00"], ids=repr)
def test_parameter_that_is_no_text_is_refused(run: Run, value: Any) -> None:
    with pytest.raises(TransportError, match="'p'"):
        sent(run, params={"p": value})


def test_body_is_plain_json(run: Run) -> None:
    value = {"$ref": "x", "total": Decimal("1.50"), "em": datetime.date(2024, 2, 29), "ok": [True, None]}
    request = sent(run, method="POST", json=value)
    assert json.loads(request.body) == {"$ref": "x", "total": "1.50", "em": "2024-02-29", "ok": [True, None]}
    assert request.headers["content-type"] == "application/json"


def test_bytes_have_no_plain_json(run: Run) -> None:
    with pytest.raises(TransportError, match="base64"):
        _ = sent(run, method="POST", json={"a": b"x"}).body


def test_body_that_does_not_cross_is_refused() -> None:
    with pytest.raises(CodecError):
        _ = TransportRequest(method="POST", path="/a", raw_path=b"/a", json=float("nan")).body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_request_that_reads_has_no_body(run: Run, method: str) -> None:
    with pytest.raises(TransportError, match="no body"):
        sent(run, method=method, json={})


@pytest.mark.parametrize("method", ["get", "Post", "DELETE"])
def test_method_is_sent_in_upper_case(run: Run, method: str) -> None:
    assert sent(run, method=method).method == method.upper()


@pytest.mark.parametrize(
    "method", ["CONNECT", "TRACE", "OPTIONS", "", "GET ", "GET\r\nX: y", "pıng", "ＧＥＴ", None, 7]
)
def test_method_outside_the_list_is_refused(run: Run, method: Any) -> None:
    with pytest.raises(TransportError, match="method"):
        sent(run, method=method)


def test_allowed_header_is_sent(run: Run) -> None:
    headers = {"Accept-Language": "pt-BR", "If-None-Match": '"x"', "Idempotency-Key": "k", "ACCEPT": "text/csv"}
    request = sent(run, headers=headers)
    assert {name.lower(): value for name, value in headers.items()}.items() <= request.headers.items()


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Cookie", "Host", "X-Module-ID", "X-Forwarded-For", "Content-Length", "Transfer-Encoding", "If",
     "If-Foo", "Proxy-Authorization", "Accept\r\nCookie", "Accept ", "", "Connection", "Range", "\u017fet-cookie", 7],
)  # fmt: skip
def test_other_header_is_refused(run: Run, name: Any) -> None:
    with pytest.raises(TransportError, match="request header"):
        sent(run, headers={name: "x"})


@pytest.mark.parametrize(
    "value", ["a\r\nCookie: b", "a\nb", "\x00", "é", "a\tb", "x" * 1_025, 7, None, b"x"], ids=ascii
)
def test_header_value_is_printable_ascii(run: Run, value: Any) -> None:
    with pytest.raises(TransportError, match="value of the header"):
        sent(run, headers={"Accept": value})


def test_header_given_twice_is_refused(run: Run) -> None:
    with pytest.raises(TransportError, match="twice"):
        sent(run, headers={"Accept": "a", "accept": "b"})


def test_content_type_is_always_json(run: Run) -> None:
    with pytest.raises(TransportError, match="content-type"):
        sent(run, method="POST", json=1, headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("response", "value"),
    [
        (answer(b'{"a": [1, 2.5, null]}', "application/json"), {"a": [1, 2.5, None]}),
        (answer(b'\xef\xbb\xbf{"a": 1}', "application/json; charset=utf-8"), {"a": 1}),
        (answer(b'{"$ref": "x", "$t": "y"}', "application/json"), {"$ref": "x", "$t": "y"}),
        (answer(b'{"title": "x"}', "application/problem+json"), {"title": "x"}),
        (answer(b'{"n": 90071992547409930}', "application/json"), {"n": 90071992547409930}),
        (answer(b"ol\xc3\xa1", "text/plain"), "olá"),
        (answer(b"ol\xe1", "text/plain; charset=ISO-8859-1"), "olá"),
        (answer(b"a\xff", "text/plain"), "a\ufffd"),
        (answer(b"ola"), "ola"),
        (answer(b"<a/>", "application/xml"), "<a/>"),
        (answer(b"\x89PNG", "image/png"), b"\x89PNG"),
        (answer(b"", "application/json", 204), None),
        (answer(b"", "application/json"), None),
        (TransportResponse.of({"total": Decimal("2.50"), "$x": b"\x00"}), {"total": Decimal("2.50"), "$x": b"\x00"}),
    ],
)
def test_answer_is_decoded_by_its_type(run: Run, response: TransportResponse, value: Any) -> None:
    client, _ = client_for(response)
    assert run(client.request("/vendas/clientes")) == value


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b"[Infinity]", b"1e999", b'"\\ud800"', b"[" * 70 + b"]" * 70, b"[" * 100_000, b"\xff\xfe1\x00",
     b"\xff", b'{"$a": NaN}', b"9" * 5_000],
    ids=lambda body: ascii(body[:12]),
)  # fmt: skip
def test_answer_that_is_no_plain_json_is_refused(run: Run, body: bytes) -> None:
    client, _ = client_for(answer(body, "application/json"))
    with pytest.raises(TransportError, match="not readable"):
        run(client.request("/vendas/clientes"))


def test_head_has_no_value(run: Run) -> None:
    client, _ = client_for(answer(b"", "text/plain"))
    assert run(client.request("/vendas/clientes", method="HEAD")) is None


@pytest.mark.parametrize("status", [304, 400, 401, 404, 429, 500, 503])
def test_status_of_an_error_is_raised(run: Run, status: int) -> None:
    client, _ = client_for(answer(b'{"why": "x"}', "application/json", status))
    with pytest.raises(ApiStatusError) as caught:
        run(client.request("/vendas/clientes"))
    assert (caught.value.status, caught.value.body, caught.value.module) == (status, {"why": "x"}, "acme/vendas")


def test_body_of_an_error_is_bounded(run: Run) -> None:
    client, _ = client_for(answer(b'"' + b"x" * 100_000 + b'"', "application/json", 500))
    with pytest.raises(ApiStatusError) as caught:
        run(client.request("/vendas/clientes"))
    assert len(caught.value.body) == 16_384


def test_unreadable_body_of_an_error_is_its_text(run: Run) -> None:
    client, _ = client_for(answer(b"{oops", "application/json", 502))
    with pytest.raises(ApiStatusError) as caught:
        run(client.request("/vendas/clientes"))
    assert caught.value.body == "{oops"


@pytest.mark.parametrize("status", [100, 199, 301, 302, 307, 308])
def test_redirect_is_not_followed(run: Run, status: int) -> None:
    client, transport = client_for(TransportResponse(status=status, headers={"location": "https://evil.example/"}))
    with pytest.raises(TransportError, match="not followed"):
        run(client.request("/vendas/clientes"))
    assert len(transport.requests) == 1


def test_answer_over_the_limit_is_refused(run: Run) -> None:
    client, transport = client_for(answer(b"x" * 11), max_response_bytes=10)
    with pytest.raises(TransportError, match="10 bytes"):
        run(client.request("/vendas/clientes"))
    assert transport.requests[0].max_response_bytes == 10


def test_answer_that_does_not_come_is_a_transport_error(run: Run) -> None:
    async def never(_: TransportRequest) -> Any:
        await asyncio.Event().wait()

    client = ApiClient(MockTransport(never), module_id="vendas", timeout_s=0.01)
    with pytest.raises(TransportError, match="did not answer in time") as caught:
        run(client.request("/vendas/clientes"))
    assert caught.value.module == "vendas"


def test_one_call_may_have_less_time_never_more(run: Run) -> None:
    async def deadline(_: TransportRequest) -> Any:
        chain = current_chain()
        assert chain.deadline is not None
        return round(chain.deadline - asyncio.get_running_loop().time())

    client = ApiClient(MockTransport(deadline), timeout_s=100)
    assert run(client.request("/vendas/clientes", timeout_s=50)) == 50
    assert run(client.request("/vendas/clientes", timeout_s=500)) == 100


def test_time_out_of_the_transport_itself_is_not_taken_for_ours(run: Run) -> None:
    def fail(_: TransportRequest) -> Any:
        raise TimeoutError("other")

    with pytest.raises(TimeoutError, match="other"):
        run(ApiClient(MockTransport(fail)).request("/vendas/clientes"))


def test_mock_answers_404_outside_its_table(run: Run) -> None:
    client = ApiClient(MockTransport({"GET /vendas/clientes": 1, "/vendas/vendas": 2, "https://api.example.com/": 3}))
    assert run(client.request("/vendas/vendas", method="POST")) == 2
    assert run(client.request("https://api.example.com")) == 3
    with pytest.raises(ApiStatusError) as caught:
        run(client.request("/vendas/clientes", method="POST"))
    assert caught.value.status == 404
