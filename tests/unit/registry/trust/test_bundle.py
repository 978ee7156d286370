"""Sigstore bundles, verified by `sigstore` itself against a root that is made here; and what a policy makes of them."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

pytest.importorskip("sigstore")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import BlobRef, ModuleRegistry, Release, digest_of
from plataforma_sdk.registry.backends import MemoryBackend, OciBackend, WebOptions
from plataforma_sdk.registry.trust import (
    BUNDLE,
    BUNDLE_TYPE,
    Identity,
    PinStore,
    SigningKey,
    Trust,
    TrustPolicy,
    attest,
    read_bundle,
)
from plataforma_sdk.registry.trust._bundle import MAX_BUNDLE_BYTES
from tests.conformance.registry._oci_registry import OciRegistry
from tests.unit.registry._doubles import RemoteBackend, open_registry
from tests.unit.registry.trust._signed import MANIFEST, URL, unsigned
from tests.unit.registry.trust._sigstore import ISSUER, WORKFLOW, FakeSigstore

ARCHIVE = b"1.0.0"
SIGNER = Identity(WORKFLOW, ISSUER)


@pytest.fixture(scope="module")
def sigstore() -> FakeSigstore:
    return FakeSigstore()


@pytest.fixture(scope="module")
def root(sigstore: FakeSigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sigstore.write_root(tmp_path_factory.mktemp("root") / "trusted_root.json")


def about(release: Release, kind: str = "sha256") -> dict[str, Any]:
    digest = release.archive.digest.removeprefix("sha256:")
    return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a", "digest": {kind: digest}}]}


def with_bundle(release: Release, bundle: bytes) -> Release:
    blob = BlobRef(digest_of(bundle), len(bundle), BUNDLE_TYPE)
    return attrs.evolve(release, attachments={**release.attachments, BUNDLE: blob})


def decide(policy: TrustPolicy, release: Release, envelope: bytes | None, bundle: bytes | None) -> Any:
    with PinStore() as pins:
        return Trust(policy, pins).decide(release, envelope, None, bundle, registry=URL)


# --- what verifies ---


def test_a_bundle_says_who_signed_the_archive(sigstore: FakeSigstore, root: Path) -> None:
    assert read_bundle(unsigned(), sigstore.sign(ARCHIVE), root=root) == SIGNER
    ana = sigstore.sign(ARCHIVE, subject="ana@example.com", issuer="https://accounts.example")
    assert read_bundle(unsigned(), ana, root=root) == Identity("ana@example.com", "https://accounts.example")


def test_a_statement_about_the_archive_is_as_good(sigstore: FakeSigstore, root: Path) -> None:
    assert read_bundle(unsigned(), sigstore.attest(about(unsigned())), root=root) == SIGNER


def _flipped(bundle: bytes, *path: str | int) -> bytes:
    """Change one letter of a text in a bundle."""
    data = json.loads(bundle)
    place = data
    for step in path[:-1]:
        place = place[step]
    text = place[path[-1]]
    middle = len(text) // 2
    place[path[-1]] = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
    return json.dumps(data).encode()


ENTRY = ("verificationMaterial", "tlogEntries", 0)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(("messageSignature", "signature"), id="the signature"),
        pytest.param(("messageSignature", "messageDigest", "digest"), id="the digest"),
        pytest.param(("verificationMaterial", "certificate", "rawBytes"), id="the certificate"),
        pytest.param((*ENTRY, "canonicalizedBody"), id="the entry of the log"),
        pytest.param((*ENTRY, "integratedTime"), id="the time"),
        pytest.param((*ENTRY, "inclusionPromise", "signedEntryTimestamp"), id="the log's promise"),
        pytest.param((*ENTRY, "inclusionProof", "rootHash"), id="the proof of inclusion"),
        pytest.param((*ENTRY, "inclusionProof", "checkpoint", "envelope"), id="the checkpoint"),
    ],
)
def test_what_was_changed_anywhere_does_not_verify(sigstore: FakeSigstore, root: Path, path: tuple[Any, ...]) -> None:
    with pytest.raises(IntegrityError, match=r"the sigstore bundle of vendas 1\.0\.0 does not verify"):
        read_bundle(unsigned(), _flipped(sigstore.sign(ARCHIVE), *path), root=root)


def test_what_is_about_something_else_is_refused(sigstore: FakeSigstore, root: Path) -> None:
    with pytest.raises(IntegrityError, match="does not verify"):
        read_bundle(unsigned(), sigstore.sign(b"another archive"), root=root)
    for statement in (about(unsigned("1.0.1")), about(unsigned(), "sha1"), {"subject": {}}, {}, []):
        with pytest.raises(IntegrityError, match="about something else"):
            read_bundle(unsigned(), sigstore.attest(statement), root=root)
    other = sigstore.attest(about(unsigned()), payload_type="application/json")
    with pytest.raises(IntegrityError, match=r"'application/vnd\.in-toto\+json' was expected"):
        read_bundle(unsigned(), other, root=root)


def test_another_sigstore_is_not_believed(sigstore: FakeSigstore, root: Path, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="with another sigstore than the public one, name its trusted root"):
        read_bundle(unsigned(), FakeSigstore().sign(ARCHIVE), root=root)
    with pytest.raises(IntegrityError, match="does not verify"):
        read_bundle(unsigned(), sigstore.sign(ARCHIVE), root=FakeSigstore().write_root(tmp_path / "root.json"))


@pytest.mark.parametrize("bundle", [b"", b"{}", b"[]", b"\xff", b"null", b'{"mediaType": 1}', b"[" * 5_000])
def test_what_is_no_bundle_is_refused(root: Path, bundle: bytes) -> None:
    with pytest.raises(IntegrityError, match="does not verify"):
        read_bundle(unsigned(), bundle, root=root)


def test_what_is_too_large_is_not_parsed(root: Path) -> None:
    with pytest.raises(IntegrityError, match="at most 262,144 are read"):
        read_bundle(unsigned(), b" " * (MAX_BUNDLE_BYTES + 1), root=root)


def test_a_root_that_is_none_is_said(sigstore: FakeSigstore, tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}", "utf-8")
    with pytest.raises(RegistryError, match=r"The trusted root .*root\.json cannot be read"):
        read_bundle(unsigned(), sigstore.sign(ARCHIVE), root=tmp_path / "root.json")


def test_the_public_root_comes_with_the_library(
    sigstore: FakeSigstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(IntegrityError, match="does not verify"):  # the root is there, offline, and is not that of here
        read_bundle(unsigned(), sigstore.sign(ARCHIVE))


def test_an_identity_without_its_issuer_is_none() -> None:
    with pytest.raises(IntegrityError, match="any issuer could vouch for any name"):
        Identity("ana@example.com", "")


# --- what a policy makes of it ---


@pytest.mark.parametrize("statement", [False, True], ids=["the archive", "a statement"])
def test_an_identity_that_is_trusted_is_enough(sigstore: FakeSigstore, root: Path, statement: bool) -> None:
    bundle = sigstore.attest(about(unsigned())) if statement else sigstore.sign(ARCHIVE)
    policy = TrustPolicy.of_identities([SIGNER], sigstore_root=root)
    verdict = decide(policy, with_bundle(unsigned(), bundle), None, bundle)
    assert (verdict.identity, verdict.key) == (SIGNER, None)


def test_another_identity_or_none_is_not(sigstore: FakeSigstore, root: Path) -> None:
    policy = TrustPolicy.of_identities([SIGNER], sigstore_root=root)
    bundle = sigstore.sign(ARCHIVE, issuer="https://another.example")
    with pytest.raises(IntegrityError, match=r"is signed by .*another\.example.*taken here is signed by .*tokens\.git"):
        decide(policy, with_bundle(unsigned(), bundle), None, bundle)
    release, envelope = attest(unsigned(), MANIFEST, SigningKey.new())
    with pytest.raises(IntegrityError, match="not signed by sigstore"):
        decide(policy, release, envelope, None)


@pytest.mark.parametrize("require", ["any", "signed"])
def test_a_bundle_that_does_not_verify_outweighs_a_signature_that_does(root: Path, require: Any) -> None:
    bundle = FakeSigstore().sign(ARCHIVE)
    release, envelope = attest(with_bundle(unsigned(), bundle), MANIFEST, SigningKey.new())
    with pytest.raises(IntegrityError, match="does not verify"):
        decide(TrustPolicy(require=require, sigstore_root=root), release, envelope, bundle)


def test_a_bundle_that_is_held_back_or_swapped_is_refused(sigstore: FakeSigstore, root: Path) -> None:
    bundle = sigstore.sign(ARCHIVE)
    for shown in (None, sigstore.sign(ARCHIVE)):
        with pytest.raises(IntegrityError, match="not the sigstore bundle that the release names"):
            decide(TrustPolicy(require="any", sigstore_root=root), with_bundle(unsigned(), bundle), None, shown)


def test_a_bundle_alone_is_no_signature_of_a_key(sigstore: FakeSigstore, root: Path) -> None:
    bundle = sigstore.sign(ARCHIVE)
    with pytest.raises(IntegrityError, match="is not signed"):
        decide(TrustPolicy(require="signed", sigstore_root=root), with_bundle(unsigned(), bundle), None, bundle)


# --- without the library ---


@pytest.fixture
def without_sigstore(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sigstore", "sigstore.verify", "sigstore.models"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_sigstore")
@pytest.mark.parametrize("require", ["signed", "keys", "identities"])
def test_without_the_library_what_should_be_verified_is_refused(
    sigstore: FakeSigstore, tmp_path: Path, require: Any
) -> None:
    bundle = sigstore.sign(ARCHIVE)
    release, envelope = attest(with_bundle(unsigned(), bundle), MANIFEST, SigningKey.new())
    with pytest.raises(RegistryError, match=r'pip install "plataforma-sdk\[trust\]"'):
        decide(TrustPolicy(require=require, sigstore_root=tmp_path / "root"), release, envelope, bundle)


@pytest.mark.usefixtures("without_sigstore")
def test_without_the_library_any_takes_it_and_says_so(sigstore: FakeSigstore, caplog: pytest.LogCaptureFixture) -> None:
    bundle = sigstore.sign(ARCHIVE)
    with caplog.at_level(logging.WARNING, "plataforma_sdk.registry.trust"):
        assert decide(TrustPolicy.any(), with_bundle(unsigned(), bundle), None, bundle).identity is None
    assert "cannot be verified here" in caplog.text


# --- from a publish to a fetch ---


def publish(registry: ModuleRegistry, package: ModulePackage, sigstore: FakeSigstore, **settings: Any) -> Release:
    asyncio.run(registry.publish(package, bundle=sigstore.sign(package.to_bytes()), **settings))
    return asyncio.run(registry.versions(package.id)).releases[-1]


def test_a_published_bundle_is_verified_by_who_fetches(
    sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any
) -> None:
    policy = TrustPolicy.of_identities([SIGNER], sigstore_root=root)
    registry = open_registry(RemoteBackend(), trust=policy, state_dir=tmp_path, cache_dir=tmp_path / "cache")
    release = publish(registry, make_package(), sigstore)
    assert asyncio.run(registry.fetch_package("vendas", "*")).version == "1.0.0"
    found = asyncio.run(registry.verify(release))
    assert (found.identity, found.key) == (SIGNER, None)
    assert found.checked[0] == f"archive signed by {SIGNER}, by sigstore"
    asyncio.run(registry.aclose())


def test_in_an_oci_registry_a_bundle_is_a_referrer_that_other_tools_know(
    sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any
) -> None:
    pytest.importorskip("httpx2")
    store = OciRegistry()
    backend = OciBackend("oci://registry.test/acme", options=WebOptions(transport=store))
    policy = TrustPolicy.of_identities([SIGNER], sigstore_root=root)
    registry = open_registry(backend, trust=policy, state_dir=tmp_path, cache_dir=tmp_path / "cache")
    release = publish(registry, make_package(), sigstore)
    assert asyncio.run(registry.verify(release)).identity == SIGNER
    asyncio.run(registry.aclose())
    manifests = [json.loads(text) for repository in store.manifests.values() for text in repository.values()]
    (referrer,) = [each for each in manifests if each.get("artifactType") == BUNDLE_TYPE]
    assert referrer["layers"][0]["digest"] == release.attachments[BUNDLE].digest


def test_a_bundle_of_another_archive_is_not_published(
    sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any
) -> None:
    backend = RemoteBackend()
    policy = TrustPolicy(sigstore_root=root)
    registry = open_registry(backend, trust=policy, state_dir=tmp_path, cache_dir=tmp_path / "cache")
    with pytest.raises(IntegrityError, match="does not verify"):
        asyncio.run(registry.publish(make_package(), bundle=sigstore.sign(b"another archive")))
    assert backend.published == 0
    asyncio.run(registry.aclose())


def test_where_anything_is_taken_and_nothing_kept_a_bundle_must_verify_all_the_same(
    sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any
) -> None:
    backend, cache = MemoryBackend(), tmp_path / "cache"
    registry = open_registry(backend, trust=TrustPolicy(require="any", sigstore_root=root), cache_dir=cache)
    release = publish(registry, make_package(), sigstore)
    assert asyncio.run(registry.verify(release)).identity == SIGNER
    other = FakeSigstore().write_root(tmp_path / "other.json")
    registry = open_registry(backend, trust=TrustPolicy(require="any", sigstore_root=other), cache_dir=cache)
    with pytest.raises(IntegrityError, match="does not verify"):
        asyncio.run(registry.fetch(release))


def test_a_key_signs_the_bundle_too(sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any) -> None:
    backend = RemoteBackend()
    policy = TrustPolicy(sigstore_root=root)
    registry = open_registry(backend, trust=policy, state_dir=tmp_path, cache_dir=tmp_path / "cache")
    release = publish(registry, make_package(), sigstore, signer=SigningKey.new())
    without = attrs.evolve(
        release, attachments={name: blob for name, blob in release.attachments.items() if name != BUNDLE}
    )
    with pytest.raises(IntegrityError, match="is about something else: record"):
        asyncio.run(registry.fetch(without))
    asyncio.run(registry.aclose())


def test_a_record_that_says_otherwise_than_the_signed_archive_is_refused(
    sigstore: FakeSigstore, root: Path, tmp_path: Path, make_package: Any
) -> None:
    policy = TrustPolicy.of_identities([SIGNER], sigstore_root=root)
    registry = open_registry(RemoteBackend(), trust=policy, state_dir=tmp_path, cache_dir=tmp_path / "cache")
    release = publish(registry, make_package(), sigstore)
    with pytest.raises(IntegrityError, match=r"otherwise than the signed module\.toml about dependencies"):
        asyncio.run(registry.fetch(attrs.evolve(release, dependencies={"outro": "^1"})))
    asyncio.run(registry.aclose())
