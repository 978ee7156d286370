"""Versions and ranges beside npm's own `semver`; needs node, and the npm package on NODE_PATH (``nox -s integration``).

What differs on purpose is written in ``manifest/_versions.py``, and left out here.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from typing import Any

import pytest

from plataforma_sdk.manifest import Version, VersionRange

RANGES, VERSIONS_EACH = 5_000, 8
SCRIPT = """
const semver = require("semver"), cases = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(cases.map(([range, versions]) => [
  semver.validRange(range) !== null,
  versions.map(version => semver.satisfies(version, range)),
  versions.slice(1).map((version, place) => semver.compare(versions[place], version)),
])));
"""


def _has_semver() -> bool:
    node = shutil.which("node")
    command = [node or "", "-e", 'require("semver")']
    return node is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _has_semver(), reason="needs node and npm's semver on NODE_PATH")


class Dice:
    """Makes ranges and versions of few numbers, so that they meet."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def number(self) -> str:
        return self._random.choice(["0", "0", "1", "1", "2", "3", "10"])

    def tail(self, prerelease: float, build: float) -> str:
        words = ["0", "1", "2", "11", "alpha", "beta", "a", "x", "-", "rc", "1a", "A"]
        text = ""
        if self._random.random() < prerelease:
            text += "-" + ".".join(self._random.choices(words, k=self._random.randint(1, 3)))
        if self._random.random() < build:
            text += "+" + ".".join(self._random.choices(["1", "b", "001", "x-y"], k=self._random.randint(1, 2)))
        return text

    def version(self) -> str:
        return f"{self.number()}.{self.number()}.{self.number()}{self.tail(0.35, 0.15)}"

    def partial(self) -> str:
        known, width = self._random.choice([1, 2, 3, 3]), self._random.choice([0, 0, 1])
        parts = [self.number() for _ in range(known)] + [self._random.choice("xX*")] * (width if known < 3 else 0)
        prefix = self._random.choice(["", "", "", "v"])
        return prefix + ".".join(parts) + (self.tail(0.35, 0.1) if known == 3 else "")

    def comparator(self) -> str:
        operator = self._random.choice(["", "", "=", "<", "<=", ">", ">=", "~", "^", "^"])
        return operator + self._random.choice(["", "", " "]) + self.partial()

    def alternative(self) -> str:
        if self._random.random() < 0.2:
            return f"{self.partial()} - {self.partial()}"
        return " ".join(self.comparator() for _ in range(self._random.randint(1, 3)))

    def range(self) -> str:
        count = self._random.choice([1, 1, 1, 2, 3])
        return self._random.choice([" || ", "||"]).join(self.alternative() for _ in range(count))


def ask_npm(cases: list[Any]) -> list[Any]:
    command = [shutil.which("node") or "node", "-e", SCRIPT]
    answer = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    return list(json.loads(answer.stdout))


def order(low: Version, high: Version) -> int:
    return (low > high) - (low < high)


@pytest.mark.parametrize("seed", range(4))
def test_ranges_and_precedence_are_npms(seed: int) -> None:
    dice = Dice(seed)
    cases = [(dice.range(), [dice.version() for _ in range(VERSIONS_EACH)]) for _ in range(RANGES)]
    differences: list[tuple[Any, ...]] = []
    for (text, texts), (is_valid, matches, orders) in zip(cases, ask_npm(cases), strict=True):
        assert is_valid, text
        versions = [Version.parse(version) for version in texts]
        mine = VersionRange.parse(text)
        for version, expected in zip(versions, matches, strict=True):
            is_ours = version.release == (0, 0, 0) and version.prerelease  # see the second rule of _versions.py
            if not is_ours and mine.matches(version) is not expected:
                differences.append((text, str(version), expected))
        for place, expected in enumerate(orders):
            if order(*versions[place : place + 2]) != expected:
                differences.append((str(versions[place]), str(versions[place + 1]), expected))
    assert differences == []


@pytest.mark.parametrize(
    "text", ["one", "^", "1.2.3.4", "^^1", ">=1 <", "1..2", "!1", "x.1", "1.x.2", "1.2.3-01", "^1.2beta"]
)
def test_what_is_no_range_is_none_for_npm(text: str) -> None:
    ((is_valid, _, _),) = ask_npm([(text, [])])
    refused = False
    try:
        VersionRange.parse(text)
    except ValueError:
        refused = True
    assert (refused, is_valid) == (True, False)
