"""What a client takes, what it holds a module to, and how a key is passed on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

pytest.importorskip("cryptography")

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import Lock, LockedModule, ModuleIndex, Release, Resolution
from plataforma_sdk.registry._json import from_json, to_json
from plataforma_sdk.registry.backends import MemoryBackend
from plataforma_sdk.registry.trust import (
    Pin,
    PinStore,
    SigningKey,
    Trust,
    TrustPolicy,
    Verdict,
    WatchedSource,
    read_rotations,
    rotate,
)
from plataforma_sdk.registry.trust import _keys as keys_file
from tests.unit.registry.trust._signed import URL, signed, unsigned

MARIA, RUI, EVA = SigningKey.new(), SigningKey.new(), SigningKey.new()


@pytest.fixture
def pins() -> Iterator[PinStore]:
    with PinStore() as store:
        yield store


@pytest.fixture
def trust(pins: PinStore) -> Trust:
    return Trust(TrustPolicy.signed(), pins)


def decide(
    trust: Trust, release: Release, envelope: bytes | None = None, rotations: bytes | None = None, **options: Any
) -> Verdict:
    return trust.decide(release, envelope, rotations, **{"registry": URL, **options})


# --- the policy ---


def test_remote_registries_need_signatures_and_local_ones_do_not() -> None:
    remote = MemoryBackend(URL)
    remote.is_local = False
    assert TrustPolicy.default_for(remote).require == "signed"
    assert TrustPolicy.default_for(MemoryBackend()).require == "any"


def test_unsigned_is_refused_where_signed_is_asked_for(trust: Trust) -> None:
    with pytest.raises(IntegrityError, match=r"vendas 1\.0\.0 is not signed, and only signed modules are taken"):
        decide(trust, unsigned())


def test_unsigned_is_taken_where_anything_is(pins: PinStore) -> None:
    assert decide(Trust(TrustPolicy.any(), pins), unsigned()).key is None


def test_a_release_that_names_a_publisher_and_shows_no_signature_is_refused(pins: PinStore) -> None:
    release, envelope = signed(MARIA)
    for trust in (Trust(TrustPolicy.any(), pins), Trust(TrustPolicy.signed(), pins)):
        with pytest.raises(IntegrityError, match="shows no signature"):
            decide(trust, release)
        with pytest.raises(IntegrityError, match="shows no signature"):
            decide(trust, unsigned(publisher=MARIA.fingerprint))
        with pytest.raises(IntegrityError, match="not the attestation that the release names"):
            decide(trust, unsigned(publisher=MARIA.fingerprint), envelope)


def test_only_the_keys_named_count(pins: PinStore) -> None:
    trust = Trust(TrustPolicy.of_keys([MARIA.fingerprint]), pins)
    with pytest.raises(IntegrityError, match=f"plataforma key trust {RUI.fingerprint}"):
        decide(trust, *signed(RUI))
    assert decide(trust, *signed(MARIA)).key == MARIA.fingerprint


def test_no_keys_trust_nobody(pins: PinStore) -> None:
    with pytest.raises(IntegrityError, match="none of the 0 keys"):
        decide(Trust(TrustPolicy.of_keys([]), pins), *signed(MARIA))


@pytest.mark.parametrize("policy", [TrustPolicy.signed(), TrustPolicy.any(), TrustPolicy.of_keys([MARIA.fingerprint])])
def test_a_revoked_key_is_refused_whatever_the_policy(policy: TrustPolicy, pins: PinStore) -> None:
    trust = Trust(policy, pins, revoked=[MARIA.fingerprint])
    with pytest.raises(IntegrityError, match="which is revoked here"):
        decide(trust, *signed(MARIA))


def test_without_the_extra_signed_fails_closed_with_a_hint(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    release, envelope = signed(MARIA)
    _remove_extra(monkeypatch)
    with pytest.raises(RegistryError, match=r"pip install \"plataforma-sdk\[trust\]\""):
        decide(trust, release, envelope)


def test_without_the_extra_anything_is_still_taken_but_not_believed_signed(
    pins: PinStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release, envelope = signed(MARIA)
    _remove_extra(monkeypatch)
    assert decide(Trust(TrustPolicy.any(), pins), release, envelope).key is None
    assert "cannot be verified here" in caplog.text


def test_without_the_extra_a_module_that_was_signed_is_refused(pins: PinStore, monkeypatch: pytest.MonkeyPatch) -> None:
    release, envelope = signed(MARIA)
    decide(Trust(TrustPolicy.any(), pins), release, envelope)
    _remove_extra(monkeypatch)
    with pytest.raises(RegistryError, match="extra 'trust'"):
        decide(Trust(TrustPolicy.any(), pins), release, envelope)


def _remove_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise RegistryError("Signatures need the extra 'trust': pip install \"plataforma-sdk[trust]\"")

    monkeypatch.setattr(keys_file, "_ed25519", missing)


# --- what a module is held to ---


def test_the_first_use_is_told_and_held_to(trust: Trust, pins: PinStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert decide(trust, *signed(MARIA), revision=3).is_first_use
    assert f"vendas is used for the first time, from {URL}, signed by {MARIA.fingerprint}" in caplog.text
    assert pins.get("vendas") == Pin(registry=URL, key=MARIA.fingerprint, revision=3)
    assert not decide(trust, *signed(MARIA, "1.1.0")).is_first_use


def test_another_key_is_refused_and_both_are_shown(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError) as caught:
        decide(trust, *signed(RUI, "1.1.0"))
    assert MARIA.fingerprint in str(caught.value)
    assert RUI.fingerprint in str(caught.value)
    assert "plataforma key forget vendas" in str(caught.value)


def test_a_downgrade_to_unsigned_is_refused_even_where_anything_is_taken(pins: PinStore) -> None:
    trust = Trust(TrustPolicy.any(), pins)
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError, match="is not signed, and this module is known to be signed by"):
        decide(trust, unsigned("1.1.0"))


def test_what_was_unsigned_is_held_to_its_first_key(pins: PinStore) -> None:
    trust = Trust(TrustPolicy.any(), pins)
    decide(trust, unsigned())
    assert decide(trust, *signed(MARIA, "1.1.0")).is_first_use
    with pytest.raises(IntegrityError):
        decide(trust, unsigned("1.2.0"))


def test_another_registry_is_refused_though_the_key_is_the_same(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError, match=f"vendas is known from {URL}, and this is https://other.example"):
        decide(trust, *signed(MARIA, "1.1.0"), registry="https://other.example")


def test_a_refused_release_changes_nothing_that_is_known(trust: Trust, pins: PinStore) -> None:
    decide(trust, *signed(MARIA))
    known = pins.get("vendas")
    with pytest.raises(IntegrityError):
        decide(trust, *signed(RUI, "1.1.0"))
    assert pins.get("vendas") == known


def test_a_lock_is_believed_where_nothing_else_is_known(trust: Trust) -> None:
    with pytest.raises(IntegrityError, match="known to be signed by"):
        decide(trust, *signed(RUI, "1.1.0"), locked=locked(signed(MARIA)[0]))
    assert not decide(trust, *signed(MARIA, "1.1.0"), locked=locked(signed(MARIA)[0])).is_first_use


def locked(release: Release) -> LockedModule:
    resolution = Resolution(
        requirements={"vendas": "*"}, releases={"vendas": release}, registry=URL, revisions={"vendas": 1}
    )
    return Lock.of(resolution).modules["vendas"]


def test_an_index_from_another_registry_or_an_older_one_is_refused(trust: Trust) -> None:
    decide(trust, *signed(MARIA), revision=2)
    trust.check_index(ModuleIndex(id="vendas", revision=5), URL)
    with pytest.raises(IntegrityError, match="answered revision 4, and 5 was seen before"):
        trust.check_index(ModuleIndex(id="vendas", revision=4), URL)
    with pytest.raises(IntegrityError, match="is known from"):
        trust.check_index(ModuleIndex(id="vendas", revision=9), "https://other.example")
    trust.check_index(ModuleIndex(id="clientes", revision=1), "https://other.example")


def test_a_watched_source_checks_every_index(trust: Trust) -> None:
    decide(trust, *signed(MARIA), revision=2)
    source = WatchedSource(MemoryBackend(URL), trust)
    with pytest.raises(IntegrityError, match="answered revision 0, and 2 was seen before"):
        asyncio.run(source.versions("vendas"))


def test_signatures_are_fetched_and_verified(trust: Trust) -> None:
    async def main() -> Verdict:
        backend, (release, envelope) = MemoryBackend(URL), signed(MARIA)
        blobs = {release.archive.digest: b"1.0.0", release.attachments["attestation"].digest: envelope}
        await backend.publish(release, blobs)
        return await trust.verify(release, backend)

    assert asyncio.run(main()).key == MARIA.fingerprint


def test_an_attestation_of_any_size_is_not_fetched(trust: Trust) -> None:
    release, _ = signed(MARIA)
    huge = attrs.evolve(release.attachments["attestation"], size=1 << 30)
    with pytest.raises(IntegrityError, match="at most 65,536 are read"):
        asyncio.run(trust.verify(attrs.evolve(release, attachments={"attestation": huge}), MemoryBackend(URL)))


def test_pins_outlive_the_process_and_are_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pins.sqlite"
    with PinStore(path) as pins:
        decide(Trust(TrustPolicy.signed(), pins), *signed(MARIA))
    assert path.stat().st_mode & 0o777 == 0o600
    with PinStore(path) as pins, pytest.raises(IntegrityError):
        decide(Trust(TrustPolicy.signed(), pins), *signed(RUI, "1.1.0"))


def test_pins_that_others_can_write_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pins.sqlite"
    PinStore(path).close()
    path.chmod(0o666)
    with pytest.raises(RegistryError, match="Others can write"):
        PinStore(path)


def test_of_two_processes_one_is_first(tmp_path: Path) -> None:
    with PinStore(tmp_path / "pins.sqlite") as one, PinStore(tmp_path / "pins.sqlite") as two:
        assert one.replace("vendas", None, Pin(registry=URL, key=MARIA.fingerprint))
        assert not two.replace("vendas", None, Pin(registry=URL, key=RUI.fingerprint))
        with pytest.raises(IntegrityError):
            decide(Trust(TrustPolicy.signed(), two), *signed(RUI))


# --- passing on ---

PASSED_ON = rotate(MARIA, RUI, namespace="vendas")
AND_BACK = rotate(RUI, MARIA, namespace="vendas", earlier=PASSED_ON)


def passed_on(key: SigningKey, rotations: bytes, version: str = "1.1.0") -> tuple[Release, bytes, bytes]:
    return (*signed(key, version, rotations=rotations), rotations)


def test_the_old_key_passes_a_module_on(trust: Trust, pins: PinStore, caplog: pytest.LogCaptureFixture) -> None:
    decide(trust, *signed(MARIA))
    assert decide(trust, *passed_on(RUI, PASSED_ON)).rotated_from == MARIA.fingerprint
    assert f"vendas passed from the key {MARIA.fingerprint} to {RUI.fingerprint}" in caplog.text
    assert pins.get("vendas") == Pin(registry=URL, key=RUI.fingerprint, rotations=1)
    with pytest.raises(IntegrityError):
        decide(trust, *signed(MARIA, "1.2.0"))


def test_a_client_that_missed_a_step_follows_the_chain(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    chain = rotate(RUI, EVA, namespace="vendas", earlier=PASSED_ON)
    assert decide(trust, *passed_on(EVA, chain)).rotated_from == MARIA.fingerprint


def test_an_old_rotation_is_not_played_again(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    decide(trust, *passed_on(RUI, PASSED_ON))
    decide(trust, *passed_on(MARIA, AND_BACK, "1.2.0"))
    with pytest.raises(IntegrityError, match="known to be signed by"):
        decide(trust, *passed_on(RUI, PASSED_ON, "1.3.0"))


def test_an_old_rotation_is_not_played_to_a_client_that_came_later(trust: Trust) -> None:
    decide(trust, *passed_on(MARIA, AND_BACK))
    with pytest.raises(IntegrityError, match="known to be signed by"):
        decide(trust, *passed_on(RUI, PASSED_ON, "1.3.0"))


def test_a_rotation_that_the_registry_shows_beside_a_release_that_does_not_name_it_leads_nowhere(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError):
        decide(trust, *signed(EVA, "1.1.0"), PASSED_ON)


def test_a_rotation_of_another_namespace_is_refused(trust: Trust) -> None:
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError, match="is about 'clientes'"):
        decide(trust, *passed_on(RUI, rotate(MARIA, RUI, namespace="clientes")))


def test_a_revoked_key_passes_nothing_on(pins: PinStore) -> None:
    decide(Trust(TrustPolicy.signed(), pins), *signed(MARIA))
    with pytest.raises(IntegrityError, match="known to be signed by"):
        decide(Trust(TrustPolicy.signed(), pins, revoked=[MARIA.fingerprint]), *passed_on(RUI, PASSED_ON))


def test_a_release_that_a_lock_names_is_taken_after_its_key_was_rotated(trust: Trust) -> None:
    old, envelope = signed(MARIA)
    decide(trust, old, envelope)
    decide(trust, *passed_on(RUI, PASSED_ON))
    with pytest.raises(IntegrityError, match="a release from before it passed to that key is taken only where a lock"):
        decide(trust, old, envelope)
    assert decide(trust, old, envelope, locked=locked(old)).key == MARIA.fingerprint


def forged(**changes: Any) -> bytes:
    """Make a rotation from Maria to Eva that Maria never signed."""
    from plataforma_sdk.registry.trust._envelope import seal_envelope

    data = {"namespace": "vendas", "old": MARIA.fingerprint, "new": EVA.fingerprint, "number": 1, **changes}
    return to_json([seal_envelope("application/vnd.plataforma.rotation.v1+json", data, [EVA]).decode()])


@pytest.mark.parametrize(
    "rotations",
    [
        forged(),
        forged(old=EVA.fingerprint),
        forged(number=True),
        forged(number=2),
        forged(more=1),
        forged(old="maria"),
        to_json([]) + b" ",
        to_json({}),
        to_json([1]),
        to_json([from_json(AND_BACK, what="it")[1]]),
        to_json(from_json(PASSED_ON, what="it") * 2),
        to_json(["{}"] * 33),
        b"",
    ],
    ids=[
        "new key only",
        "to itself",
        "true",
        "gap",
        "more",
        "no key",
        "empty",
        "object",
        "number",
        "tail",
        "twice",
        "many",
        "nothing",
    ],
)
def test_rotations_that_are_none_pass_nothing_on(trust: Trust, rotations: bytes) -> None:
    decide(trust, *signed(MARIA))
    with pytest.raises(IntegrityError):
        decide(trust, *passed_on(EVA, rotations))


def test_a_chain_is_continued_only_from_its_end() -> None:
    with pytest.raises(IntegrityError, match="was passed on to"):
        rotate(MARIA, EVA, namespace="vendas", earlier=PASSED_ON)
    with pytest.raises(IntegrityError, match="the new key is the old one"):
        rotate(MARIA, MARIA, namespace="vendas")
    assert [step.number for step in read_rotations(AND_BACK, namespace="vendas")] == [1, 2]
