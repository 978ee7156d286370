"""The client of our service, and what it does not believe."""

from __future__ import annotations

import json

import httpx2
import pytest

from plataforma_sdk import errors
from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import ModuleIndex, digest_of
from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from tests.conformance.registry._releases import make_release, publish
from tests.conformance.registry._service import Service


def backend(serve, **kwargs):
    transport = serve if isinstance(serve, httpx2.AsyncBaseTransport) else httpx2.MockTransport(serve)
    return HttpBackend("https://registry.test", options=WebOptions(transport=transport, first_wait_s=0), **kwargs)


def sealed(data, status=200):
    body = json.dumps(data).encode()
    return httpx2.Response(status, content=body, headers={"etag": f'"{digest_of(body)}"'})


class Watched(httpx2.AsyncBaseTransport):
    """The service, and what it was asked."""

    def __init__(self):
        self.inner = httpx2.ASGITransport(Service())
        self.requests = []

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        self.requests.append((request.method, request.url.path, response.status_code, dict(request.headers)))
        return response


def test_an_index_that_did_not_change_is_not_sent_again(run):
    watched = Watched()

    async def main():
        opened = backend(watched)
        await publish(opened)
        first = await opened.versions("vendas")
        assert await opened.versions("vendas") is first
        await publish(opened, version="1.1.0")
        assert len((await opened.versions("vendas")).releases) == 2

    run(main())
    assert [status for method, path, status, _ in watched.requests if path == "/v1/modules/vendas"] == [200, 304, 200]


def test_what_is_there_is_not_uploaded_again(run):
    watched = Watched()

    async def main():
        await publish(backend(watched), content=b"same")
        await publish(backend(watched), "clientes", content=b"same")

    run(main())
    uploads = [status for method, path, status, _ in watched.requests if method == "PUT" and "blobs" in path]
    assert uploads == [201]


def test_the_token_goes_with_every_request(run):
    watched = Watched()
    run(publish(backend(watched, token="s3cret")))
    assert {headers.get("authorization") for *_, headers in watched.requests} == {"Bearer s3cret"}


@pytest.mark.parametrize("token", ["s3cret\n", "segrédo"])
def test_a_token_that_can_be_none_is_refused(token):
    with pytest.raises(RegistryError, match="copy it again"):
        backend(lambda _: None, token=token)


@pytest.mark.parametrize(
    ("code", "cls"),
    [
        ("VersionConflictError", errors.VersionConflictError),
        ("PackageNotFoundError", errors.PackageNotFoundError),
        ("SecurityScanError", errors.SecurityScanError),
        ("IntegrityError", errors.IntegrityError),
        ("PermissionDeniedError", RegistryError),
        ("SystemExit", RegistryError),
        (["x"], RegistryError),
        (None, RegistryError),
    ],
)
def test_an_error_of_the_service_is_raised_as_its_class(run, code, cls):
    body = {"error": {"code": code, "message": "why\x1b[31m\u202e not"}}
    with pytest.raises(RegistryError) as caught:
        run(backend(lambda _: httpx2.Response(400, json=body)).versions("vendas"))
    assert type(caught.value) is cls
    assert str(caught.value).startswith("https://registry.test answered 400: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 7}', b'{"error": {"code": "x"}}'])
def test_an_error_of_another_shape_names_the_status(run, body):
    with pytest.raises(RegistryError, match="answered 418: no registry, or one that says no more"):
        run(backend(lambda _: httpx2.Response(418, content=body)).versions("vendas"))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx2.Response(200, content=b"{}"), id="no digest"),
        pytest.param(httpx2.Response(200, content=b"{}", headers={"etag": '"x"'}), id="other digest"),
        pytest.param(sealed([]), id="a list"),
        pytest.param(sealed(ModuleIndex(id="clientes").to_data()), id="another module"),
        pytest.param(sealed({**ModuleIndex(id="vendas").to_data(), "more": 1}), id="a field more"),
        pytest.param(httpx2.Response(200, content=b"x" * ((1 << 24) + 1)), id="17 MiB"),
    ],
)
def test_an_index_that_is_none_is_damage(run, answer):
    with pytest.raises(IntegrityError):
        run(backend(lambda _: answer).versions("vendas"))


@pytest.mark.parametrize(
    "data",
    [[], {}, {"hits": 1, "total": 1}, {"hits": [1], "total": 1}, {"hits": [{"id": 1}], "total": 1}, {"hits": []}],
)
def test_a_page_that_is_none_is_damage(run, data):
    with pytest.raises(IntegrityError, match="something else than a page of hits"):
        run(backend(lambda _: sealed(data)).search("vendas"))


def test_a_service_that_lists_something_else_is_found_out(run):
    """It takes the release, and answers an index that has another content under the version."""
    forged = ModuleIndex(id="vendas").with_release(make_release(content=b"forged")[0])
    with pytest.raises(IntegrityError, match="the registry took it, and then answered an index without it"):
        run(publish(backend(lambda request: sealed(forged.to_data()) if "modules" in str(request.url) else sealed({}))))


def test_a_service_that_is_away_is_not_ready(run):
    def refuse(_):
        raise httpx2.ConnectError("refused")

    health = run(backend(refuse).health())
    assert not health.is_ready
    assert "ConnectError" in health.detail


def test_a_service_that_is_not_ready_says_why(run):
    health = run(backend(lambda _: sealed({"is_ready": False, "detail": "stopping"}, status=503)).health())
    assert (health.is_ready, health.detail) == (False, "stopping")


def test_a_replayed_index_is_refused(run):
    answers = []

    class Replaying(Watched):
        async def handle_async_request(self, request):
            if request.url.path == "/v1/modules/vendas" and answers:
                return answers[0]
            response = await super().handle_async_request(request)
            if request.url.path == "/v1/modules/vendas":
                answers.append(httpx2.Response(200, headers=response.headers, content=await response.aread()))
            return response

    async def main():
        opened = backend(Replaying())
        await publish(opened)
        await opened.versions("vendas")
        await publish(opened, version="1.1.0")
        with pytest.raises(IntegrityError, match="revision 1 after 2: this is an old index"):
            await opened.versions("vendas")

    run(main())


HIT = {"id": "vendas", "version": "1.0.0", "name": "", "description": ""}


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({"hits": [], "total": float("inf")}, id="no-count"),
        pytest.param({"hits": [], "total": -1}, id="less-than-none"),
        pytest.param({"hits": [], "total": True}, id="truth"),
        pytest.param({"hits": [HIT | {"id": "vendas\nOwner ed25519:1"}], "total": 1}, id="lines-in-an-id"),
        pytest.param({"hits": [HIT | {"version": "1.0.0 --registry x"}], "total": 1}, id="more-than-a-version"),
    ],
)
def test_a_page_that_is_none_is_refused(run, page):
    with pytest.raises(IntegrityError):
        run(backend(lambda _: sealed(page)).search("vendas"))


def test_a_page_has_no_more_hits_than_were_asked_for(run):
    page = run(backend(lambda _: sealed({"hits": [HIT] * 9, "total": 9})).search("vendas", limit=2))
    assert (len(page.hits), page.total) == (2, 9)


@pytest.mark.parametrize("revision", [-1, True, 1.0, 1 << 53, "1"])
def test_a_revision_that_is_none_is_refused(run, revision):
    index = {"id": "vendas", "revision": revision, "owner": None, "releases": []}
    with pytest.raises(IntegrityError, match="its revision is none"):
        run(backend(lambda _: sealed(index)).versions("vendas"))
