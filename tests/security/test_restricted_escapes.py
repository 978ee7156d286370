"""The restricted engine against its corpora: nothing leaks, the host stays whole, everything ends typed and soon."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from plataforma_sdk.sandbox.restricted import ATTESTED
from tests.security.restricted_judge import Api, Payload, dangerous, judge, read_corpus

pytestmark = pytest.mark.skipif(sys.version_info[:2] not in ATTESTED, reason="the engine refuses to run on this Python")

_CORPUS = Path(__file__).parent / "corpus"
_OWN = [payload for name in ("restricted", "redteam_a") for payload in read_corpus(_CORPUS / f"{name}.json")]


def _shared_corpus() -> list[Payload]:
    """The large corpus is not part of the repository; CI mounts it beside it."""
    root = Path(os.environ.get("PLATAFORMA_SHARED", Path(__file__).parents[2].parent / "shared"))
    path = root / "lab" / "restricted" / "escapes.json"
    return read_corpus(path) if path.is_file() else []


_SHARED = _shared_corpus()


@pytest.mark.parametrize("payload", _OWN, ids=lambda payload: payload.name)
def test_a_payload_of_the_regression_set_is_stopped(payload: Payload) -> None:
    """What got through once, here or elsewhere, does not again."""
    verdict = judge(payload)

    assert verdict.problem is None, f"{payload.source}: {verdict}"


@pytest.mark.skipif(
    not _SHARED, reason="the shared corpus is absent: set PLATAFORMA_SHARED to the folder that holds it"
)
@pytest.mark.parametrize("payload", _SHARED, ids=lambda payload: payload.name)
def test_a_payload_of_the_shared_corpus_is_stopped(payload: Payload) -> None:
    """311 published escapes and bombs."""
    verdict = judge(payload)

    assert verdict.problem is None, f"{payload.source}: {verdict}"


def test_every_payload_names_its_source() -> None:
    """A regression set without sources cannot be checked by anybody else."""
    assert all(payload.source for payload in _OWN)


def test_names_are_unique() -> None:
    """A name that stands twice hides a payload from reports."""
    assert len({payload.name for payload in _OWN}) == len(_OWN)


@pytest.mark.parametrize(
    "leaked",
    [Api(), Api()._secret, Api().get, sys, [{"k": (Api(),)}], RuntimeError("boom", Api()), open, Api, sys._getframe()],
    ids=["object", "secret", "bound method", "module", "nested", "exception", "builtin", "class", "frame"],
)
def test_the_judge_sees_a_leak(leaked: object) -> None:
    """A judge that finds nothing proves nothing: it finds what is put there on purpose."""
    assert dangerous(leaked) is not None


def test_the_judge_says_how_a_payload_ended() -> None:
    """An ordinary fault of a module is no escape."""
    verdict = judge(Payload("fault", "leak", "self-test", "x = y"))

    assert (verdict.end, verdict.problem) == ("exc:NameError", None)
