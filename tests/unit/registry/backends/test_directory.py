"""A registry in a directory: private, whole after a fault, and plain about what is wrong."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time

import pytest

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends import _blob_files as blob_files
from tests.conformance.registry._releases import make_release, publish, read


@pytest.fixture
def root(tmp_path):
    return tmp_path / "registry"


@pytest.fixture
def using(root, run):
    """Run a case on a backend of the directory."""

    def use(case):
        async def main():
            backend = DirectoryBackend(root)
            try:
                return await case(backend)
            finally:
                await backend.aclose()

        return run(main())

    return use


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_what_it_makes_is_its_owners_alone(using, root):
    using(publish)
    made = [root, *(path for path in root.rglob("*") if path.name != ".lock")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made}
    assert modes == {0o700, 0o600}


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_directory_that_was_there_keeps_its_mode(using, root):
    root.mkdir(mode=0o750)
    using(publish)
    assert stat.S_IMODE(root.stat().st_mode) == 0o750


def test_publishing_again_repairs_a_blob(using, root):
    release = using(publish)
    path = root / "blobs" / "sha256" / release.archive.digest[7:9] / release.archive.digest[7:]
    path.write_bytes(b"x" * release.archive.size)
    using(lambda backend: publish(backend, "clientes", content=b"vendas 1.0.0"))
    assert using(lambda backend: read(backend, "vendas", release.archive)) == b"vendas 1.0.0"


def test_a_full_disk_leaves_nothing_half_published(using, root, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(blob_files.os, "fsync", full)
        with pytest.raises(RegistryError, match="No space left on device"):
            using(publish)
    assert list((root / "blobs" / "incoming").iterdir()) == []
    assert using(lambda backend: backend.versions("vendas")).releases == ()
    release, blobs = make_release()
    assert using(lambda backend: backend.publish(release, blobs)).releases == (release,)


def test_what_killed_writers_left_is_swept_after_an_hour(using, root):
    using(publish)
    old, new = root / "blobs" / "incoming" / "old", root / "blobs" / "incoming" / "new"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 3700,) * 2)
    using(lambda backend: backend.versions("vendas"))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_newer_format_is_left_alone(using, root):
    using(publish)
    with sqlite3.connect(root / "registry.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(RegistryError, match="newer version of this library"):
        using(lambda backend: backend.versions("vendas"))


def test_a_file_that_is_no_index_is_damage(using, root):
    root.mkdir()
    (root / "registry.sqlite").write_bytes(b"not a database at all, but long enough to look" * 100)
    with pytest.raises(IntegrityError, match=r"is damaged .* restore registry\.sqlite"):
        using(lambda backend: backend.versions("vendas"))
    assert using(lambda backend: backend.health()).is_ready is False


def test_a_place_that_is_no_directory_is_told(using, root):
    root.write_text("a file")
    with pytest.raises(RegistryError, match="cannot be used"):
        using(lambda backend: backend.versions("vendas"))


def test_a_closed_registry_says_so(root, run):
    async def main():
        backend = DirectoryBackend(root)
        await backend.aclose()
        with pytest.raises(RegistryError, match="is closed"):
            await backend.versions("vendas")

    run(main())
