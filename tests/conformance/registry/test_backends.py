"""What every registry backend does, whatever it stores its releases in: `RegistryBackend` made executable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, VersionConflictError
from plataforma_sdk.registry import BlobRef, ModuleIndex, RegistryBackend, digest_of
from plataforma_sdk.registry.trust import SigningKey, attest

from ._places import Place
from ._releases import MARIA, RUI, make_release, publish, read

Case = Callable[[RegistryBackend], Coroutine[Any, Any, None]]


@pytest.fixture
def use(place: Place) -> Callable[[Case], None]:
    """Run a case on a backend, and close the backend after it."""

    def run(case: Case) -> None:
        async def main() -> None:
            backend = place.open()
            try:
                await case(backend)
            finally:
                await backend.aclose()

        asyncio.run(main())

    return run


def test_a_backend_is_one(use):
    async def case(backend):
        assert isinstance(backend, RegistryBackend)
        assert isinstance(backend.url, str)
        assert isinstance(backend.is_local, bool)

    use(case)


def test_a_module_that_was_never_published_has_an_empty_index(use):
    async def case(backend):
        assert await backend.versions("acme/nada") == ModuleIndex(id="acme/nada")

    use(case)


@pytest.mark.parametrize("module_id", ["vendas", "acme/vendas"])
def test_a_published_release_is_listed_as_it_was_given(use, module_id):
    async def case(backend):
        release, blobs = make_release(
            module_id,
            "1.2.3-rc.1+build.7",
            attachments={"sbom": b'{"bomFormat": "CycloneDX"}', "notes": b"\x00"},
            name="Painel de Vendas",
            description="Gestão à vista: 100 % <b>'&\"\\ 売上 🎯",
            licence="MIT OR Apache-2.0",
            authors=("Ana", "João"),
            sdk=">=0.1,<1",
            dependencies={"acme/clientes": "^1", "produtos": "~2.1"},
            published_at="2026-01-31T12:00:00Z",
        )
        release, envelope = attest(release, b"a manifest", SigningKey.new())  # a service looks at signatures
        blobs[release.attachments["attestation"].digest] = envelope
        published = await backend.publish(release, blobs)
        assert published == ModuleIndex(id=module_id, revision=1, releases=(release,))
        assert await backend.versions(module_id) == published

    use(case)


def test_every_blob_of_a_release_is_fetched_as_it_was_given(use):
    async def case(backend):
        release = await publish(backend, attachments={"sbom": b"{}", "empty": b""})
        assert await read(backend, "vendas", release.archive) == b"vendas 1.0.0"
        assert await read(backend, "vendas", release.attachments["sbom"]) == b"{}"
        assert await read(backend, "vendas", release.attachments["empty"]) == b""

    use(case)


def test_a_large_blob_is_fetched_whole(use):
    content = bytes(range(256)) * 12_289

    async def case(backend):
        release = await publish(backend, content=content)
        assert await read(backend, "vendas", release.archive) == content

    use(case)


def test_publishing_the_same_again_changes_nothing(use):
    async def case(backend):
        release, blobs = make_release()
        first = await backend.publish(release, blobs)
        assert await backend.publish(release, blobs) == first
        assert await backend.versions("vendas") == first

    use(case)


def test_a_version_is_immutable(use):
    async def case(backend):
        release = await publish(backend)
        with pytest.raises(VersionConflictError, match=r"vendas 1\.0\.0 .*raise the version"):
            await publish(backend, content=b"other")
        assert await backend.versions("vendas") == ModuleIndex(id="vendas", revision=1, releases=(release,))

    use(case)


def test_a_blob_that_two_releases_share_is_kept_for_both(use):
    async def case(backend):
        one = await publish(backend, version="1.0.0", content=b"same")
        two = await publish(backend, version="1.0.1", content=b"same")
        assert await read(backend, "vendas", one.archive) == await read(backend, "vendas", two.archive) == b"same"

    use(case)


def test_releases_are_sorted_by_precedence(use):
    async def case(backend):
        for version in ("1.10.0", "1.2.0", "2.0.0-rc.1", "2.0.0", "2.0.0-beta.2"):
            await publish(backend, version=version)
        index = await backend.versions("vendas")
        assert [release.version for release in index.releases] == [
            "1.2.0", "1.10.0", "2.0.0-beta.2", "2.0.0-rc.1", "2.0.0",
        ]  # fmt: skip

    use(case)


def test_the_revision_grows_by_one_with_every_change(use):
    async def case(backend):
        revisions = []
        for version in ("1.0.0", "1.1.0"):
            release, blobs = make_release(version=version)
            revisions.append((await backend.publish(release, blobs)).revision)
        reasons = ("broken", "broken", "very broken", None, None)
        revisions += [(await backend.yank("vendas", "1.0.0", reason)).revision for reason in reasons]
        revisions.append((await backend.versions("vendas")).revision)
        assert revisions == [1, 2, 3, 3, 4, 5, 5, 5]

    use(case)


def test_a_yank_is_a_mark_that_can_be_taken_back(use):
    async def case(backend):
        release = await publish(backend)
        yanked = await backend.yank("vendas", "1.0.0", "loses sales on leap days: é")
        assert [item.yanked for item in yanked.releases] == ["loses sales on leap days: é"]
        assert await backend.versions("vendas") == yanked
        assert await read(backend, "vendas", release.archive) == b"vendas 1.0.0"
        assert (await backend.yank("vendas", "1.0.0", None)).releases == (release,)

    use(case)


def test_a_yanked_version_stays_so_when_it_is_published_again(use):
    async def case(backend):
        release, blobs = make_release()
        await backend.publish(release, blobs)
        yanked = await backend.yank("vendas", "1.0.0", "broken")
        assert await backend.publish(release, blobs) == yanked

    use(case)


def test_only_what_was_published_can_be_yanked(use):
    async def case(backend):
        await publish(backend)
        with pytest.raises(PackageNotFoundError, match=r"vendas 2\.0\.0 was never published; there are: 1\.0\.0"):
            await backend.yank("vendas", "2.0.0", "broken")
        with pytest.raises(PackageNotFoundError, match="there are: none"):
            await backend.yank("clientes", "1.0.0", "broken")

    use(case)


def test_a_blob_that_is_not_there_is_not_found(use):
    async def case(backend):
        await publish(backend)
        with pytest.raises(PackageNotFoundError, match=digest_of(b"absent")):
            await read(backend, "vendas", BlobRef(digest_of(b"absent"), 6))

    use(case)


def test_the_first_key_owns_the_namespace(use):
    async def case(backend):
        await publish(backend, "acme/vendas", owner=MARIA)
        assert (await backend.versions("acme/vendas")).owner == MARIA
        for owner in (RUI, None):
            with pytest.raises(IntegrityError, match=f"'acme' belongs to the key {MARIA}"):
                await publish(backend, "acme/vendas", "1.1.0", owner=owner)
        assert len((await backend.versions("acme/vendas")).releases) == 1
        await publish(backend, "acme/vendas", "1.1.0", owner=MARIA)

    use(case)


def test_a_namespace_has_one_owner_for_all_its_modules(use):
    async def case(backend):
        await publish(backend, "acme/vendas", owner=MARIA)
        assert await backend.versions("acme/clientes") == ModuleIndex(id="acme/clientes", owner=MARIA)
        with pytest.raises(IntegrityError, match="belongs to the key"):
            await publish(backend, "acme/clientes", owner=RUI)
        await publish(backend, "outra/clientes", owner=RUI)
        assert (await backend.versions("outra/clientes")).owner == RUI

    use(case)


def test_a_key_can_claim_what_nobody_signed_before(use):
    async def case(backend):
        await publish(backend, version="1.0.0")
        await publish(backend, version="1.1.0", owner=MARIA)
        index = await backend.versions("vendas")
        assert (index.owner, index.revision, len(index.releases)) == (MARIA, 2, 2)

    use(case)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(lambda blobs: blobs.clear(), "is missing", id="missing"),
        pytest.param(lambda blobs: blobs.update({digest_of(b"x"): b"x"}), "is not named", id="not named"),
        pytest.param(lambda blobs: blobs.update({next(iter(blobs)): b"vendas 1.0.X"}), "are others", id="other bytes"),
        pytest.param(lambda blobs: blobs.update({next(iter(blobs)): b"vendas"}), "are others", id="truncated"),
    ],
)
def test_blobs_that_are_not_those_of_the_release_are_refused(use, change, problem):
    async def case(backend):
        release, blobs = make_release()
        change(blobs)
        with pytest.raises(IntegrityError, match=problem):
            await backend.publish(release, blobs)
        assert await backend.versions("vendas") == ModuleIndex(id="vendas")

    use(case)


def test_a_release_does_not_come_yanked(use):
    async def case(backend):
        with pytest.raises(IntegrityError, match="publish it first"):
            await publish(backend, yanked="broken")

    use(case)


@pytest.mark.parametrize("module_id", ["../vendas", "a/b/c", "Vendas", "", "vendas?x=1", "v" * 65, "\ud800"])
def test_an_id_that_is_none_reaches_nothing(use, module_id):
    async def case(backend):
        with pytest.raises(IntegrityError, match="is no module id"):
            await backend.versions(module_id)
        with pytest.raises(IntegrityError, match="is no module id"):
            await backend.yank(module_id, "1.0.0", None)

    use(case)


def test_publishers_of_different_versions_do_not_lose_each_other(place):
    versions = [f"1.{minor}.0" for minor in range(8)]

    async def main():
        backends = [place.open() for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            for number, version in enumerate(versions):
                group.create_task(publish(backends[number % len(backends)], version=version))
        index = await backends[0].versions("vendas")
        for backend in backends:
            await backend.aclose()
        assert ([release.version for release in index.releases], index.revision) == (versions, len(versions))

    asyncio.run(main())


def test_publishers_of_the_same_release_all_succeed(place):
    async def main():
        backends = [place.open() for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            for backend in backends:
                group.create_task(publish(backend, attachments={"sbom": b"{}"}))
        index = await backends[0].versions("vendas")
        for backend in backends:
            await backend.aclose()
        assert (len(index.releases), index.revision) == (1, 1)

    asyncio.run(main())


def test_of_two_publishers_of_one_version_the_first_wins(place):
    if not place.has_compare_and_set:
        pytest.skip(f"{place.name} has no compare-and-set: such a race is found afterwards, by the digest")

    async def attempt(backend: RegistryBackend, content: bytes) -> bytes | None:
        try:
            await publish(backend, content=content)
        except VersionConflictError:
            return None
        return content

    async def main():
        backends = [place.open() for _ in range(4)]
        contents = [f"content {number}".encode() for number in range(4)]
        won = await asyncio.gather(*map(attempt, backends, contents))
        (winner,) = [content for content in won if content is not None]
        (release,) = (await backends[0].versions("vendas")).releases
        assert await read(backends[1], "vendas", release.archive) == winner
        for backend in backends:
            await backend.aclose()

    asyncio.run(main())


def test_what_was_published_outlives_the_backend(place):
    async def write():
        backend = place.open()
        await publish(backend, "acme/vendas", owner=MARIA, name="Vendas")
        index = await backend.yank("acme/vendas", "1.0.0", "broken")
        await backend.aclose()
        return index

    async def look():
        backend = place.open()
        index = await backend.versions("acme/vendas")
        await backend.aclose()
        return index

    assert asyncio.run(write()) == asyncio.run(look())


def test_a_backend_is_closed_twice(place):
    async def main():
        backend = place.open()
        await backend.aclose()
        await backend.aclose()

    asyncio.run(main())


def test_a_backend_that_works_is_ready(use):
    async def case(backend):
        assert (await backend.health()).is_ready

    use(case)


# --- search ----------------------------------------------------------------------------------------------------------


async def fill(backend: RegistryBackend) -> None:
    await publish(backend, "vendas", name="Painel de Vendas", description="Gestão de vendas e comissões")
    await publish(backend, "acme/clientes", name="Clientes", description="Cadastro; exporta para vendas")
    await publish(backend, "produtos", name="Produtos", description="Catálogo e preços, ação rápida")
    await publish(backend, "vendas-online", name="Loja", description="Vitrine")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("clientes", {"acme/clientes"}, id="id"),
        pytest.param("acme", {"acme/clientes"}, id="namespace"),
        pytest.param("loja", {"vendas-online"}, id="name"),
        pytest.param("catalogo", {"produtos"}, id="description without accents"),
        pytest.param("GESTÃO", {"vendas"}, id="other case"),
        pytest.param("gesta\u0303o", {"vendas"}, id="decomposed"),
        pytest.param("acao", {"produtos"}, id="cedilla and tilde"),
        pytest.param("vend", {"vendas", "acme/clientes", "vendas-online"}, id="beginnings of words"),
        pytest.param("endas", set(), id="not ends of words"),
        pytest.param("vendas gestao", {"vendas"}, id="all words"),
        pytest.param("vendas nada", set(), id="not some of the words"),
        pytest.param('vendas" OR "produtos', set(), id="no language of its own"),
        pytest.param("vendas*", {"vendas", "acme/clientes", "vendas-online"}, id="marks do not count"),
        pytest.param("", {"vendas", "acme/clientes", "produtos", "vendas-online"}, id="everything"),
    ],
)
def test_a_search_finds_by_words(use, query, found):
    async def case(backend):
        await fill(backend)
        page = await backend.search(query)
        assert {hit.id for hit in page.hits} == found
        assert page.total == len(found)

    use(case)


def test_a_search_shows_the_very_module_first(use):
    async def case(backend):
        await fill(backend)
        assert (await backend.search("vendas")).hits[0].id == "vendas"
        assert (await backend.search("vendas-online")).hits[0].id == "vendas-online"

    use(case)


def test_an_empty_search_lists_by_id_page_by_page(use):
    async def case(backend):
        await fill(backend)
        pages = [await backend.search("", limit=3, offset=offset) for offset in (0, 3, 6)]
        ids = [[hit.id for hit in page.hits] for page in pages]
        assert ids == [["acme/clientes", "produtos", "vendas"], ["vendas-online"], []]
        assert {page.total for page in pages} == {4}

    use(case)


def test_pages_of_a_search_hold_each_module_once(use):
    async def case(backend):
        await fill(backend)
        pages = [await backend.search("vend", limit=2, offset=offset) for offset in (0, 2)]
        assert sorted(hit.id for page in pages for hit in page.hits) == ["acme/clientes", "vendas", "vendas-online"]

    use(case)


def test_a_search_shows_the_newest_release_that_is_none_before_the_release(use):
    async def case(backend):
        await publish(backend, version="1.0.0", name="Um", description="primeiro")
        await publish(backend, version="1.2.0+linux-x64", name="Dois", description="segundo")
        await publish(backend, version="2.0.0-rc.1", name="Três", description="terceiro")
        (hit,) = (await backend.search("vendas")).hits
        assert (hit.version, hit.name, hit.description) == ("1.2.0+linux-x64", "Dois", "segundo")
        assert (await backend.search("primeiro")).total == 0

    use(case)


def test_a_search_shows_a_prerelease_where_there_is_nothing_else(use):
    async def case(backend):
        await publish(backend, version="1.0.0-rc.1")
        assert [hit.version for hit in (await backend.search("vendas")).hits] == ["1.0.0-rc.1"]

    use(case)


def test_a_search_does_not_find_what_was_yanked(use):
    async def case(backend):
        await publish(backend, version="1.0.0")
        await publish(backend, version="1.1.0")
        await backend.yank("vendas", "1.1.0", "broken")
        assert [hit.version for hit in (await backend.search("vendas")).hits] == ["1.0.0"]
        await backend.yank("vendas", "1.0.0", "broken too")
        assert (await backend.search("vendas")).total == (await backend.search("")).total == 0
        await backend.yank("vendas", "1.1.0", None)
        assert [hit.version for hit in (await backend.search("vendas")).hits] == ["1.1.0"]

    use(case)
