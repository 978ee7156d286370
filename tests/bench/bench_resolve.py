"""What resolution costs: ``python -m tests.bench resolve``: milliseconds of CPU, indexes in memory, beside resolvelib.

Two kinds of graph at each size. *Quiet*: the newest of everything fits, as in most registries. *Contested*: one edge in
twenty asks for an old release, so that choices must be narrowed. Every size is a closure: all of it is reached.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from plataforma_sdk.registry import BlobRef, ModuleIndex, Release, Resolver, digest_of

SIZES = (403, 1_000, 1_628, 4_196)
MINORS = 6
PEER_LIMIT = 1_000
"""The peer takes too long beyond."""

Graph = dict[str, dict[str, dict[str, str]]]


def make_graph(size: int, *, is_contested: bool) -> Graph:
    """Make a closure of `size` modules: each asks for its neighbour, and for up to three others."""
    dice = random.Random(size)
    graph: Graph = {}
    for number in range(size):
        others = {number + 1, *(dice.randrange(number + 1, size + 1) for _ in range(dice.randrange(4)))}
        ranges = {
            f"m{other}": "~1.3" if is_contested and dice.random() < 0.05 else dice.choice(["^1", "^1.1", ">=1,<2"])
            for other in sorted(others)
            if other < size
        }
        graph[f"m{number}"] = dict.fromkeys((f"1.{minor}.{number % 50}" for minor in range(MINORS)), ranges)
    return graph


class Indexes:
    """An `IndexSource` that holds a graph."""

    url = "memory:"

    def __init__(self, graph: Graph) -> None:
        blob = BlobRef(digest_of(b""), 0)
        self._indexes = {
            module_id: ModuleIndex(
                id=module_id,
                releases=tuple(
                    Release(id=module_id, version=version, digest=blob.digest, archive=blob, dependencies=ranges)
                    for version, ranges in versions.items()
                ),
            )
            for module_id, versions in graph.items()
        }

    async def versions(self, module_id: str) -> ModuleIndex:
        return self._indexes[module_id]


def cpu_ms(job: Callable[[], Any], rounds: int) -> float:
    """Return the best CPU time of a job."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        job()
        best = min(best, time.process_time() - start)
    return best * 1e3


def ours_ms(graph: Graph) -> float:
    """Time our resolver, warm: versions and ranges of these texts were parsed before."""
    resolver = Resolver(Indexes(graph), sdk="0.1.0")
    with asyncio.Runner() as runner:
        assert len(runner.run(resolver.resolve({"m0": "*"})).releases) == len(graph)
        return cpu_ms(lambda: runner.run(resolver.resolve({"m0": "*"})), rounds=7)


def peer_ms(graph: Graph) -> float | None:
    """Time resolvelib; None where it is not installed, or too slow to wait for."""
    if len(graph) > PEER_LIMIT:
        return None
    try:
        from tests.bench.resolve_peer import resolve_with_resolvelib
    except ImportError:
        return None
    assert len(resolve_with_resolvelib(graph, {"m0": "*"})) == len(graph)
    return cpu_ms(lambda: resolve_with_resolvelib(graph, {"m0": "*"}), rounds=1)


def main() -> None:
    """Print the table."""
    print(f"{'modules':>8} {'graph':>10} {'edges':>7} {'ours ms':>9} {'resolvelib ms':>14} {'ratio':>7}")
    for is_contested in (False, True):
        for size in SIZES:
            graph = make_graph(size, is_contested=is_contested)
            edges = sum(len(next(iter(versions.values()))) for versions in graph.values())
            ours, theirs = ours_ms(graph), peer_ms(graph)
            beside = f"{theirs:>14,.1f} {theirs / ours:>6,.0f}x" if theirs else f"{'-':>14} {'-':>7}"
            print(
                f"{size:>8,} {'contested' if is_contested else 'quiet':>10} {edges:>7,} {ours:>9.1f} {beside}",
                flush=True,
            )


if __name__ == "__main__":
    main()
