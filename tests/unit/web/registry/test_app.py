"""What is done for every request, and what the service says of itself."""

from __future__ import annotations

import json
import logging
import re

import attrs
import pytest
from starlette.routing import Route

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import BlobRef, ModuleIndex, SearchHit, digest_of
from plataforma_sdk.registry.backends import MemoryBackend
from plataforma_sdk.types import FakeClock
from plataforma_sdk.web.registry._app import ROUTES
from plataforma_sdk.web.registry._openapi import describe
from plataforma_sdk.web.registry._rates import Buckets
from tests.conformance.registry._releases import make_release


def test_the_document_names_the_routes_and_no_others():
    routes = {(route.path, method.lower(), route.endpoint.__name__) for route in ROUTES for method in route.methods}
    documented = {
        (path, method, operation["operationId"])
        for path, item in describe(1)["paths"].items()
        for method, operation in item.items()
    }
    assert documented == {(path, method, name) for path, method, name in routes if method != "head"}
    assert all(isinstance(route, Route) for route in ROUTES)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Blob", set(BlobRef(digest_of(b""), 0).to_data())),
        ("Release", set(make_release()[0].to_data())),
        ("Index", set(ModuleIndex(id="vendas").to_data())),
        ("Hit", {field.name for field in attrs.fields(SearchHit)}),
    ],
)
def test_the_document_has_the_fields_of_the_records(name, fields):
    schema = describe(1)["components"]["schemas"][name]
    assert set(schema["properties"]) == set(schema["required"]) == fields


def test_the_document_can_be_had(run, open_desk):
    async def main():
        async with open_desk(max_blob_bytes=4_096) as desk:
            answer = await desk.ask("GET", "/openapi.json")
            assert answer.json() == json.loads(json.dumps(describe(4_096)))

    run(main())


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/blobs", "/v1/blobs/", "/v1/modules/", "/blobs/sha256/", "/tokens.sqlite"]
)
def test_nothing_is_listed(run, open_desk, path):
    async def main():
        async with open_desk() as desk:
            answer = await desk.ask("GET", path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RegistryError")

    run(main())


def test_another_method_is_refused(run, open_desk):
    async def main():
        async with open_desk() as desk:
            answer = await desk.ask("DELETE", "/v1/modules/vendas")
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "RegistryError")

    run(main())


@pytest.mark.parametrize("path", ["/health", "/nada", "/v1/modules/vendas", "/v1/blobs/x"])
def test_every_answer_is_for_no_browser(run, open_desk, path):
    async def main():
        async with open_desk() as desk:
            headers = (await desk.ask("GET", path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])

    run(main())


def test_a_service_that_stops_is_not_ready(run, open_desk):
    async def main():
        async with open_desk() as desk:
            assert (await desk.ask("GET", "/ready")).status_code == 200
            desk.service.is_stopping = True
            answer = await desk.ask("GET", "/ready")
            assert (answer.status_code, answer.json()) == (503, {"is_ready": False, "detail": "about to stop"})
            assert (await desk.ask("GET", "/health")).status_code == 200

    run(main())


