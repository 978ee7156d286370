"""`ModuleRegistry` as a reader: resolve, fetch, verify, cache, go on offline."""

from __future__ import annotations

import asyncio
import shutil
import stat

import attrs
import pytest

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError, ResolutionError
from plataforma_sdk.registry import Lock, _packages
from plataforma_sdk.registry.backends import MemoryBackend
from plataforma_sdk.registry.trust import TrustPolicy
from plataforma_sdk.runtime import ModuleHost
from tests.unit.registry._doubles import RemoteBackend, open_registry


@pytest.fixture
def backend():
    return RemoteBackend()


@pytest.fixture
def reopen(backend, tmp_path):
    """Open the registry as a new process would: nothing in memory."""
    opened = []

    def make(backend=backend, **settings):
        _packages._SHARED.clear()
        defaults = {"trust": TrustPolicy.any(), "cache_dir": tmp_path / "cache"}
        opened.append(open_registry(backend, **{**defaults, **settings}))
        return opened[-1]

    yield make
    for registry in opened:
        asyncio.run(registry.aclose())


def publish(registry, *packages, **settings):
    for package in packages:
        asyncio.run(registry.publish(package, **settings))


def test_the_newest_in_the_range_is_fetched(reopen, make_package):
    publish(reopen(), *(make_package(version=version) for version in ("1.0.0", "1.9.0", "2.0.0", "1.10.0-beta")))
    assert asyncio.run(reopen().fetch_package("vendas", "^1")).version == "1.9.0"


def test_dependencies_are_fetched_with_it(reopen, backend, make_package):
    publish(reopen(), make_package("clientes"), make_package(more='[dependencies]\nclientes = "^1"'))
    installed = asyncio.run(reopen().install({"vendas": "*"}))
    assert set(installed) == {"vendas", "clientes"}
    assert len(backend.reads) == 2


def test_what_was_fetched_is_not_fetched_again(reopen, backend, make_package):
    publish(reopen(), make_package())
    for _ in range(2):
        asyncio.run(reopen().fetch_package("vendas", "^1"))
    assert len(backend.reads) == 1


