"""What TUF metadata costs a registry: ``python -m tests.bench tuf`` (seconds; a number is how many modules it has).

Medians in milliseconds: a publish into a directory of 10,000 modules without metadata and with it, what the next client
that asks for the timestamp waits until that is signed, and the ratio of the two.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import tempfile
import time
from pathlib import Path

from plataforma_sdk.registry.backends import DirectoryBackend
from plataforma_sdk.web.registry._tuf import TufRepository
from plataforma_sdk.web.registry._tuf_root import init_tuf, open_index
from tests.bench.bench_registry import MODULES, ROUNDS, fill, median_ms, releases, show

YEAR_S = 365 * 86_400.0


def main(modules: int = MODULES) -> None:
    """Print the figures."""
    if importlib.util.find_spec("tuf") is None:
        print("tuf: not installed (pip install 'plataforma-sdk[trust]')")
        return
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(in_directory(Path(directory), modules))


async def in_directory(root: Path, modules: int) -> None:
    """Measure a registry in a directory, as a service keeps it."""
    backend, metadata = DirectoryBackend(root), TufRepository(root)
    fill(root, modules)
    made = [next(source) for source in [releases("novo")] for _ in range(2 * ROUNDS)]
    try:
        plain = await median_ms(lambda n: backend.publish(*made[n]))
        with contextlib.closing(open_index(root)) as connection:
            init_tuf(connection, root, now=time.time(), lifetime_s=YEAR_S)
        first = await median_ms(lambda _: backend.beside(metadata.refresh), rounds=1)
        published, signed = [], []
        for item in made[ROUNDS:]:
            published.append(await median_ms(lambda _, item=item: backend.publish(*item), rounds=1))
            signed.append(await median_ms(lambda _: backend.beside(metadata.refresh), rounds=1))
        idle = await median_ms(lambda _: backend.beside(metadata.refresh))
    finally:
        await backend.aclose()
    after, sign = sorted(published)[ROUNDS // 2], sorted(signed)[ROUNDS // 2]
    show("publish, without metadata", plain)
    show("publish, with metadata", after)
    show("sign what one publish changed, when it is asked for", sign)
    show("the timestamp where nothing has changed", idle)
    show(f"sign all of {modules:,} modules, once", first)
    print(f"metadata: a publish costs {after / plain:.2f} of one without, signing it {sign / plain:.1f} more")
