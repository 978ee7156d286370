"""What an event costs: ``python -m tests.bench.bench_events`` (under 15 s).

Nanoseconds per emit with 0, 1, 10 and 1,000 synchronous handlers, for a plain loop (the floor), blinker's own `send`,
and `EventBus.emit` with isolation, causes and the delivery on; then a wildcard match among 10,000 patterns.
"""

from __future__ import annotations

import math
import platform
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from blinker import Signal

from plataforma_sdk.events import EventBus, PatternIndex

PATTERNS = 10_000


def best_ns(*functions: Callable[[], Any], budget_s: float = 0.5) -> list[float]:
    """Return the best time of one call of each in nanoseconds.

    Noise only ever adds, and comes in waves, so the functions take turns.
    """
    rounds = [_rounds(function, budget_s / 50) for function in functions]
    best, end = [math.inf] * len(functions), time.perf_counter() + budget_s * len(functions)
    while time.perf_counter() < end:
        for index, function in enumerate(functions):
            best[index] = min(best[index], _time(function, rounds[index]) / rounds[index])
    return [seconds * 1e9 for seconds in best]


def _rounds(function: Callable[[], Any], enough_s: float) -> int:
    rounds = 1
    while _time(function, rounds) < enough_s:
        rounds *= 4
    return rounds


def _time(function: Callable[[], Any], rounds: int) -> float:
    numbers = range(rounds)
    start = time.perf_counter()
    for _ in numbers:
        function()
    return time.perf_counter() - start


def plain_loop(count: int) -> Callable[[], Any]:
    """Call `count` handlers from a tuple."""
    handlers = tuple(_event_handler() for _ in range(count))

    def send() -> None:
        for handler in handlers:
            handler(None)

    return send


def blinker_send(count: int) -> Callable[[], Any]:
    """Send a blinker signal to `count` receivers."""
    signal, receivers = Signal(), [_receiver() for _ in range(count)]
    for receiver in receivers:
        signal.connect(receiver, weak=False)
    return lambda: signal.send("vendas", data=1)


def bus_emit(count: int) -> Callable[[], Any]:
    """Emit to `count` handlers, half of them by a pattern."""
    bus = EventBus()
    for number in range(count):
        bus.subscribe("data.vendas.updated" if number % 2 else "data.vendas.*", _event_handler())
    return lambda: bus.emit("data.vendas.updated", 1)


def _event_handler() -> Callable[[Any], None]:
    def handler(event: Any) -> None:
        pass

    return handler


def _receiver() -> Callable[..., None]:
    def receiver(sender: Any, data: Any = None) -> None:
        pass

    return receiver


def random_patterns() -> list[str]:
    """Return patterns as modules write them: own topics, own namespaces, one event of everybody."""
    chance = random.Random(2)
    shapes = ("module.m{0}.*", "module.*.ev{0}", "*.m{0}.updated", "module.m{0}.*.updated", "data.m{0}.a.*")
    return [chance.choice(shapes).format(number) for number in range(PATTERNS)]


def wildcard_match() -> tuple[float, float, float]:
    """Return nanoseconds per match: by a scan, cold and warm."""
    patterns, chance = random_patterns(), random.Random(3)
    topics = [f"module.m{chance.randrange(PATTERNS)}.ev{chance.randrange(PATTERNS)}" for _ in range(1_000)]
    cold, warm = PatternIndex(memo_size=1), PatternIndex()
    for pattern in patterns:
        cold.add(pattern)
        warm.add(pattern)
    split = [pattern.split(".") for pattern in patterns]
    scan_ns, cold_ns, warm_ns = best_ns(
        lambda: [wanted for wanted in split if _fits(wanted, topics[0].split("."))],
        lambda: [cold.match(topic) for topic in topics],
        lambda: [warm.match(topic) for topic in topics],
    )
    return scan_ns, cold_ns / len(topics), warm_ns / len(topics)


def _fits(wanted: list[str], given: list[str]) -> bool:
    return len(wanted) <= len(given) and all(want in {"*", have} for want, have in zip(wanted, given, strict=False))


def main() -> None:
    """Print the tables."""
    out = sys.stdout.write
    out(f"Python {platform.python_version()}, ns per emit (best of many)\n")
    out(f"{'subscribers':>11} {'plain loop':>11} {'blinker':>11} {'EventBus':>11} {'blinker / ours':>15}\n")
    for count in (0, 1, 10, 1_000):
        loop, blinker, ours = best_ns(plain_loop(count), blinker_send(count), bus_emit(count))
        out(f"{count:>11,} {loop:>11,.0f} {blinker:>11,.0f} {ours:>11,.0f} {blinker / ours:>14.1f}x\n")
    scan, cold, warm = wildcard_match()
    out(f"match among {PATTERNS:,} patterns: scan {scan:,.0f} ns, cold {cold:,.0f} ns, warm {warm:,.0f} ns\n")


if __name__ == "__main__":
    main()
