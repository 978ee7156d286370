"""Modules in an OCI registry: tags, layouts, log-ins, and tags that were overwritten."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from urllib.parse import parse_qs

import httpx2
import pytest

from plataforma_sdk.errors import IntegrityError, RegistryError, VersionConflictError
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry.backends import OciBackend, WebOptions
from plataforma_sdk.registry.backends._oci_layout import tag_of, version_of
from tests.conformance.registry._oci_registry import OciRegistry
from tests.conformance.registry._releases import publish

URL = "oci://registry.test/acme"


@pytest.fixture
def registry():
    return OciRegistry()


def backend(transport, **kwargs):
    return OciBackend(URL, options=WebOptions(transport=transport, first_wait_s=0), **kwargs)


@pytest.mark.parametrize(
    ("version", "tag"), [("1.0.0", "1.0.0"), ("1.0.0-rc.1+b.7", "1.0.0-rc.1_b.7"), ("1.0.0+a-b", "1.0.0_a-b")]
)
def test_a_version_is_a_tag(version, tag):
    assert (tag_of(version), version_of(tag)) == (tag, version)


@pytest.mark.parametrize("tag", ["latest", "yank.1.0.0", "sha256-" + "0" * 64, "1.0", "v1.0.0"])
def test_other_tags_are_no_versions(tag):
    assert version_of(tag) is None


def test_a_version_that_is_too_long_for_a_tag_is_refused():
    with pytest.raises(RegistryError, match="at most 123 characters"):
        tag_of("1.0.0-" + "a" * 200)


def test_tags_of_other_people_are_left_alone(registry, run):
    async def main():
        opened = backend(registry)
        release = await publish(opened, "vendas")
        tags = registry.tags["acme/vendas"]
        tags["latest"] = tags["1.0.0"]
        assert (await opened.versions("vendas")).releases == (release,)

    run(main())


@pytest.mark.parametrize(
    ("content", "system", "has_component"),
    [(b"\0asm\x0d\0\x01\0", "wasip2", True), (b"\0asm\x01\0\0\0", "wasip1", False)],
    ids=["component", "module"],
)
def test_a_wasm_package_has_the_layout_that_other_tools_read(registry, run, content, system, has_component):
    run(publish(backend(registry), "vendas", content=content, media_type="application/wasm", authors=("Ana",)))
    stored = registry.manifests["acme/vendas"][registry.tags["acme/vendas"]["1.0.0"]]
    manifest = json.loads(stored)
    config = json.loads(registry.blobs["acme/vendas"][manifest["config"]["digest"]])
    assert manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert manifest["layers"] == [{"mediaType": "application/wasm", "digest": digest_of(content), "size": len(content)}]
    assert "artifactType" not in manifest
    assert config["layerDigests"] == [digest_of(content)]
    assert (config["os"], config["author"], "component" in config) == (system, "Ana", has_component)


def test_attachments_refer_to_the_release(registry, run):
    run(publish(backend(registry), "vendas", attachments={"sbom": b"{}", "scan": b"[]"}))
    digest = registry.tags["acme/vendas"]["1.0.0"]
    listed = json.loads(registry.manifests["acme/vendas"][registry.tags["acme/vendas"][digest.replace(":", "-")]])
    names = set()
    for entry in listed["manifests"]:
        manifest = json.loads(registry.manifests["acme/vendas"][entry["digest"]])
        assert manifest["subject"]["digest"] == digest
        names.add((manifest["artifactType"], manifest["annotations"]["dev.plataforma.attachment"]))
    assert names == {("application/vnd.test.sbom", "sbom"), ("application/vnd.test.scan", "scan")}


def test_where_the_registry_lists_referrers_itself_no_tag_is_written(registry, run):
    class Modern(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            response = await registry.handle_async_request(request)
            if b'"subject"' in (request.content if request.method == "PUT" else b""):
                response.headers["oci-subject"] = "sha256:..."
            return response

    run(publish(backend(Modern()), "vendas", attachments={"sbom": b"{}"}))
    assert list(registry.tags["acme/vendas"]) == ["1.0.0"]


def test_a_tag_that_was_overwritten_is_not_believed(registry, run):
    async def main():
        opened = backend(registry)
        first = await publish(opened, "vendas", "1.0.0")
        await publish(opened, "vendas", "2.0.0")
        tags = registry.tags["acme/vendas"]
        tags["1.0.0"] = tags["2.0.0"]
        assert (await opened.versions("vendas")).release("1.0.0") == first
        with pytest.raises(IntegrityError, match=r"holds vendas 2\.0\.0"):
            await backend(registry).versions("vendas")

    run(main())


def test_a_publisher_looks_at_the_tag_and_not_only_at_the_list(registry, run):
    class Forgetful(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            if request.url.path.endswith("/tags/list"):
                return httpx2.Response(404, content=b"{}")
            return await registry.handle_async_request(request)

    async def main():
        await publish(backend(registry), "vendas", content=b"first")
        with pytest.raises(VersionConflictError, match="raise the version"):
            await publish(backend(Forgetful()), "vendas", content=b"second")

    run(main())


def test_a_publisher_who_was_overtaken_learns_of_it(registry, run):
    """OCI has no compare-and-set: the tag is read again after it was written."""

    class Racing(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            response = await registry.handle_async_request(request)
            if request.method == "PUT" and request.url.path.endswith("/vendas/manifests/1.0.0"):
                registry.tags.pop("acme/vendas")  # whoever was first is gone, and somebody else publishes
                await publish(backend(registry), "vendas", content=b"faster")
            return response

    async def main():
        with pytest.raises(VersionConflictError, match="by somebody else in the same moment"):
            await publish(backend(Racing()), "vendas", content=b"slower")

    run(main())


# --- log-in ----------------------------------------------------------------------------------------------------------


class Guarded(httpx2.AsyncBaseTransport):
    """A registry that asks for a token, and the service that gives it."""

    def __init__(self, registry, realm="https://auth.test/token", kind="Bearer"):
        self.registry = registry
        self.realm = realm
        self.kind = kind
        self.tokens = []
        self.unguarded = 0

    async def handle_async_request(self, request):
        if request.url.host == "auth.test":
            query = parse_qs(request.url.query.decode())
            self.tokens.append((request.headers.get("authorization"), query["scope"][0]))
            return httpx2.Response(200, json={"token": f"for {query['scope'][0]}".replace(" ", "-")})
        wanted = self._wanted(request)
        if request.headers.get("authorization") != wanted:
            self.unguarded += "authorization" in request.headers
            challenge = f'{self.kind} realm="{self.realm}",service="registry.test",scope="whatever"'
            return httpx2.Response(401, headers={"www-authenticate": challenge})
        return await self.registry.handle_async_request(request)

    def _wanted(self, request):
        if self.kind == "Basic":
            return f"Basic {base64.b64encode(b'ana:pw').decode()}"
        name = request.url.path.removeprefix("/v2/").split("/manifests")[0].split("/blobs")[0].split("/tags")[0]
        actions = "pull,push" if request.method in {"PUT", "POST"} or "/blobs/sha256" in request.url.path else "pull"
        return f"Bearer for-repository:{name}:{actions}"


class Interleaved(httpx2.AsyncBaseTransport):
    """Lets others go first before each request, as often as the dice say."""

    def __init__(self, registry, seed):
        self._registry, self._dice = registry, random.Random(seed)

    async def handle_async_request(self, request):
        for _ in range(self._dice.randrange(12)):
            await asyncio.sleep(0)
        return await self._registry.handle_async_request(request)


@pytest.mark.parametrize("seed", range(40))
def test_of_two_who_push_one_version_at_once_the_tag_is_one_who_was_not_refused(run, seed):
    """OCI has no compare-and-set: the last to write has the tag, and never believes that it lost."""
    registry = OciRegistry()

    async def push(content, number):
        pushing = backend(Interleaved(registry, f"{seed} {number}"))
        try:
            return await publish(pushing, content=content)
        except (VersionConflictError, IntegrityError) as refused:
            return refused
        finally:
            await pushing.aclose()

    async def main():
        ends = await asyncio.gather(push(b"one", 1), push(b"two", 2))
        reader = backend(registry)
        try:
            (listed,) = (await reader.versions("vendas")).releases
        finally:
            await reader.aclose()
        return ends, listed

    ends, listed = run(main())
    assert listed.digest in {end.digest for end in ends if not isinstance(end, Exception)}


def test_a_token_is_fetched_once_for_each_scope(registry, run):
    guarded = Guarded(registry)

    async def main():
        opened = backend(guarded, credentials=("ana", "pw"))
        await publish(opened, "vendas")
        await opened.versions("vendas")

    run(main())
    scopes = [scope for _, scope in guarded.tokens]
    assert len(scopes) == len(set(scopes))
    assert {login for login, _ in guarded.tokens} == {f"Basic {base64.b64encode(b'ana:pw').decode()}"}
    assert "repository:acme/vendas:pull,push" in scopes


def test_a_registry_may_ask_for_the_password_itself(registry, run):
    async def main():
        await publish(backend(Guarded(registry, kind="Basic"), credentials=("ana", "pw")), "vendas")

    run(main())
    assert list(registry.tags["acme/vendas"]) == ["1.0.0"]


def test_without_a_password_the_next_step_is_told(registry, run):
    with pytest.raises(RegistryError, match=r"set PLATAFORMA_REGISTRY_USER .*docker login"):
        run(backend(Guarded(registry, kind="Basic")).versions("vendas"))


@pytest.mark.parametrize("realm", ["http://auth.test/token", "http://127.0.0.1/token", "ftp://auth.test"])
def test_a_password_is_not_sent_in_the_clear(registry, run, realm):
    guarded = Guarded(registry, realm=realm)
    with pytest.raises(RegistryError, match="which is not encrypted: nothing was sent"):
        run(backend(guarded, credentials=("ana", "pw")).versions("vendas"))
    assert guarded.tokens == []


def test_an_upload_is_not_sent_elsewhere(registry, run):
    class Elsewhere(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            if request.method == "POST":
                return httpx2.Response(202, headers={"location": "https://evil.test/upload"})
            assert request.url.host == "registry.test"
            return await registry.handle_async_request(request)

    with pytest.raises(RegistryError, match=r"to https://evil\.test: nothing was sent there"):
        run(publish(backend(Elsewhere()), "vendas"))


def test_a_list_of_tags_without_end_is_given_up(run):
    def serve(request):
        headers = {"link": '</v2/acme/vendas/tags/list?n=1>; rel="next"'}
        return httpx2.Response(200, headers=headers, json={"name": "acme/vendas", "tags": []})

    with pytest.raises(IntegrityError, match="never ends to list its tags"):
        run(backend(httpx2.MockTransport(serve)).versions("vendas"))
