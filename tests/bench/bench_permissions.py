"""What a permission check costs: ``python -m tests.bench.bench_permissions`` (under 15 s).

Nanoseconds per check among 10, 1,000 and 100,000 grants, side by side in one run: a plain dict lookup, `has` warm and
cold, `require`, and for comparison the specification's loop, an `fnmatch` scan, and pycasbin's keyMatch where it is
installed. Ratios are what counts: every figure moves with the machine and its load.
"""

from __future__ import annotations

import fnmatch
import importlib
import importlib.util
import platform
import sys
import time
from collections.abc import Callable, Sequence

import attrs

from plataforma_sdk.permissions import PERMISSIONS, PermissionManager

COUNTS = (10, 1_000, 100_000)
MAX_RATIO = 3.0
"""A warm `has` costs at most so many plain dict lookups."""
MAX_GROWTH = 1.2
"""A warm `has` among 100,000 grants costs at most so many among 10."""

HEADINGS = ("dict[name]", "has(name)", "require(name)", "cold has", "spec. loop", "fnmatch", "pycasbin")
WIDTH = 23
HAS_CASBIN = importlib.util.find_spec("casbin") is not None

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
    while min(_time(loop, rounds) for _ in range(3)) < 0.004:  # one slow turn would leave too few rounds
        rounds *= 4
    return rounds


def _time(loop: Loop, rounds: int) -> float:
    start = time.perf_counter()
    loop(rounds)
    return time.perf_counter() - start


def nothing(rounds: int) -> None:
    """Turn the loop, and do nothing."""
    for _ in range(rounds):
        pass


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
    key_match = importlib.import_module("casbin.util").key_match

    def loop(rounds: int) -> None:
        for _ in range(rounds):
            any(key_match(name, granted) for granted in grants)

    return loop


@attrs.frozen
class Case:
    """A manager with so many grants, a name that one of them grants, and a dict of the same names."""

    grants: list[str]
    name: str
    permissions: PermissionManager
    table: dict[str, bool]

    @classmethod
    def make(cls, count: int) -> Case:
        """Build a case, and check that the name is held and another is not."""
        grants = make_grants(count)
        name = f"api.group{count // 2 - 1}.action{(count // 2 - 1) % 7}"
        permissions = PermissionManager(grants)
        if not permissions.has(name) or permissions.has("api.nobody"):
            raise SystemExit(f"{name} is granted, and nothing else: the manager says otherwise")
        return cls(grants, name, permissions, {**dict.fromkeys(grants, True), name: True})


def measure_fast(cases: Sequence[Case]) -> list[list[float]]:
    """Measure what needs no scan, the cases in turns, since their growth is to be told."""
    loops: list[Loop] = []
    for case in cases:
        loops += [dict_lookup(case.table, case.name), warm_has(case.permissions, case.name)]
        loops += [warm_require(case.permissions, case.name), cold_has(case.permissions)]
    found = best_ns(*loops)
    return [found[place : place + 4] for place in range(0, len(found), 4)]


def measure_scans(case: Case) -> list[float]:
    """Measure the scans of others."""
    scans = [specification_loop(case.grants, case.name)]
    if len(case.grants) <= 1_000:  # fnmatch's cache of patterns overflows beyond, and one scan takes a second
        scans.append(fnmatch_scan(case.grants, case.name))
        if HAS_CASBIN:
            scans.append(casbin_scan(case.grants, case.name))
    return best_ns(*scans, budget_s=0.2)


def main() -> int:
    """Print the table; the exit status says whether the two promises were kept."""
    print(f"Permission checks, ns each, CPython {platform.python_version()}; in brackets times the dict lookup\n")
    print(f"{'grants':>8}" + "".join(f"{heading:>{WIDTH}}" for heading in HEADINGS))
    cases = [Case.make(count) for count in COUNTS]
    fast = measure_fast(cases)
    for case, found in zip(cases, fast, strict=True):
        row = [*found, *measure_scans(case)]
        cells = [f"{ns:,.0f} ({ns / found[0]:,.1f}x)" for ns in row] + ["-"] * (len(HEADINGS) - len(row))
        print(f"{len(case.grants):>8,}" + "".join(f"{cell:>{WIDTH}}" for cell in cells))
    empty, member = best_ns(nothing, warm_has(PermissionManager([PERMISSIONS.STORAGE]), PERMISSIONS.STORAGE))
    print(f"\nhas(PERMISSIONS.STORAGE) {member:,.0f}, the loop itself {empty:,.0f}, which every figure includes")
    if not HAS_CASBIN:
        print("pycasbin is not installed: skipped")
    ratio = max(has / plain for plain, has, *_ in fast)
    net = max((has - empty) / (plain - empty) for plain, has, *_ in fast)
    growth = fast[-1][1] / fast[0][1]
    print(
        f"warm has: at most {ratio:.2f} dict lookups (promised {MAX_RATIO}), {net:.2f} with the loop taken off; ",
        end="",
    )
    print(f"{growth:.2f} times as much among 100,000 grants as among 10 (promised {MAX_GROWTH})")
    return 0 if ratio <= MAX_RATIO and growth <= MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