def test_the_cache_is_this_users_alone(reopen, tmp_path, make_package):
    publish(reopen(), make_package())
    asyncio.run(reopen().fetch_package("vendas", "^1"))
    for path in (tmp_path / "cache", tmp_path / "cache" / "packages"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_cache_that_others_may_enter_is_refused(reopen, tmp_path, make_package):
    publish(reopen(), make_package())
    (tmp_path / "cache").chmod(0o755)
    with pytest.raises(RegistryError, match="0755, not 0700"):
        asyncio.run(reopen().fetch_package("vendas", "^1"))


def test_a_damaged_cache_is_noticed_and_fetched_anew(reopen, backend, tmp_path, make_package, caplog):
    publish(reopen(), make_package())
    asyncio.run(reopen().fetch_package("vendas", "^1"))
    (file,) = (tmp_path / "cache" / "packages").glob("*.zip")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert asyncio.run(reopen().fetch_package("vendas", "^1")).version == "1.0.0"
    assert len(backend.reads) == 2
    assert "damaged in the cache" in caplog.text


def test_offline_it_goes_on_with_what_it_saw(reopen, backend, make_package, caplog):
    publish(reopen(), make_package())
    asyncio.run(reopen().fetch_package("vendas", "^1"))
    backend.is_cut = True
    assert asyncio.run(reopen().fetch_package("vendas", "^1")).version == "1.0.0"
    assert "going on with what it said about vendas before" in caplog.text


def test_offline_nothing_is_known_of_what_was_never_seen(reopen, backend):
    backend.is_cut = True
    with pytest.raises(RegistryError, match="cannot be reached"):
        asyncio.run(reopen().fetch_package("vendas", "^1"))


def test_an_index_that_goes_back_is_noticed_by_the_next_process(reopen, backend, make_package):
    publish(reopen(), make_package(), make_package(version="1.1.0"))
    asyncio.run(reopen().versions("vendas"))
    backend.forget("vendas")
    with pytest.raises(IntegrityError, match=r"replayed or restored(?s:.*)made anew on purpose, remove"):
        asyncio.run(reopen().fetch_package("vendas", "^1"))


def test_other_bytes_are_never_used(reopen, backend, tmp_path, make_package):
    publish(reopen(), make_package())
    backend.served = b"something else"
    with pytest.raises(IntegrityError, match=r"vendas 1\.0\.0: the registry sent"):
        asyncio.run(reopen().fetch_package("vendas", "^1"))
    assert list((tmp_path / "cache").glob("packages/*.zip")) == []


def test_a_module_is_not_passed_off_as_another(reopen, backend, make_package):
    publish(reopen(), make_package(), make_package("clientes"))
    index, other = backend._indexes["vendas"], backend._indexes["clientes"]
    swapped = attrs.evolve(index.releases[0], archive=other.releases[0].archive)
    backend._indexes["vendas"] = attrs.evolve(index, releases=(swapped,), revision=2)
    registry = open_registry(backend, trust=TrustPolicy.any(), cache_dir=None)
    with pytest.raises(IntegrityError, match=r"the archive holds clientes 1\.0\.0"):
        asyncio.run(registry.fetch(swapped))


def test_a_remote_registry_is_taken_from_only_what_is_signed(reopen, make_package):
    publish(reopen(), make_package())
    with pytest.raises(IntegrityError, match="is not signed, and only signed modules"):
        asyncio.run(reopen(trust=None).fetch_package("vendas", "^1"))


def test_a_registry_of_this_machine_is_taken_from_unsigned(make_package):
    registry = open_registry(MemoryBackend())
    publish(registry, make_package())
    assert asyncio.run(registry.fetch_package("vendas", "*")).id == "vendas"


def test_a_signed_module_is_taken_also_from_the_cache(reopen, backend, make_package, make_key):
    publish(reopen(), make_package(), signer=make_key())
    for _ in range(2):
        assert asyncio.run(reopen(trust=None).fetch_package("vendas", "^1")).version == "1.0.0"
    (release,) = backend._indexes["vendas"].releases
    assert backend.reads.count(release.archive.digest) == 1
    assert backend.reads.count(release.attachments["attestation"].digest) == 2


def test_another_key_is_not_taken_by_the_next_process(reopen, backend, tmp_path, make_package, make_key):
    settings = {"trust": None, "state_dir": tmp_path / "state"}
    publish(reopen(), make_package(), signer=make_key())
    asyncio.run(reopen(**settings).fetch_package("vendas", "^1"))
    backend._owners.clear()  # a registry that forgets, or that lies about, whose name it is
    backend._indexes["vendas"] = attrs.evolve(backend._indexes["vendas"], owner=None)
    publish(reopen(), make_package(version="1.1.0"), signer=make_key())
    with pytest.raises(IntegrityError, match="known to be signed by"):
        asyncio.run(reopen(**settings).fetch_package("vendas", "^1"))


def test_a_module_does_not_move_between_registries_by_itself(reopen, tmp_path, make_package):
    publish(reopen(), make_package())
    asyncio.run(reopen(state_dir=tmp_path / "state").fetch_package("vendas", "^1"))
    other = reopen(MemoryBackend("memory:other"), state_dir=tmp_path / "state")
    publish(other, make_package())
    with pytest.raises(IntegrityError, match=r"known from https://registry\.example"):
        asyncio.run(other.fetch_package("vendas", "^1"))


def test_decisions_are_kept_under_a_verified_publisher_or_the_registry(reopen, make_package, make_key):
    package, key = make_package(), make_key()
    publish(reopen(), package, signer=key)
    signed, unverified = reopen(trust=None), reopen()
    for registry in (signed, unverified):
        asyncio.run(registry.fetch_package("vendas", "^1"))
    assert signed.source_of(package) == key.fingerprint
    assert unverified.source_of(package) == "registry:https://registry.example"


def test_verify_reads_every_blob_past_the_cache(reopen, backend, make_package):
    publish(reopen(), make_package())
    registry = reopen()
    (release,) = asyncio.run(registry.versions("vendas")).releases
    asyncio.run(registry.fetch(release))
    backend.reads.clear()
    checked = asyncio.run(registry.verify(release)).checked
    assert [line.split()[0] for line in checked] == ["archive", "content", "sbom", "build", "scan"]
    assert len(backend.reads) == 4


def test_an_attachment_that_is_not_there_names_those_that_are(reopen, make_package):
    publish(reopen(), make_package())
    registry = reopen()
    (release,) = asyncio.run(registry.versions("vendas")).releases
    with pytest.raises(PackageNotFoundError, match="it has sbom, build, scan"):
        asyncio.run(registry.attachment(release, "licence"))


def test_no_version_in_the_range_names_those_that_there_are(reopen, make_package):
    publish(reopen(), make_package())
    with pytest.raises((PackageNotFoundError, ResolutionError), match=r"1\.0\.0"):
        asyncio.run(reopen().fetch_package("vendas", "^2"))


def test_a_host_loads_by_id_and_range_from_an_address(tmp_path, make_package):
    async def main():
        async with open_registry(tmp_path / "registry") as registry:
            await registry.publish(make_package())
        async with ModuleHost(registry=str(tmp_path / "registry"), engine="trusted") as host:
            vendas = await host.load("vendas@^1")
            return await vendas.call("which")

    assert asyncio.run(main()) == "1.0.0"


def test_a_host_reloads_to_what_the_registry_has_now(make_package):
    async def main():
        registry = open_registry(MemoryBackend())
        await registry.publish(make_package())
        async with ModuleHost(registry=registry, engine="trusted") as host:
            vendas = await host.load("vendas@^1")
            await registry.publish(make_package(version="1.1.0"))
            await vendas.reload()
            return await vendas.call("which")

    assert asyncio.run(main()) == "1.1.0"


def test_a_host_may_be_given_a_backend(make_package):
    async def main():
        backend = MemoryBackend()
        await open_registry(backend).publish(make_package())
        async with ModuleHost(registry=backend, engine="trusted") as host:
            return (await host.load("vendas")).version

    assert asyncio.run(main()) == "1.0.0"


def test_a_lock_answers_without_the_registry(reopen, backend, tmp_path, make_package):
    publish(reopen(), make_package())
    registry = reopen()
    resolution = asyncio.run(registry.resolve({"vendas": "^1"}))
    asyncio.run(registry.fetch_all(resolution))
    Lock.of(resolution).write(tmp_path / "module.lock")
    publish(reopen(), make_package(version="1.1.0"))
    backend.is_cut = True
    shutil.rmtree(tmp_path / "cache" / "indexes")
    locked = reopen(lock=tmp_path / "module.lock")
    assert asyncio.run(locked.fetch_package("vendas", "^1")).version == "1.0.0"
    with pytest.raises(RegistryError, match="cannot be reached"):
        asyncio.run(reopen().fetch_package("vendas", "^1"))


def test_a_locked_release_still_verifies(reopen, make_package, make_key):
    publish(reopen(), make_package(), signer=make_key())
    registry = reopen(trust=None)
    lock = Lock.of(asyncio.run(registry.resolve({"vendas": "^1"})))
    locked = asyncio.run(registry.resolve({"vendas": "^1"}, lock=Lock.from_text(lock.to_text())))
    assert asyncio.run(reopen(trust=None).fetch_all(locked, lock=lock))["vendas"].version == "1.0.0"
