"""The expectations of a backend with its index in PostgreSQL, straight and behind the service; and what is its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plataforma_sdk.errors import IntegrityError, RegistryError
from plataforma_sdk.registry import digest_of
from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.registry.backends._blob_files import BlobFiles
from plataforma_sdk.registry.backends._catalogue import open_database
from tests.conformance.registry._places import Place
from tests.conformance.registry._releases import publish
from tests.conformance.registry._served import Served, serving
from tests.conformance.registry.test_backends import *  # noqa: F403
from tests.conformance.registry.test_backends import fill

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture(params=["directory", "service"])
def place(request: pytest.FixtureRequest, served: Served, database: str, tmp_path: Path) -> Iterator[Place]:
    directory = tmp_path / "registry"
    if request.param == "service":
        with served.registry(directory, database=database) as registry:
            yield registry
    else:
        yield Place(name="PostgreSQL", open=lambda: DirectoryBackend(directory, database=database))


@pytest.fixture
def using(database, tmp_path):
    """Run a case on a backend; directory and database are others where they are named."""

    def use(case, *, url=database, name="registry"):
        async def main():
            backend = DirectoryBackend(tmp_path / name, database=url)
            try:
                return await case(backend)
            finally:
                await backend.aclose()

        return asyncio.run(main())

    return use


@pytest.fixture
def index(database):
    with contextlib.closing(open_database(database)) as connection:
        yield connection


@pytest.mark.parametrize("query", ["", "vend", "vendas", "acme", "gestao vendas", "rapida", "produtos catalogo", "é"])
def test_a_search_finds_what_it_finds_in_sqlite(using, query):
    async def case(backend):
        await fill(backend)
        page = await backend.search(query)
        return {hit.id for hit in page.hits}, page.total

    assert using(case) == using(case, url=None, name="other")


def test_a_word_of_the_id_weighs_most(using):
    async def case(backend):
        await publish(backend, "alfa", description="caixa")
        await publish(backend, "beta", name="caixa")
        await publish(backend, "gama-caixa")
        pages = [await backend.search("caixa", limit=1, offset=offset) for offset in range(3)]
        return [page.hits[0].id for page in pages]

    assert using(case) == ["gama-caixa", "beta", "alfa"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 200_000, id="one long word"),
        pytest.param(" ".join(f"w{number}" for number in range(30_000)), id="many words"),
        pytest.param("\u337f" * 60_000, id="letters that unfold"),
        pytest.param("o'brien \\' 'x':1A & | ! <-> %s ? $1", id="marks of the language"),
    ],
)
def test_a_description_may_be_of_any_kind(using, text):
    async def case(backend):
        await publish(backend, description=f"início {text}")
        assert (await backend.search("inicio " + text[:90])).total == 1

    using(case)


@pytest.mark.parametrize("query", ["vendas \0", "\0", "vendas \ud800", "vendas' & 'x", "%s ?", "v" * 5_000])
def test_a_query_may_be_of_any_kind(using, query):
    async def case(backend):
        await publish(backend)
        return (await backend.search(query)).total

    assert using(case) == using(case, url=None, name="other")


def test_modules_are_listed_by_code_points(using):
    ids = ["a-z", "a/b", "a0", "ab", "a1-b"]

    async def case(backend):
        for module_id in ids:
            await publish(backend, module_id)
        return [hit.id for hit in (await backend.search("")).hits]

    assert using(case) == sorted(ids)


def test_many_may_open_an_empty_database_at_once(using, tmp_path, database):
    async def main():
        backends = [DirectoryBackend(tmp_path / f"place-{number}", database=database) for number in range(6)]
        async with asyncio.TaskGroup() as group:
            for backend in backends:
                group.create_task(publish(backend, "acme/vendas"))
        for backend in backends:
            assert (await backend.versions("acme/vendas")).revision == 1
            await backend.aclose()

    asyncio.run(main())


def cut(url):
    """End the connections of the registry, as a server does that is restarted."""
    with psycopg.connect(url, autocommit=True) as other:
        of_ours = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
        other.execute(of_ours, ("plataforma-registry",))


def test_a_block_that_fails_leaves_nothing(index):
    def fail():
        with index.transaction():
            index.execute("INSERT INTO owners VALUES ('acme', ''::bytea)")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert index.execute("SELECT count(*) FROM owners").fetchone() == (0,)


def test_a_statement_that_failed_unseen_is_not_taken_for_done(index):
    def fail():
        with index.transaction():
            index.execute("INSERT INTO owners VALUES ('acme', ''::bytea)")
            with contextlib.suppress(RegistryError):
                index.execute("SELECT 1 / 0")

    with pytest.raises(RegistryError, match="took back what was to be written"):
        fail()
    assert index.execute("SELECT count(*) FROM owners").fetchone() == (0,)


def test_a_lost_connection_is_made_anew_but_not_within_a_transaction(index, database):
    def fail():
        with index.transaction():
            cut(database)
            index.execute("SELECT 1")

    cut(database)
    assert index.execute("SELECT count(*) FROM modules").fetchone() == (0,)
    with pytest.raises(RegistryError, match="cannot be used now"):
        fail()
    with index.transaction():
        index.execute("INSERT INTO owners VALUES ('acme', ''::bytea)")
    cut(database)
    with pytest.raises(RegistryError, match="cannot be used now"):  # it may have been done
        index.execute("INSERT INTO owners VALUES ('beta', ''::bytea)")
    assert index.execute("SELECT namespace FROM owners").fetchall() == [("acme",)]


def test_a_sweep_stops_where_it_lost_its_lock(using, tmp_path, database):
    """Who lost the connection lost the lock, and somebody may be listing what it is about to remove."""
    digests = [digest_of(data) for data in (b"one", b"two", b"three")]
    removed = []

    def remove(digest):
        removed.append(digest)
        cut(database)
        return True

    async def case(backend):
        await publish(backend)
        BlobFiles(tmp_path / "registry" / "blobs").put({digest_of(data): data for data in (b"one", b"two", b"three")})
        with pytest.raises(RegistryError, match="cannot be used now"):
            await backend.beside(lambda index, catalogue: catalogue.sweep(index, digests, remove))
        assert len(removed) == 1
        assert (await backend.sweep(grace_s=-60)).keys() == set(digests)

    using(case)


def test_with_another_database_nothing_is_swept(using, postgres, tmp_path):
    async def orphan(backend):
        await publish(backend)

    using(orphan)
    with pytest.raises(RegistryError, match="belongs to another database"):
        using(lambda backend: backend.sweep(grace_s=-60), url=postgres.new_database())
    with pytest.raises(RegistryError, match="lies in PostgreSQL: name the database"):
        using(lambda backend: backend.sweep(grace_s=-60), url=None)
    assert len(list((tmp_path / "registry" / "blobs" / "sha256").iterdir())) == 1


def test_a_directory_with_an_index_takes_no_database(using):
    using(publish, url=None)
    with pytest.raises(RegistryError, match=r"has its index in registry\.sqlite"):
        using(publish)


def test_an_index_that_was_changed_by_hand_is_noticed(using, index):
    using(publish)
    index.execute("UPDATE modules SET data = data || '\\x20'::bytea")
    with pytest.raises(IntegrityError, match="the index of vendas is damaged"):
        using(lambda backend: backend.versions("vendas"))


def test_a_role_that_may_make_no_schema_uses_one_that_was_made_for_it(using, postgres):
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    with psycopg.connect(url) as administrator:
        administrator.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'senha'")
        administrator.execute(f"CREATE SCHEMA plataforma; GRANT USAGE, CREATE ON SCHEMA plataforma TO {name}")
    own = url.replace(url.partition("//")[2].partition("@")[0], f"{name}:senha")
    assert using(publish, url=own).version == "1.0.0"
    other = own.rpartition("/")[0] + "/" + postgres.new_database().rpartition("/")[2]
    with pytest.raises(RegistryError, match="permission denied"):
        using(publish, url=other, name="other")


def test_a_newer_schema_is_refused(using, index):
    index.execute("UPDATE registry SET version = 2")
    with pytest.raises(RegistryError, match="newer version of this library"):
        using(publish)


def test_a_database_that_does_not_keep_every_letter_is_refused(using, postgres):
    with pytest.raises(RegistryError, match="ENCODING 'UTF8'"):
        using(publish, url=postgres.new_database(encoding="LATIN1"))


def test_a_writer_waits_for_another_and_readers_for_nobody(using, index, database):
    async def case(backend):
        await publish(backend)
        with index.transaction():
            writing = asyncio.create_task(publish(backend, version="2.0.0"))
            other = DirectoryBackend(backend.path, database=database)
            assert (await other.versions("vendas")).revision == 1
            await other.aclose()
            assert not writing.done()
        await writing
        return (await backend.versions("vendas")).revision

    assert using(case) == 2


def test_the_time_of_a_token_is_kept_to_the_microsecond(index):
    now = time.time()
    assert index.execute("SELECT ?::double precision", (now,)).fetchone() == (now,)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ana:se/nha@db.test/registry",
        "postgresql://ana:12/nha@db.test/registry",
        "postgresql://ana:se@nha@db.test/registry",
        "postgresql://ana:se%nha@db.test/registry",
        "mysql://ana:senha@db.test/registry",
        "host=db.test password=senha",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(address):
    with pytest.raises(RegistryError, match="no address that can be read") as caught:
        open_database(address)
    assert "nha" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_is_not_there_is_named_without_the_password(postgres):
    with pytest.raises(RegistryError, match="database nada at 127") as caught:
        open_database(postgres.url("nada"))
    assert "senha" not in str(caught.value)
    with pytest.raises(RegistryError, match="authentication failed") as caught:
        open_database(postgres.url("postgres").replace("senha", "sonho"))
    assert "sonho" not in str(caught.value)
