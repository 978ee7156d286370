"""A registry in a directory: private, whole after a fault, and plain about what is wrong."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import stat
import time

import pytest

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import ModuleIndex, digest_of
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends import _blob_files as blob_files
from plataforma_sdk.registry.backends import _catalogue as catalogue
from plataforma_sdk.registry.backends._sqlite import open_catalogue
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
    path = root / "blobs" / "sha256" / release.archive.digest[7:]
    path.write_bytes(b"x" * release.archive.size)
    using(lambda backend: publish(backend, "clientes", content=b"vendas 1.0.0"))
    assert using(lambda backend: read(backend, "vendas", release.archive)) == b"vendas 1.0.0"


def fails(error):
    def fail(*_, **__):
        raise error

    return fail


DISK = OSError(errno.ENOSPC, "No space left on device")
LOCKED = sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize(
    ("place", "name", "error"),
    [
        pytest.param(blob_files.os, "fsync", DISK, id="force to the disk"),
        pytest.param(blob_files.os, "fdopen", DISK, id="open"),
        pytest.param(blob_files.Path, "replace", DISK, id="rename"),
        pytest.param(blob_files, "_sync_directory", DISK, id="force a rename"),
        pytest.param(catalogue, "_store", LOCKED, id="write the index"),
        pytest.param(catalogue, "words_of", LOCKED, id="write the search"),
    ],
)
def test_a_write_that_fails_leaves_nothing_half_published(using, monkeypatch, place, name, error):
    using(lambda backend: publish(backend, "clientes"))
    release, blobs = make_release(attachments={"sbom": b"{}"})
    with monkeypatch.context() as patch:
        patch.setattr(place, name, fails(error))
        with pytest.raises(RegistryError, match=str(error.args[-1])):
            using(lambda backend: backend.publish(release, blobs, owner="ed25519:aa"))
    assert using(lambda backend: backend.versions("vendas")) == ModuleIndex(id="vendas")
    assert using(lambda backend: backend.search("vendas")).total == 0
    assert using(lambda backend: backend.publish(release, blobs, owner="ed25519:aa")).releases == (release,)
    assert using(lambda backend: read(backend, "vendas", release.archive)) == b"vendas 1.0.0"


def test_no_blob_has_its_name_before_all_are_on_the_disk(using, root, monkeypatch):
    done = []
    force, rename = os.fsync, blob_files.Path.replace

    def noting_force(file):
        done.append("force")
        force(file)

    def noting_rename(path, target):
        done.append("rename")
        return rename(path, target)

    using(publish)
    monkeypatch.setattr(blob_files.os, "fsync", noting_force)
    monkeypatch.setattr(blob_files.Path, "replace", noting_rename)
    release, blobs = make_release(version="2.0.0", attachments={"sbom": b"{}", "scan": b"{ }"})
    using(lambda backend: backend.publish(release, blobs))
    assert done == ["force"] * 3 + ["rename"] * 3 + ["force"]  # the last one: of the directory


def test_a_blob_that_cannot_be_written_leaves_no_file(using, root, monkeypatch):
    using(publish)
    release, blobs = make_release(version="2.0.0", attachments={"sbom": b"{}"})
    calls = iter([None, DISK])

    def force(_):
        error = next(calls, None)
        if error is not None:
            raise error

    before = set(root.rglob("*"))
    monkeypatch.setattr(blob_files.os, "fsync", force)
    with pytest.raises(RegistryError, match="No space left"):
        using(lambda backend: backend.publish(release, blobs))
    assert {path for path in set(root.rglob("*")) - before if "sqlite" not in path.name} == set()


def test_what_killed_writers_left_is_swept_after_an_hour(using, root):
    using(publish)
    old, new = root / "blobs" / "incoming" / "old", root / "blobs" / "incoming" / "new"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 3700,) * 2)
    using(lambda backend: backend.versions("vendas"))
    assert (old.exists(), new.exists()) == (False, True)


def leave_orphan(root, content=b"orphan", *, age_s=100_000):
    """Leave what a publisher leaves that is killed before it lists the release."""
    digest = digest_of(content)
    path = root / "blobs" / "sha256" / digest[7:]
    path.write_bytes(content)
    os.utime(path, (time.time() - age_s,) * 2)
    return digest, path


def age(root, seconds=100_000):
    for path in (root / "blobs" / "sha256").iterdir():
        os.utime(path, (time.time() - seconds,) * 2)


def test_a_sweep_removes_old_blobs_that_no_release_names(using, root):
    release, blobs = make_release(attachments={"sbom": b"{}"})
    using(lambda backend: backend.publish(release, blobs))
    using(lambda backend: backend.yank("vendas", release.version, "broken"))
    age(root)
    old, _ = leave_orphan(root)
    _, young = leave_orphan(root, b"young", age_s=3_600)
    assert using(lambda backend: backend.sweep()) == {old: 6}
    left = {f"sha256:{path.name}" for path in (root / "blobs" / "sha256").iterdir()}
    assert left == {*blobs, f"sha256:{young.name}"}


def test_a_dry_sweep_removes_nothing(using, root):
    using(publish)
    old, path = leave_orphan(root)
    assert using(lambda backend: backend.sweep(dry_run=True)) == {old: 6}
    assert path.exists()


def test_a_sweep_with_a_damaged_index_removes_nothing(using, root):
    using(publish)
    _, path = leave_orphan(root)
    with sqlite3.connect(root / "registry.sqlite") as database:
        database.execute("UPDATE modules SET data = x'00'")
    database.close()
    with pytest.raises(IntegrityError):
        using(lambda backend: backend.sweep())
    assert path.exists()


def test_what_is_swept_while_it_is_published_is_stored_again(using, root, monkeypatch):
    """A blob of a publish that was cut off is found intact by the next one, and swept before that one lists it."""
    using(publish)
    release, blobs = make_release(version="2.0.0")
    digest, path = leave_orphan(root, blobs[release.archive.digest])
    check = catalogue.check_publish

    def swept_just_before(index, *rest):
        path.unlink(missing_ok=True)  # where the transaction that lists it begins
        return check(index, *rest)

    monkeypatch.setattr(catalogue, "check_publish", swept_just_before)
    using(lambda backend: backend.publish(release, blobs))
    assert (digest, path.exists()) == (release.archive.digest, True)
    assert using(lambda backend: read(backend, "vendas", release.archive)) == b"vendas 2.0.0"


def test_a_release_whose_blob_was_swept_is_not_listed(using, root):
    using(publish)
    release, _ = make_release(version="2.0.0")
    with pytest.raises(RegistryError, match="swept meanwhile: publish again"):
        using(lambda backend: backend.enlist(release))
    assert [item.version for item in using(lambda backend: backend.versions("vendas")).releases] == ["1.0.0"]


def test_a_sweep_waits_for_whoever_lists_a_release(root, using, run):
    """Two processes: what one is just listing, the other does not sweep, however old its file is."""
    using(publish)
    release, blobs = make_release(version="2.0.0")
    digest, path = leave_orphan(root, blobs[release.archive.digest])

    async def main():
        backend, other = DirectoryBackend(root), open_catalogue(root / "registry.sqlite")
        try:
            other.execute("BEGIN IMMEDIATE")
            sweeping = asyncio.create_task(backend.sweep())
            await asyncio.sleep(0.05)
            catalogue._store(other, ModuleIndex(id="vendas", releases=(release,), revision=2))
            other.execute("COMMIT")
            return await sweeping
        finally:
            other.close()
            await backend.aclose()

    assert digest not in run(main())
    assert path.exists()


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