class Broken(MemoryBackend):
    """A backend whose reads fail."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    async def versions(self, module_id):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RegistryError("the disk is full"), 503, "the disk is full"),
        (IntegrityError("the index of vendas is damaged"), 500, "the index of vendas is damaged"),
        (ZeroDivisionError("secret words"), 500, "the service failed; its log says why"),
    ],
)
def test_a_fault_of_the_store_is_answered_in_the_one_shape(run, open_desk, caplog, *, error, status, words):
    async def main():
        async with open_desk() as desk:
            backend, desk.service.backend = desk.service.backend, Broken(error)
            answer = await desk.ask("GET", "/v1/modules/vendas")
            desk.service.backend = backend
            assert (answer.status_code, answer.json()["error"]["message"]) == (status, words)
            assert ("retry-after" in answer.headers) == (status == 503)

    run(main())
    assert ("ZeroDivisionError" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_a_request_is_logged_with_its_token_and_without_its_secret(run, open_desk, caplog):
    caplog.set_level(logging.INFO, "plataforma_sdk.web.registry")

    async def main():
        async with open_desk("publish") as desk:
            await desk.publish()
            return desk.token

    token = run(main())
    fields = [record.fields for record in caplog.records]
    assert [(item["operation"], item["status"]) for item in fields] == [("upload_blob", 201), ("publish_release", 201)]
    assert {item["token"] for item in fields} == {token.split("_")[1]}
    assert fields[0]["received_bytes"] == 12
    assert token.split("_", 2)[2] not in str(fields) + caplog.text


def test_a_path_forges_no_line_of_the_log(run, open_desk, caplog):
    caplog.set_level(logging.INFO, "plataforma_sdk.web.registry")

    async def main():
        async with open_desk("publish") as desk:
            await desk.ask("GET", "/v1/modules/x%0aGET /v1/modules/vendas: 200 in 1 ms")

    run(main())
    (record,) = caplog.records
    assert record.getMessage().startswith("GET /v1/modules/x GET /v1/modules/vendas: 200 in 1 ms: 404 in ")
    assert "\n" not in record.fields["path"]


def test_metrics_count_what_was_answered(run, open_desk):
    async def main():
        async with open_desk("publish") as desk:
            await desk.publish()
            await desk.ask("GET", "/v1/modules/vendas")
            await desk.ask("BREW", "/coffee")
            answer = await desk.ask("GET", "/metrics")
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            return answer.text.splitlines()

    lines = run(main())
    assert 'plataforma_registry_requests_total{operation="read_index",method="GET",status="200"} 1' in lines
    assert 'plataforma_registry_requests_total{operation="none",method="other",status="404"} 1' in lines
    assert "plataforma_registry_releases_total 1" in lines
    assert "plataforma_registry_uploads_total 1" in lines
    assert "plataforma_registry_requests_under_way 1" in lines
    buckets = [
        int(line.split()[1])
        for line in lines
        if line.startswith('plataforma_registry_request_seconds_bucket{operation="read_index"')
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1
    shape = re.compile(r'# (HELP|TYPE) \w+ .+|\w+({\w+="[^"]*"(,\w+="[^"]*")*})? [0-9.]+')
    assert [line for line in lines if not shape.fullmatch(line)] == []


# --- rates ----------------------------------------------------------------------------------------------------


def test_a_bucket_fills_again():
    clock = FakeClock()
    buckets = Buckets(2.0, clock)
    assert [buckets.wait_s("192.0.2.1") for _ in range(21)] == [0.0] * 20 + [0.5]
    clock.advance(0.5)
    assert [buckets.wait_s("192.0.2.1") for _ in range(2)] == [0.0, 0.5]
    clock.advance(3_600)
    assert [buckets.wait_s("192.0.2.1") for _ in range(21)][19:] == [0.0, 0.5]


@pytest.mark.parametrize(
    ("other", "is_same"),
    [("2001:db8::2", True), ("2001:db8:0:1::1", False), ("192.0.2.1", False)],
)
def test_a_network_of_one_client_has_one_bucket(other, is_same):
    buckets = Buckets(0.1, FakeClock())
    assert buckets.wait_s("2001:db8::1") == 0
    assert (buckets.wait_s(other) > 0) is is_same


def test_too_many_requests_are_refused_and_health_is_not(run, open_desk):
    async def main():
        async with open_desk(max_requests_per_s=0.1) as desk:
            answers = [await desk.ask("GET", "/v1/search") for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 429]
            assert (answers[1].headers["retry-after"], answers[1].json()["error"]["code"]) == ("10", "RegistryError")
            assert [(await desk.ask("GET", path)).status_code for path in ("/health", "/ready", "/metrics")] == [
                200
            ] * 3

    run(main())
