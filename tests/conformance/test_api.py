"""`api_call` and endpoints: what is sent, what comes back, what is refused before it is sent."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    ApiError,
    ApiStatusError,
    PermissionDeniedError,
    TransportError,
)

from ._api import CUSTOMERS
from ._suite import MANIFEST, Case, case, each, make_package, module, returns

INTERNAL = ("api.internal",)
CALL = module("async def probe(self, path, **options):\n    return await self.api_call(path, **options)")

ANSWERS = {
    "json": ("/shop/customers", CUSTOMERS),
    "text": ("/shop/text", "plain"),
    "nothing": ("/shop/status/204", None),
}

test_an_answer_arrives_by_its_type = each(
    Case(name=f"answer_{name}", source=CALL, check=returns(expected, path), permissions=INTERNAL)
    for name, (path, expected) in ANSWERS.items()
)


@case(CALL, permissions=INTERNAL)
async def test_a_request_carries_method_parameters_body_and_headers(host, handle):
    seen = await handle.call(
        "probe",
        "/shop/echo?a=1",
        method="POST",
        params={"b": [2, "três"], "c": None, "d": True},
        json={"x": [1]},
        headers={"Accept-Language": "pt-BR", "Idempotency-Key": "k1"},
    )
    assert (seen["method"], seen["path"], seen["json"]) == ("POST", "/shop/echo", {"x": [1]})
    assert seen["query"] == [["a", "1"], ["b", "2"], ["b", "três"], ["d", "true"]]
    assert (seen["headers"]["accept-language"], seen["headers"]["idempotency-key"]) == ("pt-BR", "k1")


@case(CALL, permissions=INTERNAL)
async def test_the_host_says_who_calls(host, handle):
    seen = await handle.call("probe", "/shop/echo")
    assert seen["identity"] == {"module": "probe", "version": "1.0.0", "subject": "default"}
    assert (seen["headers"]["x-module-id"], seen["headers"]["x-module-version"]) == ("probe", "1.0.0")


REFUSED_HEADERS = ("Authorization", "Cookie", "Host", "X-Module-ID", "X-Forwarded-For", "Content-Length")


@case(CALL, permissions=INTERNAL)
async def test_other_headers_are_refused(host, handle):
    for name in REFUSED_HEADERS:
        with pytest.raises(TransportError, match="header"):
            await handle.call("probe", "/shop/echo", headers={name: "value"})


PATHS = {
    "dots": "/shop/../secrets",
    "encoded_dots": "/shop/%2e%2e/secrets",
    "twice_encoded": "/shop/%252e%252e/secrets",
    "encoded_slash": "/shop%2f..%2fsecrets",
    "backslash": "/shop\\..\\secrets",
    "nul": "/shop/\x00",
    "empty_segment": "/shop//customers",
    "semicolon": "/shop;a=b/customers",
    "fragment": "/shop/customers#x",
    "line_break": "/shop/a\r\nHost: evil",
    "relative": "shop/customers",
    "scheme_relative": "//evil.example/shop",
    "reserved": "/internal/customers",
    "plain_http": "http://api.example.com/",
    "credentials": "https://user:pass@api.example.com/",
    "capitals": "/Shop/customers",
    "empty": "",
}


def refuses_path(path):
    async def check(host, handle):
        with pytest.raises((TransportError, PermissionDeniedError)):
            await handle.call("probe", path)
        assert (await handle.call("probe", "/shop/customers"))[0]["name"] == "Ana"

    return check


test_a_path_that_could_mean_something_else_is_refused = each(
    Case(name=f"path_{name}", source=CALL, check=refuses_path(path), permissions=("api.shop[GET]",))
    for name, path in PATHS.items()
)


@case(
    module(
        """
        async def probe(self, status):
            try:
                return await self.api_call("/shop/status/" + str(status))
            except ApiStatusError as error:
                return [error.status, error.body["path"], error.module]

        async def let_through(self):
            await self.api_call("/shop/status/503")
        """,
        head="from plataforma_sdk import ApiStatusError",
    ),
    permissions=INTERNAL,
)
async def test_an_error_status_is_caught_with_its_body(host, handle):
    assert await handle.call("probe", 404) == [404, "/shop/status/404", "probe"]
    with pytest.raises(ApiStatusError, match="503") as caught:
        await handle.call("let_through")
    assert (caught.value.status, caught.value.body["method"]) == (503, "GET")


@case(CALL, permissions=INTERNAL)
async def test_a_failing_application_tells_nothing_of_itself(host, handle):
    with pytest.raises(TransportError) as caught:
        await handle.call("probe", "/shop/failing")
    assert "token" not in str(caught.value)


# --- endpoints -------------------------------------------------------------------------------------------------------

SERVES = module(
    """
    async def on_load(self):
        self.register_endpoint("/other/sum", self.sum, methods=("GET", "POST"))
        self.register_endpoint("/other/fails", self.fails)
        self.register_endpoint("/other/missing", self.missing)
        self.register_endpoint("/other/plain", self.plain)

    async def sum(self, request):
        numbers = request.json or [int(n) for n in request.params["n"]]
        return {"sum": sum(numbers), "by": request.caller, "how": request.method, "where": request.path}

    async def fails(self, request):
        raise ValueError("a secret of the module")

    async def missing(self, request):
        raise ApiStatusError(404, body={"id": 7})

    def plain(self, request):
        return dict(request.headers)
    """,
    head="from plataforma_sdk import ApiStatusError",
)


@case(CALL, permissions=INTERNAL)
async def test_an_endpoint_answers_and_knows_its_caller(host, handle):
    await host.load(make_package(SERVES, id="other"))
    assert await handle.call("probe", "/other/sum?n=1", params={"n": 2}) == {
        "sum": 3,
        "by": "probe",
        "how": "GET",
        "where": "/other/sum",
    }
    assert (await handle.call("probe", "/other/sum", method="POST", json=[4]))["sum"] == 4
    assert (await handle.call("probe", "/other/plain", headers={"Accept-Language": "pt"}))["accept-language"] == "pt"


@case(CALL, permissions=INTERNAL)
async def test_an_endpoints_fault_is_a_status_and_no_more(host, handle):
    await host.load(make_package(SERVES, id="other"))
    statuses = {}
    for name, options in {"fails": {}, "missing": {}, "sum": {"method": "DELETE"}}.items():
        with pytest.raises(ApiStatusError) as caught:
            await handle.call("probe", f"/other/{name}", **options)
        statuses[name] = caught.value.status
        assert "secret" not in f"{caught.value} {caught.value.body}"
    assert statuses == {"fails": 500, "missing": 404, "sum": 405}


@case(SERVES.replace("/other/", "/elsewhere/"), is_loaded=False)
async def test_an_endpoint_outside_its_own_segment_is_refused(host, package):
    with pytest.raises(ApiError, match="begin with '/probe/'"):
        await host.load(package)


@case(
    module(
        """
        async def on_load(self):
            self.register_endpoint("/probe/open", self.answer)

        async def answer(self, request):
            return 1

        def probe(self):
            self.register_endpoint("/probe/closed", self.answer)
        """
    ),
    manifest=MANIFEST + '[endpoints]\n"/probe/open" = ["GET"]\n',
)
async def test_an_undeclared_endpoint_is_refused_with_the_line_to_add(host, handle):
    with pytest.raises(ApiError, match=r'"/probe/closed" = \["GET"\]'):
        await handle.call("probe")


@case(
    module(
        """
        async def on_load(self):
            self.depth = 0
            self.register_endpoint("/probe/again", self.again)

        async def again(self, request):
            self.depth += 1
            return await self.api_call("/probe/again")

        async def probe(self):
            try:
                await self.again(None)
            except PlataformaError:
                return self.depth
        """,
        head="from plataforma_sdk import PlataformaError",
    ),
    permissions=INTERNAL,
)
async def test_endpoints_that_call_themselves_come_to_an_end(host, handle):
    assert 2 < await handle.call("probe") <= 10


@case(CALL, permissions=INTERNAL, settings={"api": None})
async def test_a_host_without_an_api_says_so(host, handle):
    with pytest.raises((TransportError, ApiStatusError)):
        await handle.call("probe", "/shop/customers")


@case(CALL, permissions=INTERNAL)
async def test_the_wait_for_an_api_can_be_cancelled(host, handle):
    waiting = asyncio.create_task(handle.call("probe", "/shop/never"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await handle.call("probe", "/shop/text") == "plain"
