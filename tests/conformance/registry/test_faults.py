"""Whatever goes wrong between a backend and its store: no wrong byte is accepted, and every failure is typed.

Some hundred faults by default; ``PLATAFORMA_FAULTS=2500`` tries that many, as the session ``integration`` does.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx2
import pytest

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.registry import BlobRef, ModuleIndex, RegistryBackend, Release, SearchHit, check_succession
from plataforma_sdk.registry.backends import DirectoryBackend, HttpBackend, ObjectBackend, OciBackend, WebOptions

from ._faults import HTTP_FAULTS, NO_FAULT, STORE_FAULTS, Fault, FaultyStore, FaultyTransport
from ._oci_registry import OciRegistry
from ._places import stores
from ._releases import make_release, publish, read
from ._service import Service

FAULTS: Final = int(os.environ.get("PLATAFORMA_FAULTS", "420"))
PATIENCE_S: Final = 0.02
SBOM: Final = b'{"bomFormat": "CycloneDX", "components": []}'

pytestmark = pytest.mark.timeout(600 if "PLATAFORMA_FAULTS" in os.environ else 60)


@attrs.define
class World:
    """A store with two releases, a backend that has seen it, and one that breaks nothing.

    Attributes:
        arm: lets a fault happen from now on.
        backend: what the fault happens to.
        reopen: opens a backend that nothing happens to.
        releases: what is published.
        truth: the index.
        next: what will be published.
    """

    arm: Callable[[Fault], None]
    backend: RegistryBackend
    reopen: Callable[[], RegistryBackend]
    releases: tuple[Release, ...] = ()
    truth: ModuleIndex = attrs.Factory(lambda: ModuleIndex(id="vendas"))
    next: tuple[Release, dict[str, bytes]] = attrs.Factory(lambda: make_release(version="1.2.0", name="Três"))


Operation = Callable[[World], Awaitable[None]]


async def look(world: World) -> None:
    index = await world.backend.versions("vendas")
    check_succession(world.truth, index)  # as core does with what it saw last
    assert index == world.truth


async def fetch(world: World) -> None:
    for release in world.releases:
        blobs: list[BlobRef] = [release.archive, *release.attachments.values()]
        found = [await read(world.backend, "vendas", blob) for blob in blobs]
        assert found == [f"vendas {release.version}".encode(), SBOM]


async def search(world: World) -> None:
    page = await world.backend.search("vendas")
    # a search finds, and no more is believed of it: it may be late, but says nothing that was never true
    assert set(page.hits) <= {
        SearchHit(id="vendas", version=release.version, name=release.name, description="") for release in world.releases
    }


async def add(world: World) -> None:
    release, blobs = world.next
    assert (await world.backend.publish(release, blobs)).release("1.2.0") == release


async def mark(world: World) -> None:
    index = await world.backend.yank("vendas", "1.0.0", "broken")
    assert [release.yanked for release in index.releases] == ["broken", None]


OPERATIONS: Final[dict[str, Operation]] = {"look": look, "fetch": fetch, "search": search, "add": add, "mark": mark}


async def check_after(world: World, operation: Operation) -> None:
    """See that the store is as before or as wanted, and that what failed succeeds when it is repeated."""
    world.arm(NO_FAULT)
    backend = world.reopen()
    try:
        found = await backend.versions("vendas")
        check_succession(world.truth, found)
        assert found.revision <= world.truth.revision + 1
        await operation(attrs.evolve(world, backend=backend, truth=found))
        assert (await backend.versions("vendas")).revision <= world.truth.revision + 1
        await fetch(attrs.evolve(world, backend=backend))
    finally:
        await backend.aclose()


async def attempt(world: World, operation: Operation, fault: Fault) -> str:
    """Do something while a fault happens; how it ended."""
    world.arm(fault)
    try:
        await operation(world)
    except RegistryError as error:
        ended = type(error).__name__
    else:
        ended = "done"
    await check_after(world, operation)
    return ended


async def prepare(world: World) -> World:
    """Publish two releases, look after each, so that older answers exist, and forget nothing."""
    releases = []
    for version, name in (("1.0.0", "Um"), ("1.1.0", "Dois")):
        releases.append(await publish(world.backend, version=version, name=name, attachments={"sbom": SBOM}))
        await world.backend.versions("vendas")
        await world.backend.search("vendas")
    return attrs.evolve(world, releases=tuple(releases), truth=await world.backend.versions("vendas"))


# --- stores over HTTP, and stores of objects -------------------------------------------------------------------------


def over_http(inner: httpx2.AsyncBaseTransport, make: Callable[[WebOptions], RegistryBackend]) -> World:
    faulty = FaultyTransport(inner, patience_s=PATIENCE_S)
    options = WebOptions(transport=faulty, first_wait_s=0, timeout_s=PATIENCE_S)
    return World(
        arm=lambda fault: setattr(faulty, "fault", fault),
        backend=make(options),
        reopen=lambda: make(attrs.evolve(options, transport=inner, timeout_s=10)),
    )


def http(_: Path) -> World:
    return over_http(
        httpx2.ASGITransport(Service()), lambda options: HttpBackend("https://registry.test", options=options)
    )


def oci(_: Path) -> World:
    return over_http(OciRegistry(), lambda options: OciBackend("oci://registry.test/acme", options=options))


def over_store(store: Any) -> World:
    faulty = FaultyStore(store)
    return World(
        arm=lambda fault: setattr(faulty, "fault", fault),
        backend=ObjectBackend(faulty, url="s3://bucket"),
        reopen=lambda: ObjectBackend(store, url="s3://bucket"),
    )


WORLDS: Final[dict[str, tuple[Callable[[Path], World], tuple[str, ...]]]] = {
    "http": (http, HTTP_FAULTS),
    "oci": (oci, HTTP_FAULTS),
    "objects-memory": (lambda _: over_store(stores().MemoryStore()), STORE_FAULTS),
    "objects-files": (lambda path: over_store(stores().LocalStore(path / "objects", mkdir=True)), STORE_FAULTS),
}
SHARE: Final = FAULTS // (len(WORLDS) + 1)


@pytest.mark.parametrize("name", WORLDS)
def test_no_fault_on_the_way_is_believed(name: str, tmp_path: Path) -> None:
    make, kinds = WORLDS[name]
    draw = random.Random(f"{name} 6")
    fired = 0
    ends: dict[str, int] = {}

    async def one(number: int) -> None:
        nonlocal fired
        world = await prepare(make(tmp_path / str(number)))
        operation = draw.choice(sorted(OPERATIONS))
        at = min(draw.randint(1, 8), draw.randint(1, 8))  # few operations take so many requests
        fault = Fault(draw.choice(kinds), at, is_lasting=draw.random() < 0.3, seed=number)
        ended = await attempt(world, OPERATIONS[operation], fault)
        fired += bool(fault.fired)
        ends[ended] = ends.get(ended, 0) + 1
        await world.backend.aclose()

    number = 0
    while fired < SHARE:
        number += 1
        asyncio.run(one(number))
    sys.stdout.write(f"{name}: {fired} faults in {number} tries, ends {ends}\n")
    assert ends.keys() >= {"done", "IntegrityError", "RegistryError"}


# --- files -----------------------------------------------------------------------------------------------------------


def flip(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def truncate(path: Path, draw: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: draw.randrange(len(data))])


def swap(path: Path, draw: random.Random) -> None:
    others = [other for other in path.parents[1].rglob("*") if other.is_file() and other != path]
    shutil.copy(draw.choice(sorted(others)), path)


def remove(path: Path, _: random.Random) -> None:
    path.unlink()


DAMAGES: Final = (flip, truncate, swap, remove)


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[DirectoryBackend]:
    backend = DirectoryBackend(root)
    try:
        yield backend
    finally:
        await backend.aclose()


async def publish_two(root: Path) -> World:
    async with opened(root) as backend:
        world = World(arm=lambda _: None, backend=backend, reopen=lambda: DirectoryBackend(root))
        return await prepare(world)


def test_no_damaged_file_is_believed(tmp_path: Path) -> None:
    draw = random.Random(6)
    ends: dict[str, int] = {}
    pristine = tmp_path / "pristine"
    world = asyncio.run(publish_two(pristine))
    targets = sorted(path.relative_to(pristine) for path in pristine.rglob("*") if path.suffix == ".sqlite")
    targets += sorted(
        path.relative_to(pristine) for path in (pristine / "blobs" / "sha256").rglob("*") if path.is_file()
    )

    async def one(root: Path) -> None:
        for operation in (look, fetch, search):
            async with opened(root) as backend:
                try:
                    await operation(attrs.evolve(world, backend=backend))
                    ended = "done"
                except RegistryError as error:
                    ended = type(error).__name__
            ends[ended] = ends.get(ended, 0) + 1

    for number in range(SHARE):
        root = tmp_path / str(number)
        shutil.copytree(pristine, root)
        target = root / draw.choice(targets[:1] if draw.random() < 0.6 else targets[1:])
        draw.choice(DAMAGES[:3] if target.suffix == ".sqlite" else DAMAGES)(target, draw)
        asyncio.run(one(root))
        shutil.rmtree(root)
    sys.stdout.write(f"directory: {SHARE} faults, ends {ends}\n")
    assert ends.keys() >= {"done", "IntegrityError"}


def test_an_older_copy_of_the_index_is_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        root, copy = tmp_path / "registry", tmp_path / "older.sqlite"
        async with opened(root) as backend:
            await publish(backend, version="1.0.0")
        shutil.copy(root / "registry.sqlite", copy)
        async with opened(root) as backend:
            await publish(backend, version="1.1.0")
            seen = await backend.versions("vendas")
        shutil.copy(copy, root / "registry.sqlite")
        async with opened(root) as backend:
            with pytest.raises(RegistryError, match="revision 1 after 2: this is an old index"):
                check_succession(seen, await backend.versions("vendas"))

    asyncio.run(main())
