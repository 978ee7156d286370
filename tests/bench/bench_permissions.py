"""What a permission check costs: ``python -m tests.bench.bench_permissions`` (under 15 s).

Nanoseconds per check among 10, 1,000 and 100,000 grants, side by side in one run: a plain dict lookup, `has` warm and
cold, `require`, and for comparison the specification's loop, an `fnmatch` scan, and pycasbin's keyMatch where it is
installed. Ratios are what counts: every figure moves with the machine and its load.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import platform
import sys
import time
from collections.abc import Callable, Sequence

from plataforma_sdk.permissions import PERMISSIONS, PermissionManager

COUNTS = (10, 1_000, 100_000)
MAX_RATIO = 3.0
"""A warm `has` costs at most so many plain dict lookups."""
MAX_GROWTH = 1.2
"""A warm `has` among 100,000 grants costs at most so many among 10."""

Loop = Callable[[int], None]


def make_grants(count: int) -> list[str]:
    """Make literal grants with a wildcard in every tenth."""
    return [f"api.group{n}.*" if n % 10 == 3 else f"api.group{n}.action{n % 7}" for n in range(count)]


def best_ns(*loops: Loop, budget_s: float = 0.4) -> list[float]:
    """Return the best time of one turn of each loop in nanoseconds, taken in turns: noise only ever adds."""
    rounds = [_fitting_rounds(loop) for loop in loops]
    best = [float("inf")] * len(loops)
    end = time.perf_counter() + budget_s * len(loops)
    while time.perf_counter() < end:
        for place, loop in enumerate(loops):
            best[place] = min(best[place], _time(loop, rounds[place]) / rounds[place])
    return [seconds * 1e9 for seconds in best]


def _fitting_rounds(loop: Loop) -> int:
    rounds = 1
    while _time(loop, rounds) < 0.004:
        rounds *= 4
    return rounds


def _time(loop: Loop, rounds: int) -> float:
    start = time.perf_counter()
    loop(rounds)
    return time.perf_counter() - start


def dict_lookup(table: dict[str, bool], name: str) -> Loop:
    """Look a name up, as ``table[name]``."""

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            table[name]

    return loop


def warm_has(permissions: PermissionManager, name: str) -> Loop:
    """Check a name again and again, as ``permissions.has(name)``."""

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            permissions.has(name)

    return loop


def warm_require(permissions: PermissionManager, name: str) -> Loop:
    """Require a name again and again."""

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            permissions.require(name)

    return loop


def cold_has(permissions: PermissionManager) -> Loop:
    """Check a name that was never checked before, every time."""
    serial = 0

    def loop(rounds: int) -> None:
        nonlocal serial
        for number in range(serial, serial + rounds):
            permissions.has(f"api.group3.x{number}")
        serial += rounds

    return loop


def specification_loop(grants: Sequence[str], name: str) -> Loop:
    """Scan with the specification's ``matchesPermission``, bugs included."""

    def matches(granted: str) -> bool:
        return granted == name or (granted.endswith("*") and name.startswith(granted[:-1]))

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            any(matches(granted) for granted in grants)

    return loop


def fnmatch_scan(grants: Sequence[str], name: str) -> Loop:
    """Scan with `fnmatch`."""

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            any(fnmatch.fnmatchcase(name, granted) for granted in grants)

    return loop


def casbin_scan(grants: Sequence[str], name: str) -> Loop:
    """Scan with pycasbin's keyMatch, without its enforcer around it."""
    from casbin.util import key_match

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            any(key_match(name, granted) for granted in grants)

    return loop


def measure(count: int) -> list[float]:
    """Measure everything among `count` grants, in the order of `HEADINGS`."""
    grants = make_grants(count)
    name = f"api.group{count // 2 - 1}.action{(count // 2 - 1) % 7}"
    permissions = PermissionManager(grants)
    table = dict.fromkeys(grants, True)
    table[name] = True
    if not permissions.has(name):
        raise SystemExit(f"{name} is granted and not held")
    fast = best_ns(
        dict_lookup(table, name), warm_has(permissions, name), warm_require(permissions, name), cold_has(permissions)
    )
    scans = [specification_loop(grants, name)]
    if count <= 1_000:  # its cache of 32,768 patterns overflows beyond, and one scan takes a second
        scans.append(fnmatch_scan(grants, name))
        if importlib.util.find_spec("casbin"):
            scans.append(casbin_scan(grants, name))
    return [*fast, *best_ns(*scans, budget_s=0.2)]


HEADINGS = ("dict[name]", "has(name)", "require(name)", "cold has", "spec. loop", "fnmatch", "pycasbin")


def main() -> int:
    """Print the table; the exit status says whether the two promises were kept."""
    print(f"Permission checks, ns each, CPython {platform.python_version()}; in brackets times the dict lookup\n")
    print(f"{'grants':>8}" + "".join(f"{heading:>22}" for heading in HEADINGS))
    has: list[float] = []
    ratios: list[float] = []
    for count in COUNTS:
        found = measure(count)
        has.append(found[1])
        ratios.append(found[1] / found[0])
        cells = [f"{ns:,.0f} ({ns / found[0]:,.1f}x)" for ns in found]
        print(f"{count:>8,}" + "".join(f"{cell:>22}" for cell in [*cells, *["-"] * (len(HEADINGS) - len(cells))]))
    member = best_ns(warm_has(PermissionManager([PERMISSIONS.STORAGE]), PERMISSIONS.STORAGE))[0]
    print(f"\nhas(PERMISSIONS.STORAGE): {member:,.0f} ns")
    if not importlib.util.find_spec("casbin"):
        print("pycasbin is not installed: skipped")
    growth = has[-1] / has[0]
    print(f"warm has: at most {max(ratios):.2f} dict lookups (promised {MAX_RATIO}), ", end="")
    print(f"{growth:.2f} times as much among 100,000 grants as among 10 (promised {MAX_GROWTH})")
    return 0 if max(ratios) <= MAX_RATIO and growth <= MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
