"""Attestations and envelopes, attacked by whoever stands between a publisher and a client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

pytest.importorskip("cryptography")

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import BlobRef, Release, digest_of
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry.trust import SigningKey, attest, read_attestation
from plataforma_sdk.registry.trust._envelope import open_envelope, seal_envelope
from tests.unit.registry.trust._signed import MANIFEST, PACKAGE, signed, unsigned, with_envelope

IN_TOTO = "application/vnd.in-toto+json"


@pytest.fixture
def maria() -> SigningKey:
    return SigningKey.new()


@pytest.fixture
def rui() -> SigningKey:
    return SigningKey.new()


def test_what_was_signed_is_verified(maria: SigningKey) -> None:
    release, envelope = signed(maria)
    found = read_attestation(release, envelope)
    assert (found.key, found.manifest) == (maria.fingerprint, digest_of(MANIFEST))
    found.check_package(PACKAGE)


def test_a_package_other_than_the_one_signed_is_refused(maria: SigningKey) -> None:
    found = read_attestation(*signed(maria))
    other = ModulePackage.from_source("from plataforma_sdk import ModuleFramework\n", id="vendas", version="1.0.0")
    with pytest.raises(IntegrityError, match="is not the one that"):
        found.check_package(other)


def test_an_attestation_is_in_toto_in_dsse(maria: SigningKey) -> None:
    release, envelope = signed(maria)
    fields = json.loads(envelope)
    statement = json.loads(base64.b64decode(fields["payload"]))
    assert fields["payloadType"] == IN_TOTO
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "vendas@1.0.0", "digest": {"sha256": release.archive.digest[7:]}}]


def test_the_encoding_that_is_signed_is_that_of_dsse(maria: SigningKey) -> None:
    """Source: DSSE protocol, its test vector of the pre-authentication encoding."""
    from plataforma_sdk.registry.trust._envelope import _to_sign

    assert _to_sign("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


CHANGES: dict[str, dict[str, Any]] = {
    "id": {"id": "vendas-2"},
    "version": {"version": "1.0.1"},
    "build": {"version": "1.0.0+evil"},
    "digest": {"digest": "sha256:" + "0" * 64},
    "archive": {"archive": BlobRef("sha256:" + "0" * 64, 5)},
    "archive size": {"archive": BlobRef(digest_of(b"1.0.0"), 6)},
    "dependencies": {"dependencies": {"evil": "*"}},
    "sdk": {"sdk": ">=0.1"},
    "tiers": {"excluded_tiers": ("wasm",)},
    "name": {"name": "Vendas, now better"},
    "licence": {"licence": "MIT"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_registry_changes_in_a_release_is_noticed(maria: SigningKey, change: str) -> None:
    release, envelope = signed(maria)
    with pytest.raises(IntegrityError, match="is about something else"):
        read_attestation(attrs.evolve(release, **CHANGES[change]), envelope)


def test_an_attachment_that_a_registry_swaps_or_adds_is_noticed(maria: SigningKey) -> None:
    release, envelope = signed(maria)
    swapped = attrs.evolve(release, attachments={**release.attachments, "sbom": BlobRef(digest_of(b""), 0)})
    with pytest.raises(IntegrityError, match="record"):
        read_attestation(swapped, envelope)


def test_a_yank_and_a_date_are_the_registrys_to_say(maria: SigningKey) -> None:
    release, envelope = signed(maria)
    changed = attrs.evolve(release, yanked="wrong sums", published_at="2026-01-31T12:00:00Z")
    assert read_attestation(changed, envelope).key == maria.fingerprint


def test_another_publisher_than_the_signer_is_refused(maria: SigningKey, rui: SigningKey) -> None:
    release, envelope = signed(maria)
    for publisher in (rui.fingerprint, None):
        with pytest.raises(IntegrityError, match="as its publisher"):
            read_attestation(attrs.evolve(release, publisher=publisher), envelope)


def test_an_attestation_of_another_version_is_refused(maria: SigningKey) -> None:
    release, _ = signed(maria)
    _, other = signed(maria, "2.0.0")
    with pytest.raises(IntegrityError, match="subject"):
        read_attestation(with_envelope(release, other), other)


# --- the envelope ---


def edited(
    envelope: bytes, change: Callable[[dict[str, Any]], None], *, write: Callable[[Any], bytes] = to_json
) -> bytes:
    """Return an envelope with its fields changed."""
    fields = json.loads(envelope)
    change(fields)
    return to_json(fields)


def _set(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda envelope: envelope.update(fields)


def _first(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda envelope: envelope["signatures"][0].update(fields)


def _spelt_differently(envelope: dict[str, Any]) -> None:
    """Set bits of the last base64 digit that decoding drops: another text of the same bytes."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = envelope["signatures"][0]["sig"]
    assert text.endswith("==")
    envelope["signatures"][0]["sig"] = text[:-3] + digits[digits.index(text[-3]) ^ 1] + "=="


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "no signature": _set(signatures=[]),
    "signatures are none": _set(signatures=None),
    "signature without key": lambda envelope: envelope["signatures"][0].pop("keyid"),
    "signature twice": lambda envelope: envelope["signatures"].append(envelope["signatures"][0]),
    "five signatures": lambda envelope: envelope["signatures"].extend(envelope["signatures"] * 4),
    "no fingerprint": _first(keyid="maria"),
    "upper case": lambda envelope: _first(keyid=envelope["signatures"][0]["keyid"].upper())(envelope),
    "another key": _first(keyid="ed25519:" + "00" * 32),
    "short signature": _first(sig="AAAA"),
    "empty signature": _first(sig=""),
    "no base64": _first(sig="?"),
    "number": _first(sig=1),
    "spelt differently": _spelt_differently,
    "line break": lambda envelope: _first(sig=envelope["signatures"][0]["sig"] + "\n")(envelope),
    "more fields": _set(more=1),
    "more in a signature": _first(cert="..."),
    "another type": _set(payloadType="application/json"),
    "no type": _set(payloadType=None),
    "another payload": _set(payload=base64.b64encode(b"{}").decode()),
    "empty payload": _set(payload=""),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_envelope_that_was_edited_is_refused(maria: SigningKey, edit: str) -> None:
    release, envelope = signed(maria)
    with pytest.raises(IntegrityError):
        read_attestation(release, edited(envelope, EDITS[edit]))


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text + b" ",
        lambda text: b" " + text,
        lambda text: text.replace(b'":', b'": ', 1),
        lambda text: b'{"payload":"",' + text[1:],
        lambda text: text.replace(b'"payload"', b'"p\\u0061yload"', 1),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: b"[" + text + b"]",
        lambda text: text[:-1],
        lambda text: b"",
        lambda text: b"NaN",
        lambda text: b"[" * 60_000,
    ],
    ids=[
        "space after",
        "before",
        "inside",
        "key twice",
        "escape",
        "bom",
        "utf-16",
        "list",
        "cut",
        "empty",
        "nan",
        "deep",
    ],
)
def test_an_envelope_written_in_another_form_is_refused(maria: SigningKey, rewrite: Callable[[bytes], bytes]) -> None:
    release, envelope = signed(maria)
    with pytest.raises(IntegrityError):
        read_attestation(release, rewrite(envelope))


