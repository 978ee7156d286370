"""An index elsewhere: which extra it needs, and which directory it belongs to."""

from __future__ import annotations

import sys

import pytest

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends._catalogue import MARK, open_index
from plataforma_sdk.web.registry import ServiceOptions, open_tokens

URL = "postgresql://ana:segredo@db.test/registry"


@pytest.fixture
def without_psycopg(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "plataforma_sdk.registry.backends._postgres", raising=False)


@pytest.mark.usefixtures("without_psycopg")
def test_without_the_library_the_extra_is_named(tmp_path, run):
    async def main():
        backend = DirectoryBackend(tmp_path / "registry", database=URL)
        try:
            return await backend.health()
        finally:
            await backend.aclose()

    health = run(main())
    assert not health.is_ready
    assert "pip install 'plataforma-sdk[postgres]'" in health.detail
    assert "segredo" not in health.detail


def test_a_directory_whose_index_lies_elsewhere_gets_none_of_its_own(tmp_path):
    (tmp_path / MARK).write_text("4a1c")
    with pytest.raises(RegistryError, match="lies in PostgreSQL: name the database"):
        open_index(tmp_path)
    with pytest.raises(RegistryError, match="lies in PostgreSQL: name the database"):
        open_tokens(tmp_path)
    assert list(tmp_path.glob("*.sqlite")) == []


def test_a_directory_with_an_index_takes_no_other(tmp_path):
    open_index(tmp_path).close()
    with pytest.raises(RegistryError, match=r"has its index in registry\.sqlite"):
        open_index(tmp_path, URL)


def test_options_that_are_printed_show_no_password(tmp_path):
    assert "segredo" not in repr(ServiceOptions(directory=tmp_path, database=URL))
