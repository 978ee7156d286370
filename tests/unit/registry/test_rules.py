"""What every backend decides alike."""

from __future__ import annotations

import asyncio
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plataforma_sdk.registry import BlobRef, Release, digest_of
from plataforma_sdk.registry.backends import DirectoryBackend, MemoryBackend
from plataforma_sdk.registry.rules import namespace_of, words_of

TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("aàáãçéíõúABC ß-_.*\"'()"), max_size=12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Gestão", ["gestao"]),
        ("gesta\u0303o", ["gestao"]),
        ("acme/vendas-online", ["acme", "vendas", "online"]),
        ("Straße ﬁm ①", ["strasse", "fim", "1"]),
        ("売上 отчёт", ["売上", "отчет"]),
        (" \t*\"'", []),
    ],
)
def test_words_have_no_accents_and_no_case(text, words):
    assert words_of(text) == words


def test_an_id_without_a_namespace_is_its_own():
    assert (namespace_of("vendas"), namespace_of("acme/vendas")) == ("vendas", "acme")


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4), TEXT)
def test_the_full_text_search_finds_what_a_plain_one_finds(texts, query):
    """SQLite's tokenizer splits as `words_of` does, whatever is written."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as directory:
            backends = MemoryBackend(), DirectoryBackend(directory)
            for number, (name, description) in enumerate(texts):
                archive = BlobRef(digest_of(b""), 0)
                release = Release(
                    id=f"m-{number}",
                    version="1.0.0",
                    digest=archive.digest,
                    archive=archive,
                    name=name,
                    description=description,
                )
                for backend in backends:
                    await backend.publish(release, {archive.digest: b""})
            try:
                for text in (query, *[words for words, _ in texts]):
                    plain, indexed = [await backend.search(text) for backend in backends]
                    assert set(plain.hits) == set(indexed.hits)
                    assert plain.total == indexed.total
            finally:
                await backends[1].aclose()

    asyncio.run(main())
