"""Blobs are held against their digest, indexes against the last one seen."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest

from plataforma_sdk.errors import IntegrityError
from plataforma_sdk.registry import (
    BlobRef,
    IndexMemory,
    ModuleIndex,
    Release,
    check_succession,
    digest_of,
    read_verified,
)

DATA = b"the bytes of a module"
BLOB = BlobRef(digest_of(DATA), len(DATA))


def release(version: str, **fields: str) -> Release:
    return Release(id="vendas", version=version, digest=digest_of(version.encode()), archive=BLOB, **fields)


ONE = ModuleIndex(id="vendas").with_release(release("1.0.0"))
TWO = ONE.with_release(release("1.1.0"))


class Pieces:
    """What a backend yields, and whether it was let go."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.sent = 0
        self.is_closed = False

    async def read(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                self.sent += 1
                yield piece
        finally:
            self.is_closed = True


def test_whole_bytes_are_returned(run):
    assert run(read_verified(Pieces(DATA[:4], b"", DATA[4:]).read(), BLOB, what="vendas")) == DATA


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        pytest.param((DATA[:-1],), "sent 20 of the 21 bytes", id="short"),
        pytest.param((), "sent 0 of the 21 bytes", id="nothing"),
        pytest.param((DATA, b"!"), "sent more than the 21 bytes", id="long"),
        pytest.param((DATA[:-1] + b"!",), "sent other bytes", id="other"),
    ],
)
def test_anything_else_is_refused(run, pieces, problem):
    with pytest.raises(IntegrityError, match=problem):
        run(read_verified(Pieces(*pieces).read(), BLOB, what="vendas 1.0.0"))


def test_a_sender_without_end_is_cut_off_and_let_go(run):
    source = Pieces(*[DATA] * 1000)
    with pytest.raises(IntegrityError, match="sent more"):
        run(read_verified(source.read(), BLOB, what="vendas"))
    assert (source.sent, source.is_closed) == (2, True)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(ONE, id="the same"),
        pytest.param(TWO, id="a release more"),
        pytest.param(ONE.with_release(release("1.0.0", yanked="broken")), id="a yank"),
        pytest.param(attrs.evolve(ONE, owner="ed25519:aa"), id="an owner"),
    ],
)
def test_an_index_may_grow(now):
    check_succession(ONE, now)


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        pytest.param(ONE, "revision 1 after 2: this is an old index", id="older"),
        pytest.param(ModuleIndex(id="vendas"), "revision 0 after 2", id="emptied"),
        pytest.param(attrs.evolve(TWO, releases=ONE.releases), "two indexes of revision 2", id="rewritten"),
        pytest.param(attrs.evolve(ONE, revision=3), "lost a published release", id="lost"),
        pytest.param(TWO.with_release(release("1.1.0", name="Outro")), "changed a published release", id="changed"),
        pytest.param(
            TWO.with_release(attrs.evolve(release("1.1.0"), digest=digest_of(b"x"))), "changed a published", id="forged"
        ),
    ],
)
def test_an_index_does_not_go_back(now, problem):
    with pytest.raises(IntegrityError, match=problem):
        check_succession(TWO, now)


def test_an_answer_that_was_overtaken_is_no_replay():
    """A slow answer may be older than a quick one that was asked for later; only what was seen before it counts."""
    memory = IndexMemory()
    before = memory.last("vendas")
    assert memory.accept(TWO, before) is TWO
    assert memory.accept(ONE, before) is ONE
    with pytest.raises(IntegrityError, match="old index"):
        memory.accept(ONE, memory.last("vendas"))


def test_an_index_of_another_module_is_refused():
    memory = IndexMemory()
    with pytest.raises(IntegrityError, match="'vendas' for 'clientes'"):
        memory.accept(ONE, memory.last("clientes"))


@pytest.mark.parametrize("name", ["", "sbom\nattestation signed by ed25519:1", "../sbom", "x" * 65])
def test_an_attachment_whose_name_is_none_is_refused(name):
    known = release("1.0.0")
    with pytest.raises(IntegrityError, match="is no name of an attachment"):
        attrs.evolve(known, attachments={name: known.archive})