def test_a_payload_in_another_form_is_refused_though_it_is_signed(maria: SigningKey, monkeypatch: Any) -> None:
    release, _ = signed(maria)
    monkeypatch.setattr("plataforma_sdk.registry.trust._envelope.to_json", lambda data: json.dumps(data).encode())
    sloppy = seal_envelope(IN_TOTO, {"a": 1}, [maria])
    monkeypatch.undo()
    with pytest.raises(IntegrityError):
        read_attestation(release, sloppy)


def test_an_envelope_beyond_its_size_is_not_read(maria: SigningKey) -> None:
    envelope = seal_envelope(IN_TOTO, {"a": "a" * (64 << 10)}, [maria])
    with pytest.raises(IntegrityError, match="at most 65,536 are read"):
        open_envelope(envelope, payload_type=IN_TOTO, what="it")


def test_a_signature_over_one_type_is_none_over_another(maria: SigningKey) -> None:
    envelope = seal_envelope("application/json", {"a": 1}, [maria])
    forged = edited(envelope, _set(payloadType=IN_TOTO))
    with pytest.raises(IntegrityError, match="is wrong"):
        open_envelope(forged, payload_type=IN_TOTO, what="it")


def test_a_second_signer_does_not_make_a_publisher(maria: SigningKey, rui: SigningKey) -> None:
    """The publisher named must have signed alone: an envelope of two could be claimed by both."""
    release, envelope = signed(maria)
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    both = seal_envelope(IN_TOTO, statement, [maria, rui])
    with pytest.raises(IntegrityError, match="as its publisher"):
        read_attestation(with_envelope(release, both), both)


@pytest.mark.parametrize("field", ["_type", "predicateType", "subject", "predicate"])
def test_a_statement_of_another_kind_is_refused_though_it_is_signed(maria: SigningKey, field: str) -> None:
    release, envelope = signed(maria)
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    for changed in ({**statement, field: "other"}, {key: value for key, value in statement.items() if key != field}):
        other = seal_envelope(IN_TOTO, changed, [maria])
        with pytest.raises(IntegrityError, match="is about something else"):
            read_attestation(with_envelope(release, other), other)


def test_signing_again_gives_the_same_bytes(maria: SigningKey) -> None:
    assert attest(unsigned(), MANIFEST, maria) == attest(unsigned(), MANIFEST, maria)


def test_a_signed_release_survives_its_record(maria: SigningKey) -> None:
    release, envelope = signed(maria, dependencies={"clientes": "^1"}, authors=("Ana",))
    assert read_attestation(Release.from_data(json.loads(to_json(release.to_data()))), envelope)
