"""A registry is opened by its address."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from plataforma_sdk import hookimpl
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.plugins import make_plugin_manager
from plataforma_sdk.registry.backends import (
    DirectoryBackend,
    HttpBackend,
    MemoryBackend,
    ObjectBackend,
    OciBackend,
    open_backend,
)

PLUGINS = make_plugin_manager(entry_points=False)


@pytest.fixture(autouse=True)
def without_credentials(monkeypatch, tmp_path):
    for name in ("", "_TOKEN", "_USER", "_PASSWORD"):
        monkeypatch.delenv(f"PLATAFORMA_REGISTRY{name}", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.mark.parametrize(
    ("url", "cls", "name", "is_local"),
    [
        ("memory:", MemoryBackend, "memory:", True),
        ("https://registry.test/base/", HttpBackend, "https://registry.test/base", False),
        ("HTTPS://Registry.Test", HttpBackend, "https://registry.test", False),
        ("http://127.0.0.1:8000", HttpBackend, "http://127.0.0.1:8000", False),
        ("http://[::1]:8000", HttpBackend, "http://[::1]:8000", False),
        ("http://localhost", HttpBackend, "http://localhost", False),
        ("oci://registry.test/acme/modules", OciBackend, "oci://registry.test/acme/modules", False),
        ("oci+http://registry.test:5000", OciBackend, "oci+http://registry.test:5000", False),
    ],
)
def test_an_address_says_which_backend(url, cls, name, is_local):
    backend = open_backend(url, plugins=PLUGINS)
    assert (type(backend), backend.url, backend.is_local) == (cls, name, is_local)


@pytest.mark.parametrize("url", ["modules", "./modules", "dir:modules", Path("modules"), "a/b:c"])
def test_a_path_is_a_directory(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = open_backend(url, plugins=PLUGINS)
    assert isinstance(backend, DirectoryBackend)
    assert backend.path == tmp_path / str(url).removeprefix("dir:")
    assert list(tmp_path.iterdir()) == []


def test_a_path_begins_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert open_backend("~/modules", plugins=PLUGINS).url == f"dir:{tmp_path / 'modules'}"


def test_an_address_of_a_bucket_is_an_object_store():
    pytest.importorskip("obstore", reason="needs the extra s3")
    backend = open_backend("s3://bucket/modules/", plugins=PLUGINS)
    assert (type(backend), backend.url, backend.is_local) == (ObjectBackend, "s3://bucket/modules", False)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "name a directory"),
        ("dir:", "name a directory"),
        ("ftp://host", "write a path, 'dir:PATH', 'memory:', .* install a plugin for 'ftp'"),
        ("https://", "is no address of a registry: write 'https://host/path'"),
        ("https://ana:secret@host", "has credentials in it: take them out"),
        ("https://host?token=x", "has a query or a fragment"),
        ("https://host:port", "is no address of a registry"),
        ("http://registry.test", "in the clear: use https"),
        ("http://127.0.0.1.evil.test", "in the clear: use https"),
        ("http://localhost.evil.test", "in the clear: use https"),
        ("oci://host/Upper", "'Upper' is no name of a repository"),
        ("oci://host/../up", "is no name of a repository"),
        ("oci://", "write 'oci://host/namespace'"),
    ],
)
def test_what_is_no_address_is_explained(url, problem):
    with pytest.raises(RegistryError, match=problem) as caught:
        open_backend(url, plugins=PLUGINS)
    assert "secret" not in str(caught.value)


def test_a_plugin_opens_what_is_not_built_in():
    class Plugin:
        @hookimpl
        def plataforma_registry_backend(self, url):
            return MemoryBackend(url) if url.startswith("nfs:") else None

    plugins = make_plugin_manager([Plugin()], entry_points=False)
    assert open_backend("nfs:server", plugins=plugins).url == "nfs:server"
    assert isinstance(open_backend("https://host", plugins=plugins), HttpBackend)
    with pytest.raises(RegistryError, match="No registry opens 'smb:server'"):
        open_backend("smb:server", plugins=plugins)


@pytest.mark.parametrize(
    ("url", "module", "advice"),
    [
        ("https://host", "httpx2", r"plataforma-sdk\[http\]"),
        ("oci://host", "httpx2", r"plataforma-sdk\[http\]"),
        ("s3://bucket", "obstore.exceptions", r"plataforma-sdk\[s3\]"),
    ],
)
def test_a_missing_extra_is_named(url, module, advice, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RegistryError, match=advice):
        open_backend(url, plugins=PLUGINS)


# --- credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "token"),
    [(None, "s3cret"), ("https://registry.test/base", "s3cret"), ("https://other.test", None)],
    ids=["no other named", "the one named", "another named"],
)
def test_a_token_goes_to_the_registry_it_is_for(configured, token, monkeypatch):
    monkeypatch.setenv("PLATAFORMA_REGISTRY_TOKEN", "s3cret")
    if configured:
        monkeypatch.setenv("PLATAFORMA_REGISTRY", configured)
    backend = open_backend("https://registry.test/base", plugins=PLUGINS)
    assert backend._token == token
    assert "s3cret" not in repr(vars(backend)["url"])


def test_a_user_of_the_environment_comes_before_docker(monkeypatch, tmp_path):
    (tmp_path / "docker").mkdir()
    login = base64.b64encode(b"docker-user:word").decode()
    (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {"registry.test": {"auth": login}}}))
    docker = open_backend("oci://registry.test/acme", plugins=PLUGINS)
    assert docker._client._auth._basic == f"Basic {login}"
    assert open_backend("oci://other.test/acme", plugins=PLUGINS)._client._auth._basic is None

    monkeypatch.setenv("PLATAFORMA_REGISTRY_USER", "ana")
    monkeypatch.setenv("PLATAFORMA_REGISTRY_PASSWORD", "pw")
    ours = open_backend("oci://registry.test/acme", plugins=PLUGINS)
    assert ours._client._auth._basic == f"Basic {base64.b64encode(b'ana:pw').decode()}"


@pytest.mark.parametrize("text", ["", "[]", '{"auths": {"registry.test": {"auth": "?"}}}', '{"auths": 7}'])
def test_a_broken_docker_file_is_no_login(text, tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(text)
    assert open_backend("oci://registry.test/acme", plugins=PLUGINS)._client._auth._basic is None
