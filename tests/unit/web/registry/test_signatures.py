"""What a service makes sure of before it lists what is signed."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import httpx2
import pytest

pytest.importorskip("cryptography")

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import BlobRef, Release, digest_of
from plataforma_sdk.registry.trust import ATTESTATION, ROTATIONS, SigningKey, attest, rotate
from plataforma_sdk.registry.trust import _keys as keys_file
from tests.conformance.registry._releases import make_release
from tests.unit.web.registry.conftest import Desk, Open

MARIA, RUI, EVA = SigningKey.new(), SigningKey.new(), SigningKey.new()


def signed(key: SigningKey, *args: Any, rotations: bytes | None = None, **fields: Any) -> tuple[Release, list[bytes]]:
    """Make a signed release, and what must be uploaded for it."""
    release, blobs = make_release(*args, attachments={ROTATIONS: rotations} if rotations else None, **fields)
    release, envelope = attest(release, b"a manifest", key)
    return release, [*blobs.values(), envelope]


async def publish(desk: Desk, release: Release, blobs: list[bytes], *, owner: SigningKey | None) -> httpx2.Response:
    for content in blobs:
        assert (await desk.upload(content)).status_code in {200, 201}
    return await desk.list_release(release, owner.fingerprint if owner else None)


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


@pytest.fixture
def with_desk(open_desk: Open) -> Any:
    """Run a case with a service, whose token is bound to three keys."""

    def run(case: Any) -> None:
        async def main() -> None:
            async with open_desk("publish", keys=tuple(key.fingerprint for key in (MARIA, RUI, EVA))) as desk:
                await case(desk)

        asyncio.run(main())

    return run


def test_what_is_signed_by_the_owner_is_listed(with_desk: Any) -> None:
    async def case(desk: Desk) -> None:
        for version in ("1.0.0", "1.1.0"):
            answer = await publish(desk, *signed(MARIA, "acme/vendas", version), owner=MARIA)
            assert (answer.status_code, answer.json()["owner"]) == (201, MARIA.fingerprint)

    with_desk(case)


def test_a_key_that_does_not_own_the_namespace_is_refused(with_desk: Any) -> None:
    async def case(desk: Desk) -> None:
        await publish(desk, *signed(MARIA, "acme/vendas"), owner=MARIA)
        status, code, message = refused(
            await publish(desk, *signed(RUI, "acme/vendas", "1.1.0"), owner=MARIA)  # the token is bound to both
        )
        assert (status, code) == (403, "IntegrityError")
        assert RUI.fingerprint in message
        assert MARIA.fingerprint in message
        claimed = await publish(desk, *signed(RUI, "outra/vendas"), owner=EVA)
        assert refused(claimed)[:2] == (403, "IntegrityError")
        assert [item.version for item in (await desk.index("acme/vendas")).releases] == ["1.0.0"]
        assert (await desk.index("outra/vendas")).owner is None

    with_desk(case)


def test_the_key_that_a_namespace_was_passed_on_to_publishes(with_desk: Any) -> None:
    async def case(desk: Desk) -> None:
        await publish(desk, *signed(MARIA, "acme/vendas"), owner=MARIA)
        chain = rotate(MARIA, RUI, namespace="acme")
        answer = await publish(desk, *signed(RUI, "acme/vendas", "1.1.0", rotations=chain), owner=MARIA)
        assert (answer.status_code, answer.json()["owner"]) == (201, MARIA.fingerprint)
        elsewhere = rotate(EVA, RUI, namespace="acme")
        answer = await publish(desk, *signed(RUI, "acme/vendas", "1.2.0", rotations=elsewhere), owner=MARIA)
        assert refused(answer)[:2] == (403, "IntegrityError")

    with_desk(case)


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        pytest.param(rotate(MARIA, RUI, namespace="acme"), "its rotations lead to", id="to another key"),
        pytest.param(rotate(RUI, MARIA, namespace="outra"), "is about 'outra'", id="of another namespace"),
        pytest.param(b"[]", "lead to nobody", id="empty"),
        pytest.param(b"no JSON", "no JSON", id="damaged"),
    ],
)
def test_rotations_that_are_none_are_refused(with_desk: Any, chain: bytes, reason: str) -> None:
    async def case(desk: Desk) -> None:
        answer = await publish(desk, *signed(MARIA, "acme/vendas", rotations=chain), owner=MARIA)
        status, code, message = refused(answer)
        assert (status, code) == (400, "IntegrityError")
        assert reason in message
        assert (await desk.index("acme/vendas")).revision == 0

    with_desk(case)


def _with_attestation(release: Release, envelope: bytes, **fields: Any) -> Release:
    blob = BlobRef(digest_of(envelope), len(envelope))
    return attrs.evolve(release, attachments={**release.attachments, ATTESTATION: blob}, **fields)


def _cases() -> list[Any]:
    release, blobs = signed(MARIA)
    bare, _ = make_release()
    envelope = blobs[-1]
    other, other_blobs = signed(MARIA, "vendas", "2.0.0")
    forged = envelope.replace(b'"sig":"', b'"sig":"AAAA', 1)
    return [
        pytest.param(_with_attestation(release, other_blobs[-1]), other_blobs[-1], "something else", id="a version"),
        pytest.param(
            attrs.evolve(release, archive=other.archive), other_blobs[0], "something else: subject", id="an archive"
        ),
        pytest.param(attrs.evolve(release, dependencies={"x": "*"}), b"", "something else: record", id="a record"),
        pytest.param(attrs.evolve(release, publisher=RUI.fingerprint), b"", "is signed by", id="a publisher"),
        pytest.param(attrs.evolve(release, publisher=None), b"", "nobody as its publisher", id="no publisher"),
        pytest.param(attrs.evolve(bare, publisher=MARIA.fingerprint), b"", "has no attestation", id="no attestation"),
        pytest.param(_with_attestation(release, forged), forged, "wrong", id="a signature"),
        pytest.param(_with_attestation(release, b"{}"), b"{}", "no envelope", id="no envelope"),
        pytest.param(_with_attestation(release, b" " * 65_537), b" " * 65_537, "at most 65,536", id="too large"),
    ]


@pytest.mark.parametrize(("release", "more", "reason"), _cases())
def test_an_attestation_that_does_not_verify_or_is_about_something_else_is_refused(
    with_desk: Any, release: Release, more: bytes, reason: str
) -> None:
    async def case(desk: Desk) -> None:
        _, blobs = signed(MARIA)
        status, code, message = refused(await publish(desk, release, [*blobs, more], owner=None))
        assert (status, code) == (400, "IntegrityError")
        assert reason in message
        assert (await desk.index()).revision == 0

    with_desk(case)


def test_without_the_extra_what_is_signed_is_not_listed(with_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise RegistryError("not installed")

    release, blobs = signed(MARIA)
    monkeypatch.setattr(keys_file, "_ed25519", missing)

    async def case(desk: Desk) -> None:
        status, code, message = refused(await publish(desk, release, blobs, owner=MARIA))
        assert (status, code) == (501, "RegistryError")
        assert "plataforma-sdk[trust]" in message
        assert (await desk.index()).revision == 0
        assert (await desk.publish("outra")).status_code == 201  # what is not signed says so itself

    with_desk(case)
