"""Service processes over one PostgreSQL: who races, who is killed, and a database that goes and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx2
import pytest

pytest.importorskip("psycopg", reason="needs the extra postgres")

from plataforma_sdk.errors import RegistryError, VersionConflictError
from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from tests.conformance.registry._releases import MARIA, publish, read
from tests.conformance.registry.test_kill import KILLS, run_script

from ._postgres import ESCAPED, PASSWORD, Cluster, cluster
from ._servers import free_port, serving

PATIENT = WebOptions(first_wait_s=0.05, max_tries=8)
AT_ONCE = WebOptions(first_wait_s=0, max_tries=1)


@attrs.frozen
class Services:
    """Processes of the service that share a database and the blobs."""

    directory: Path
    urls: tuple[str, ...]
    token: str

    def client(self, number: int, options: WebOptions = PATIENT) -> HttpBackend:
        """Open a client of one of them."""
        return HttpBackend(self.urls[number], token=self.token, options=options)


def plataforma(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "plataforma_sdk.cli", "registry", *arguments]
    variables = os.environ | {"PLATAFORMA_DATABASE": database}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables)


@contextlib.contextmanager
def services(database: str, directory: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Serve from so many processes; what they log holds no password."""
    registry = directory / "registry"
    made = plataforma(
        database, "token", "create", "ci", "--allow", "publish", "--key", MARIA, "--directory", str(registry), "--json"
    )
    assert made.returncode == 0, made.stderr
    monkeypatch.setenv("PLATAFORMA_DATABASE", database)
    urls = tuple(f"http://127.0.0.1:{free_port()}" for _ in range(count))
    logs = [directory / f"log-{number}" for number in range(count)]
    with contextlib.ExitStack() as running:
        for url, log in zip(urls, logs, strict=True):
            port = url.rpartition(":")[2]
            command = [sys.executable, "-m", "plataforma_sdk.cli", "registry", "serve", str(registry)]
            running.enter_context(serving([*command, "--port", port, "--max-rate", "0"], f"{url}/health", log))
        yield Services(registry, urls, json.loads(made.stdout)["token"])
    for log in logs:
        text = log.read_text()
        assert "Serving" in text
        assert PASSWORD not in text
        assert ESCAPED not in text
        assert "Traceback" not in text


@pytest.mark.timeout(120)
def test_publishers_race_over_two_processes(database, tmp_path, monkeypatch):
    """Each version is published with four contents at once: one is listed, and who lost was told so."""
    versions = [f"1.{number}.0" for number in range(20)]

    async def attempt(backend, version, content):
        try:
            await publish(backend, "acme/vendas", version, content, owner=MARIA)
        except VersionConflictError:
            return None
        return content

    async def main(served):
        backends = [served.client(number % 2) for number in range(4)]
        for version in versions:
            contents = [f"{version} by {number}".encode() for number in range(4)]
            won = await asyncio.gather(*map(attempt, backends, [version] * 4, contents))
            (winner,) = [content for content in won if content is not None]
            release = (await backends[0].versions("acme/vendas")).release(version)
            assert await read(backends[1], "acme/vendas", release.archive) == winner
        indexes = [await backend.versions("acme/vendas") for backend in backends]
        for backend in backends:
            await backend.aclose()
        return indexes

    with services(database, tmp_path, 2, monkeypatch) as served:
        indexes = asyncio.run(main(served))
    assert all(index == indexes[0] for index in indexes)
    assert [release.version for release in indexes[0].releases] == versions
    assert (indexes[0].revision, indexes[0].owner) == (len(versions), MARIA)


@pytest.mark.timeout(120)
def test_a_namespace_is_claimed_once_over_two_processes(database, tmp_path, monkeypatch):
    async def main(served):
        backends = [served.client(number % 2) for number in range(4)]
        async with asyncio.TaskGroup() as group:
            for number, backend in enumerate(backends):
                group.create_task(publish(backend, f"acme/m{number}", owner=MARIA))
        found = {index.owner for index in [await backends[0].versions(f"acme/m{number}") for number in range(5)]}
        total = (await backends[1].search("acme")).total
        for backend in backends:
            await backend.aclose()
        return found, total

    with services(database, tmp_path, 2, monkeypatch) as served:
        assert asyncio.run(main(served)) == ({MARIA}, 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills what it forks")
@pytest.mark.timeout(60 + 3 * KILLS)
def test_a_killed_service_loses_nothing_and_doubles_nothing(database, tmp_path, monkeypatch):
    monkeypatch.setenv("PLATAFORMA_DATABASE", database)
    counts = run_script("_service_killed.py", tmp_path / "registry")
    assert counts["killed"] == KILLS
    assert counts["releases"] > 0


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with cluster() as server:
        yield server


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_goes_is_told_and_one_that_comes_back_is_used(own_cluster, mode, tmp_path, monkeypatch):
    async def main(served):
        hasty = served.client(0, AT_ONCE)
        first = await publish(hasty, version="1.0.0")
        own_cluster.stop(mode=mode)
        with pytest.raises(RegistryError, match=r"PostgreSQL database case_\d+ at 127\.0\.0\.1:\d+ cannot be used now"):
            await hasty.versions("vendas")
        with pytest.raises(RegistryError, match="cannot be used now"):
            await publish(hasty, version="1.1.0")
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"{served.urls[0]}/v1/modules/vendas")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (await client.get(f"{served.urls[0]}/ready")).status_code == 503
            assert (await client.get(f"{served.urls[0]}/health")).status_code == 200
            own_cluster.start()
            assert (await client.get(f"{served.urls[0]}/v1/modules/vendas")).status_code == 200
            assert (await client.get(f"{served.urls[0]}/ready")).status_code == 200
        await publish(hasty, version="1.1.0")
        assert await read(hasty, "vendas", first.archive) == b"vendas 1.0.0"
        own_cluster.stop(mode=mode)
        own_cluster.start()
        await publish(hasty, version="1.2.0")  # nobody notices
        index = await hasty.versions("vendas")
        await hasty.aclose()
        return [release.version for release in index.releases]

    with services(own_cluster.new_database(), tmp_path, 1, monkeypatch) as served:
        assert asyncio.run(main(served)) == ["1.0.0", "1.1.0", "1.2.0"]


@pytest.mark.timeout(120)
def test_a_service_whose_database_is_not_there_does_not_start(postgres, tmp_path):
    done = plataforma(postgres.url("nada"), "serve", str(tmp_path / "registry"), "--port", "0")
    assert done.returncode == 1
    assert "database nada at 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr
    assert ESCAPED not in done.stderr


@pytest.mark.timeout(120)
def test_the_commands_find_tokens_metadata_and_blobs_in_the_database(database, tmp_path):
    pytest.importorskip("tuf", reason="needs the extra trust")
    registry = str(tmp_path / "registry")
    made = plataforma(database, "token", "create", "ci", "--allow", "publish", "--directory", registry)
    listed = plataforma(database, "token", "list", "--directory", registry)
    root = plataforma(database, "tuf", "init", "--directory", registry)
    shown = plataforma(database, "tuf", "root", "--directory", registry)
    swept = plataforma(database, "sweep", registry)
    assert [done.returncode for done in (made, listed, root, shown, swept)] == [0] * 5, made.stderr + swept.stderr
    assert "ci: publish" in listed.stdout
    assert json.loads(shown.stdout)["signed"]["version"] == 1
    assert "0 blobs" in swept.stdout
    assert not list((tmp_path / "registry").glob("*.sqlite"))
