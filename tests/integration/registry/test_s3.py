"""The expectations of a backend on moto's S3 server."""

from __future__ import annotations

import asyncio
import itertools
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from plataforma_sdk.errors import PackageNotFoundError
from plataforma_sdk.registry import BlobRef, digest_of
from plataforma_sdk.registry.backends import open_backend
from tests.conformance.registry._places import Place
from tests.conformance.registry._releases import publish, read
from tests.conformance.registry._served import serving as serving_registries
from tests.conformance.registry.test_backends import *  # noqa: F403

from ._servers import free_port, serving

pytest.importorskip("moto", reason="needs moto[s3]")
pytest.importorskip("flask_cors", reason="needs flask-cors")
pytest.importorskip("obstore", reason="needs the extra s3")

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    address = f"http://127.0.0.1:{port}"
    with serving(command, f"{address}/moto-api/", tmp_path_factory.mktemp("moto") / "log"):
        with urllib.request.urlopen(urllib.request.Request(f"{address}/modules", method="PUT")):
            pass
        yield address


@pytest.fixture
def url(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return f"s3://modules/case-{next(NUMBERS)}"


@pytest.fixture
def place(url: str) -> Place:
    return Place(name="S3", open=lambda: open_backend(url))


def test_a_service_keeps_its_blobs_in_s3(url, tmp_path):
    """A large one too, which goes in parts; none lies beside the index."""
    content = bytes(range(256)) * 50_000

    async def main(place):
        backend = place.open()
        release = await publish(backend, content=content, attachments={"empty": b""})
        await publish(backend, version="1.1.0", content=content)
        assert await read(backend, "vendas", release.archive) == content
        assert await read(backend, "vendas", release.attachments["empty"]) == b""
        with pytest.raises(PackageNotFoundError):
            await read(backend, "vendas", BlobRef(digest_of(b"absent"), 6))
        await backend.aclose()

    with serving_registries() as served, served.registry(tmp_path / "registry", blobs=url) as place:
        asyncio.run(main(place))
    assert [path for path in (tmp_path / "registry" / "blobs").rglob("*") if path.is_file()] == []
