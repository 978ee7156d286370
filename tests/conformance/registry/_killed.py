"""Publishes into a directory and is killed: ``python _killed.py ROOT KILLS SEED``.

A process of its own without threads, so that it can fork: each publisher starts where everything is imported. Prints
``{"killed": ..., "listed": how many releases were there all the same}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.registry import Release
from plataforma_sdk.registry.backends import DirectoryBackend
from tests.conformance.registry._releases import make_release, read

ENDED, LISTED, ABSENT, HALF = 0, 10, 11, 12


def release_of(number: int) -> tuple[Release, dict[str, bytes]]:
    """Make the release of a round: a module of its own for every fourth, so that files and rows are new."""
    draw = random.Random(number)
    return make_release(
        f"acme/vendas-{number // 4}",
        f"1.{number}.0",
        draw.randbytes(draw.choice((100, 50_000, 400_000))),
        attachments={"sbom": draw.randbytes(300)},
    )


async def publish(root: Path, number: int) -> int:
    """Publish, and come to an end if nobody minds."""
    backend = DirectoryBackend(root)
    release, blobs = release_of(number)
    await backend.publish(release, blobs, owner="ed25519:aa")
    await backend.aclose()
    return ENDED


async def check(root: Path, number: int) -> int:
    """See whether the release is there whole or not at all, and that publishing it again succeeds."""
    backend = DirectoryBackend(root)
    release, blobs = release_of(number)
    before = await backend.versions(release.id)
    listed = before.release(release.version)
    if listed is not None:
        for blob in (listed.archive, *listed.attachments.values()):
            if await read(backend, release.id, blob) != blobs[blob.digest]:
                return HALF
    again = await backend.publish(release, blobs, owner="ed25519:aa")
    found = await backend.search(release.id)
    await backend.aclose()
    if again.revision != len(again.releases) or again.release(release.version) != release or found.total < 1:
        return HALF
    return LISTED if listed else ABSENT


def in_child(work: Callable[[], int]) -> int:
    """Run something in a process of its own; its id."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work())
        except PlataformaError as error:
            sys.stderr.write(f"{error}\n")
            os._exit(HALF)
    return pid


def main(root: Path, kills: int, seed: int) -> None:
    """Kill one publisher after the other, each at another moment, and check after each."""
    draw = random.Random(seed)
    begun = time.perf_counter()
    os.waitpid(in_child(lambda: asyncio.run(publish(root, 0))), 0)
    longest_s = (time.perf_counter() - begun) * 1.3
    counts, number = {"killed": 0, "listed": 0}, 0
    while counts["killed"] < kills:
        number += 1
        publisher = in_child(lambda number=number: asyncio.run(publish(root, number)))
        time.sleep(draw.uniform(0, longest_s))
        os.kill(publisher, signal.SIGKILL)
        _, status = os.waitpid(publisher, 0)
        if not os.WIFSIGNALED(status):  # it was faster
            continue
        counts["killed"] += 1
        _, status = os.waitpid(in_child(lambda number=number: asyncio.run(check(root, number))), 0)
        ended = os.waitstatus_to_exitcode(status)
        if ended not in (LISTED, ABSENT):
            raise SystemExit(f"round {number}: the registry is half published, or its check ended with {ended}")
        counts["listed"] += ended == LISTED
    print(json.dumps(counts))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
