"""Instrumented and plain code agree, and one program costs the same fuel in every run."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from tests.security.differential.outcomes import disagreement, run_plain, run_restricted
from tests.security.differential.writing import Writer, programs

EXAMPLES: Final = int(os.environ.get("PLATAFORMA_EXAMPLES", "120"))
"""Programs of one run; `nox -s differential` asks for more."""

REPEATED: Final = max(EXAMPLES // 10, 12)
"""Programs whose fuel is compared across processes."""

# Generated code compares literals by `is` and drops coroutines; what CPython says to that is none of this test's.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(max(60, EXAMPLES))]


class Seeded(Writer):
    """Writes the program of a seed: the same text in every process."""

    def __init__(self, seed: int) -> None:
        super().__init__(self.refuse)
        self._random = random.Random(seed)

    @staticmethod
    def refuse(_: Any) -> Any:
        raise AssertionError("a seeded program is not drawn")

    def number(self, limit: int) -> int:
        return self._random.randrange(limit)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PLATAFORMA_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(programs())
def test_a_program_does_the_same_plain_and_restricted(source: str) -> None:
    """Results, errors and their messages, output, and the order of every step that is traced."""
    restricted = run_restricted(source)
    event(f"limit: {restricted.limit}")
    assume(restricted.limit is None)

    assert disagreement(run_plain(source), restricted) is None, source


def test_generated_programs_get_far() -> None:
    """A generator whose programs end at once would prove nothing."""
    runs = [run_restricted(Seeded(seed).program()) for seed in range(40)]
    unhindered = [run for run in runs if run.limit is None]

    assert len(unhindered) > len(runs) * 0.8
    assert sum(len(run.log) for run in unhindered) > 12 * len(unhindered)
    assert sum("Error" in line for run in unhindered for line in run.log) < sum(len(run.log) for run in unhindered) / 3


def test_the_comparison_sees_a_difference() -> None:
    """A judge that agrees with everything is none."""
    assert disagreement(run_plain("trace(1 + 1)"), run_restricted("trace(3)")) is not None
    assert disagreement(run_plain("trace(1)"), run_restricted("trace(1)\ntrace(2)")) is not None
    assert disagreement(run_plain("print(1)"), run_restricted("print(2)")) is not None


class WithoutSets(Seeded):
    """Writes programs that make no set of texts, whose order is the hash seed's."""

    def expression(self, kind: str, depth: int) -> str:
        return super().expression("list" if kind == "set" else kind, depth)


def used(seed: int) -> int:
    return run_restricted(WithoutSets(seed).program()).fuel


def test_a_program_uses_the_same_fuel_in_two_sandboxes() -> None:
    seeds = range(REPEATED)

    assert [used(seed) for seed in seeds] == [used(seed) for seed in seeds]


def test_a_program_uses_the_same_fuel_under_another_hash_seed() -> None:
    """Two processes, two seeds of the hash of texts: to the unit, whatever a program does with dicts."""
    found = [fuel_in_a_process_of_its_own(seed) for seed in ("0", "4711")]

    assert found[0] == found[1]
    assert sum(fuel > 0 for fuel in found[0]) > 0.9 * len(found[0])


def fuel_in_a_process_of_its_own(hash_seed: str) -> list[int]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    program = [sys.executable, "-W", "ignore", "-m", "tests.security.differential.test_programs", str(REPEATED)]
    done = subprocess.run(program, env=environment, capture_output=True, check=True, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.stdout.write(json.dumps([used(seed) for seed in range(int(sys.argv[1]))]))
