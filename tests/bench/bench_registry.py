"""What a registry costs: ``python -m tests.bench registry`` (under a minute; a number is how many modules to search).

Medians in milliseconds, for a module of 100 kB with an SBOM: publish, list, fetch and verify in a directory; a search
among 10,000 modules; and, where Debian's docker-registry is installed, our OCI backend beside a raw push and pull.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plataforma_sdk.registry import ModuleIndex, RegistryBackend, Release, digest_of
from plataforma_sdk.registry._json import to_json
from plataforma_sdk.registry.backends import DirectoryBackend, OciBackend, _catalogue
from tests.conformance.registry._releases import make_release, read
from tests.integration.registry._servers import docker_registry

SIZE = 100_000
MODULES = 10_000
ROUNDS = 60
WORDS = ("vendas", "clientes", "produtos", "estoque", "painel", "relatório", "gestão", "comissão", "região", "loja")
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def main(modules: int = MODULES) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(in_directory(Path(directory), modules))
        if shutil.which("docker-registry") is None:
            print("docker-registry: not installed (apt-get install docker-registry)")
            return
        with docker_registry(Path(directory)) as host:
            asyncio.run(in_docker_registry(host))


def show(what: str, milliseconds: float, asked: str = "") -> None:
    """Print a line."""
    print(f"{what:<62}{milliseconds:>9.3f} ms{asked and '   asked: ' + asked}", flush=True)


async def median_ms(job: Callable[[int], Awaitable[Any]], rounds: int = ROUNDS) -> float:
    """Return the median time of a job; each round has a number of its own."""
    times = []
    for number in range(rounds):
        start = time.perf_counter()
        await job(number)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def releases(prefix: str) -> Iterator[tuple[Release, dict[str, bytes]]]:
    """Make new modules of 100 kB, which do not compress."""
    for number in count():
        data = random.Random(f"{prefix} {number}").randbytes(SIZE)
        yield make_release(f"{prefix}-{number}", "1.0.0", data, attachments={"sbom": data[:800]})


async def install(backend: RegistryBackend, module_id: str) -> bytes:
    """List a module, and fetch and verify its newest release."""
    newest = (await backend.versions(module_id)).releases[-1]
    return await read(backend, module_id, newest.archive)


async def in_directory(root: Path, modules: int) -> None:
    """Measure the embedded default."""
    backend = DirectoryBackend(root / "registry")
    fill(root / "registry", modules)
    made = [next(source) for source in [releases("novo")] for _ in range(ROUNDS)]
    try:
        show("directory: publish", await median_ms(lambda n: backend.publish(*made[n])), "under 5")
        show("directory: list a module", await median_ms(lambda n: backend.versions(made[n][0].id)))
        fetched = await median_ms(lambda n: read(backend, made[n][0].id, made[n][0].archive))
        show("directory: fetch and verify", fetched)
        installed = await median_ms(lambda n: install(backend, made[n][0].id))
        show("directory: list, fetch and verify", installed, "under 1")
        for name, query in {
            "one module": "modulo-777",
            "two words": "gestão vendas",
            "beginning of a word": "com",
            "everything": "",
        }.items():
            total = (await backend.search(query)).total
            asked = await median_ms(lambda _, query=query: backend.search(query))
            show(f"directory: search among {modules:,}, {name} ({total:,} found)", asked)
    finally:
        await backend.aclose()


def fill(root: Path, modules: int) -> None:
    """List many modules in one transaction."""
    backend = DirectoryBackend(root)
    connection = backend._connect()
    connection.execute("BEGIN")
    for number in range(modules):
        draw = random.Random(number)
        text = " ".join(draw.choices(WORDS, k=12))
        release, _ = make_release(f"modulo-{number}", "1.0.0", name=draw.choice(WORDS), description=text)
        _catalogue._store(connection, ModuleIndex(id=release.id).with_release(release))
    connection.execute("COMMIT")
    connection.close()


async def in_docker_registry(host: str) -> None:
    """Measure our OCI backend, and the bare requests of a push and a pull."""
    import httpx2

    backend = OciBackend(f"oci+http://{host}/bench")
    made = [next(source) for source in [releases("oci")] for _ in range(ROUNDS)]
    async with httpx2.AsyncClient(base_url=f"http://{host}/v2/raw", trust_env=False) as client:
        pushed = await median_ms(lambda n: push(client, made[n][1]))
        pulled = await median_ms(lambda n: pull(client, made[n][1]))
    try:
        ours = await median_ms(lambda n: backend.publish(*made[n]))
        taken = await median_ms(lambda n: install(backend, made[n][0].id))
        again = await median_ms(lambda n: read(backend, made[n][0].id, made[n][0].archive))
    finally:
        await backend.aclose()
    show("docker-registry: raw push (blob, config, manifest)", pushed)
    show("docker-registry: raw pull (manifest, blob)", pulled)
    show("docker-registry: publish by OciBackend, SBOM as a referrer", ours)
    show("docker-registry: list, fetch and verify by OciBackend", taken)
    show("docker-registry: fetch and verify by OciBackend", again)
    print(f"OciBackend: a publish costs {ours / pushed:.1f} raw pushes, an install {taken / pulled:.1f} raw pulls")


async def push(client: Any, blobs: dict[str, bytes]) -> None:
    """Push the least that is an artifact."""
    archive = max(blobs.values(), key=len)
    for data in (archive, b"{}"):
        begun = await client.post("/blobs/uploads/")
        await client.put(begun.headers["location"], params=_with_digest(begun, data), content=data)
    manifest = to_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(b"{}"),
            "layers": [_descriptor(archive)],
        }
    )
    answer = await client.put(
        f"/manifests/{digest_of(archive)[7:20]}", content=manifest, headers={"content-type": MANIFEST_TYPE}
    )
    answer.raise_for_status()


async def pull(client: Any, blobs: dict[str, bytes]) -> None:
    """Pull the archive by its manifest; believe it."""
    archive = max(blobs.values(), key=len)
    manifest = await client.get(f"/manifests/{digest_of(archive)[7:20]}", headers={"accept": MANIFEST_TYPE})
    blob = await client.get(f"/blobs/{manifest.json()['layers'][0]['digest']}")
    assert len(blob.content) == SIZE


def _with_digest(begun: Any, data: bytes) -> Any:
    import httpx2

    return httpx2.URL(begun.headers["location"]).params.add("digest", digest_of(data))


def _descriptor(data: bytes) -> dict[str, Any]:
    return {"mediaType": "application/octet-stream", "digest": digest_of(data), "size": len(data)}


if __name__ == "__main__":
    main()
