"""The restricted engine against its corpora: nothing leaks, the host stays whole, everything ends typed and soon."""

from __future__ import annotations

import sys

import pytest

from plataforma_sdk.sandbox.restricted import ATTESTED
from tests.security.judge import Payload, judge, own_corpora, shared_corpus

pytestmark = [
    pytest.mark.skipif(sys.version_info[:2] not in ATTESTED, reason="the engine refuses to run on this Python"),
    pytest.mark.timeout(180),
]

_OWN = [payload for payloads in own_corpora().values() for payload in payloads]
_SHARED = shared_corpus()


def _identify(payload: Payload) -> str:
    return f"{payload.corpus.removesuffix('.json')}-{payload.name}"


@pytest.mark.parametrize("payload", _OWN, ids=_identify)
def test_a_payload_of_the_repository_is_stopped(payload: Payload) -> None:
    """What got through once, here or elsewhere, does not again."""
    verdict = judge(payload)

    assert verdict.problem is None, f"{payload.source}: {verdict}"


@pytest.mark.skipif(
    not _SHARED, reason="the shared corpus is absent: set PLATAFORMA_SHARED to the folder that holds it"
)
@pytest.mark.parametrize("payload", _SHARED, ids=_identify)
def test_a_payload_of_the_shared_corpus_is_stopped(payload: Payload) -> None:
    """311 published escapes and bombs."""
    verdict = judge(payload)

    assert verdict.problem is None, f"{payload.source}: {verdict}"
