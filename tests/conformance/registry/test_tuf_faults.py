"""Whatever goes wrong on the way to a service with TUF metadata: a client that saw its newest state takes no other.

The client has no memory of indexes, and its metadata alone from the process before: what `test_faults` leaves to the
lock and to the last version seen, an old index replayed to somebody who never saw a newer one, is refused here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Final

import httpx2
import pytest

pytest.importorskip("tuf")

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import ModuleIndex
from plataforma_sdk.registry._indexes import Indexes
from plataforma_sdk.registry.backends import HttpBackend, WebOptions
from plataforma_sdk.registry.trust import Freshness
from plataforma_sdk.web.registry import ServiceOptions
from plataforma_sdk.web.registry._app import make_app
from plataforma_sdk.web.registry._state import ServiceState
from plataforma_sdk.web.registry._tuf_root import init_tuf, open_index

from ._faults import HTTP_FAULTS, NO_FAULT, Fault, FaultyTransport
from ._releases import make_release

FAULTS: Final = int(os.environ.get("PLATAFORMA_FAULTS", "300")) // 6
KINDS: Final = (*HTTP_FAULTS, *("replay",) * 6)
"""What is replayed is what all of this is about: nearly half of the faults."""
PATIENCE_S: Final = 0.2
YEAR_S: Final = 365 * 86_400.0

pytestmark = pytest.mark.timeout(600 if "PLATAFORMA_FAULTS" in os.environ else 60)


async def look(
    transport: httpx2.AsyncBaseTransport, known: Path, cache: Path, *, timeout_s: float = 10.0
) -> ModuleIndex:
    """Read an index as a new process does that knows nothing but the metadata."""
    options = WebOptions(transport=transport, first_wait_s=0, timeout_s=timeout_s, max_tries=2)
    backend = HttpBackend("https://registry.test", options=options)
    freshness = Freshness(backend, known)
    try:
        return await Indexes(backend, cache, lambda: freshness).versions("vendas")
    finally:
        freshness.close()


async def publish(service: ServiceState, version: str) -> ModuleIndex:
    release, blobs = make_release(version=version)
    return await service.backend.publish(release, blobs)


def test_no_fault_shows_an_old_index_to_who_saw_the_newest_metadata(tmp_path: Path) -> None:
    draw = random.Random("tuf 6")
    ends: dict[str, int] = {}

    async def main() -> int:
        service = ServiceState(ServiceOptions(directory=tmp_path / "registry", max_requests_per_s=0))
        network = FaultyTransport(httpx2.ASGITransport(make_app(service)), patience_s=PATIENCE_S)
        await publish(service, "1.0.0")
        with contextlib.closing(open_index(tmp_path / "registry")) as connection:
            init_tuf(connection, tmp_path / "registry", now=time.time(), lifetime_s=YEAR_S)
        await look(network, tmp_path / "known", tmp_path / "cache-old")  # what will be replayed
        truth = await publish(service, "1.1.0")
        assert await look(network, tmp_path / "known", tmp_path / "cache-new") == truth
        fired = number = 0
        while fired < FAULTS:
            number += 1
            place = tmp_path / f"try-{number}"
            shutil.copytree(tmp_path / "known", place / "known", symlinks=True)
            if draw.random() < 0.5:  # the metadata itself is read again, beside the timestamp
                for file in (place / "known").glob("*/[bst]*.json"):
                    if "timestamp" not in file.name:
                        file.unlink()
            at = min(draw.randint(1, 6), draw.randint(1, 6))  # the index is the first request, the timestamp the third
            fault = Fault(draw.choice(KINDS), at, is_lasting=draw.random() < 0.5, seed=number)
            network.fault = fault
            try:
                found = await look(network, place / "known", place / "cache", timeout_s=PATIENCE_S)
                assert found == truth
            except RegistryError as error:
                ended = type(error).__name__
            else:
                ended = "done"
            ends[ended] = ends.get(ended, 0) + 1
            fired += bool(fault.fired)
            network.fault = NO_FAULT
            assert await look(network, place / "known", place / "cache-after") == truth
            shutil.rmtree(place)
        await service.aclose()
        return fired

    fired = asyncio.run(main())
    sys.stdout.write(f"tuf: {fired} faults, ends {ends}\n")
    assert ends.keys() >= {"done", "IntegrityError", "RegistryError"}
