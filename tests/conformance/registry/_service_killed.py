"""Kills a registry service under a publisher: ``python _service_killed.py ROOT KILLS SEED``.

A process without threads that forks: the service, again and again, and one publisher that goes on until it is told to
stop, repeating what failed. Index and tokens lie in ``PLATAFORMA_DATABASE`` where that is set. Prints
``{"killed": ..., "releases": ..., "repeated": ...}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import anyio

import plataforma_sdk.web.registry._server  # noqa: F401 - imported before the forks, which then start at once
from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import ModuleIndex, Release, digest_of
from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from plataforma_sdk.web.registry import Scope, ServiceOptions, create_token, open_tokens, serve
from tests.conformance.registry._releases import make_release, read

KEY = "ed25519:" + "a1" * 32
MODULES = 4
LONGEST_S = 0.25
"""Some publishes long."""


def release_of(number: int) -> tuple[Release, dict[str, bytes]]:
    """Make the release of a round."""
    draw = random.Random(number)
    return make_release(
        f"acme/vendas-{number % MODULES}",
        f"1.{number}.0",
        draw.randbytes(draw.choice((100, 50_000, 2_000_000))),
        attachments={"sbom": draw.randbytes(300)},
    )


async def publish(address: str, token: str, stop: Path) -> dict[str, int]:
    """Publish until told to stop, each release as often as it takes; then find all of them, once each."""
    backend = HttpBackend(address, token=token, options=WebOptions(first_wait_s=0.01))
    number = repeated = 0
    while not stop.exists():
        release, blobs = release_of(number)
        while True:
            try:
                index = await backend.publish(release, blobs, owner=KEY)
            except RegistryError as error:
                if type(error) is not RegistryError:  # another class says that something is lost or doubled
                    raise
                repeated += 1
                await asyncio.sleep(0.01)
            else:
                break
        assert index.release(release.version) == release
        number += 1
    for name in range(min(number, MODULES)):
        await check(backend, await backend.versions(f"acme/vendas-{name}"), range(name, number, MODULES))
    assert (await backend.search("vendas")).total == min(number, MODULES)
    await backend.aclose()
    return {"releases": number, "repeated": repeated}


async def check(backend: HttpBackend, index: ModuleIndex, numbers: range) -> None:
    """Find the releases of a module, each once, with all of their bytes."""
    assert [release.version for release in index.releases] == [f"1.{number}.0" for number in numbers]
    assert (index.revision, index.owner) == (len(numbers), KEY)
    for number, release in zip(numbers, index.releases, strict=True):
        expected, blobs = release_of(number)
        assert release == expected
        for blob in (release.archive, *release.attachments.values()):
            assert await read(backend, release.id, blob) == blobs[blob.digest]


def in_child(work: Callable[[], None]) -> int:
    """Run something in a process of its own; its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return pid


def start_service(options: ServiceOptions, port: int) -> int:
    """Start the service in a process of its own, and return its id when it listens."""
    listening, told = os.pipe()
    server = in_child(lambda: asyncio.run(serve(options, port=port, started=lambda _: os.close(told))))
    os.close(told)
    os.read(listening, 1)  # ends where nobody holds the other end any more
    os.close(listening)
    return server


def main(root: Path, kills: int, seed: int) -> None:
    """Kill one service after the other at any moment, and let the last one end in peace."""
    draw, database = random.Random(seed), os.environ.get("PLATAFORMA_DATABASE")
    anyio.run(anyio.sleep, 0)  # imports what Starlette would, with the first request that each service sees
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with contextlib.closing(open_tokens(root, database)) as tokens:
        _, token = create_token(tokens, "suite", [Scope("publish")], keys=[KEY])
    options = ServiceOptions(directory=root, database=database, max_requests_per_s=0)
    stop, result = root / "stop", root / "result"

    def publisher() -> None:
        counts = asyncio.run(publish(f"http://127.0.0.1:{port}", token, stop))
        result.write_text(json.dumps(counts))

    writing = in_child(publisher)
    for _ in range(kills):
        server = start_service(options, port)
        time.sleep(draw.uniform(0, LONGEST_S))
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
    last = start_service(options, port)
    stop.touch()
    _, ended = os.waitpid(writing, 0)
    os.kill(last, signal.SIGTERM)
    _, served = os.waitpid(last, 0)
    if (ended, served) != (0, 0):
        raise SystemExit(f"the publisher ended with {ended}, the service with {served}")
    for path in (root / "blobs" / "sha256").rglob("*"):
        if path.is_file() and digest_of(path.read_bytes()) != f"sha256:{path.name}":
            raise SystemExit(f"{path} is no whole blob")
    print(json.dumps({"killed": kills, **json.loads(result.read_text())}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
