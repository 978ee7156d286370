"""The expectations of a backend on Debian's docker-registry, and what skopeo makes of what was pushed."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry.backends import OciBackend, open_backend
from tests.conformance.registry._places import Place
from tests.conformance.registry._releases import make_release, publish, read
from tests.conformance.registry.test_backends import *  # noqa: F403

from ._servers import docker_registry

COMPONENT = b"\0asm\x0d\0\x01\0"
NUMBERS = itertools.count()

pytestmark = pytest.mark.skipif(
    shutil.which("docker-registry") is None, reason="needs docker-registry: apt-get install docker-registry"
)
needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo: apt-get install skopeo")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("docker-registry")) as address:
        yield address


@pytest.fixture
def url(host: str) -> str:
    """Return a place of its own in the registry."""
    return f"oci+http://{host}/case-{next(NUMBERS)}"


@pytest.fixture
def place(url: str) -> Place:
    return Place(name="docker-registry", open=lambda: open_backend(url), has_compare_and_set=False)


def skopeo(*arguments: str) -> str:
    return subprocess.run(["skopeo", *arguments], check=True, capture_output=True, text=True).stdout


def publish_one(url: str, **fields: Any) -> None:
    async def main() -> None:
        backend = open_backend(url)
        await publish(backend, "acme/vendas", "1.2.3+build.7", **fields)
        await backend.aclose()

    asyncio.run(main())


@needs_skopeo
def test_skopeo_inspects_a_module(url):
    publish_one(url, name="Vendas", licence="MIT", published_at="2026-01-31T12:00:00Z")
    reference = f"docker://{url.removeprefix('oci+http://')}/acme/vendas:1.2.3_build.7"
    manifest = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", reference))
    assert manifest["artifactType"] == "application/vnd.plataforma.module.v1"
    assert manifest["layers"][0]["digest"] == digest_of(b"acme/vendas 1.2.3+build.7")
    assert manifest["annotations"]["org.opencontainers.image.version"] == "1.2.3+build.7"


@needs_skopeo
def test_skopeo_finds_the_layout_of_wasm_artifacts(url):
    publish_one(url, content=COMPONENT, media_type="application/wasm", published_at="2026-01-31T12:00:00Z")
    reference = f"docker://{url.removeprefix('oci+http://')}/acme/vendas:1.2.3_build.7"
    manifest = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", reference))
    config = json.loads(skopeo("inspect", "--raw", "--config", "--tls-verify=false", reference))
    assert manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert [layer["mediaType"] for layer in manifest["layers"]] == ["application/wasm"]
    assert (config["architecture"], config["os"]) == ("wasm", "wasip2")
    assert config["layerDigests"] == [digest_of(COMPONENT)]


@needs_skopeo
def test_a_module_that_skopeo_copied_is_the_same_module(host, url):
    publish_one(url, content=b"archive")
    copy = f"oci+http://{host}/copy-{next(NUMBERS)}"
    source, target = (
        f"docker://{place.removeprefix('oci+http://')}/acme/vendas:1.2.3_build.7" for place in (url, copy)
    )
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", source, target)

    async def main():
        backend = open_backend(copy)
        (release,) = (await backend.versions("acme/vendas")).releases
        assert release == make_release("acme/vendas", "1.2.3+build.7", b"archive")[0]
        assert await read(backend, "acme/vendas", release.archive) == b"archive"
        await backend.aclose()

    asyncio.run(main())


@needs_skopeo
def test_attachments_are_listed_under_the_tag_for_referrers(url):
    publish_one(url, attachments={"sbom": b"{}", "attestation": b"signed"})
    repository = f"docker://{url.removeprefix('oci+http://')}/acme/vendas"
    release = skopeo("inspect", "--raw", "--tls-verify=false", f"{repository}:1.2.3_build.7").encode()
    tag = digest_of(release).replace(":", "-")
    index = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", f"{repository}:{tag}"))
    assert {entry["artifactType"] for entry in index["manifests"]} == {
        "application/vnd.test.sbom",
        "application/vnd.test.attestation",
    }


@needs_skopeo
def test_a_tag_that_was_overwritten_is_refused(host, url):
    """Debian's registry lets it happen; whoever saw the first one is not fooled, and neither is a copied name."""

    async def main():
        backend, other = open_backend(url), open_backend(f"{url}-other")
        first = await publish(backend, "vendas", "1.0.0")
        await publish(other, "vendas", "2.0.0")
        place = url.removeprefix("oci+http://")
        skopeo(
            "copy",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            f"docker://{place}-other/vendas:2.0.0",
            f"docker://{place}/vendas:1.0.0",
        )
        assert (await backend.versions("vendas")).releases == (first,)
        fresh = OciBackend(url)
        with pytest.raises(IntegrityError, match=r"holds vendas 2\.0\.0: the registry answers one for another"):
            await fresh.versions("vendas")
        for opened in (backend, other, fresh):
            await opened.aclose()

    asyncio.run(main())
