"""The expectations of a backend on moto's S3 server."""

from __future__ import annotations

import itertools
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from plataforma_sdk.registry.backends import open_backend
from tests.conformance.registry._places import Place
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
def place(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    url = f"s3://modules/case-{next(NUMBERS)}"
    return Place(name="S3", open=lambda: open_backend(url))
