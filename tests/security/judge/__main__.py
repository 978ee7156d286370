"""Run corpora and say what got through: ``python -m tests.security.judge --corpus FILE ...``."""

# ruff: noqa: T201 - a command line

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.security.judge._corpus import SHARED, CorpusError, Payload, default_corpora, read_corpus
from tests.security.judge._run import MAX_PEAK_MB, MAX_SECONDS, Verdict, judge_all
from tests.security.judge._target import Target

_FAILED: Final = 1
_UNREADABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge; return 0 where nothing got through, 1 where something did, 2 where a corpus cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        payloads = _payloads(options)
    except CorpusError as error:
        print(f"security: {error}", file=sys.stderr)
        return _UNREADABLE
    if options.naive:
        return _compare(payloads, options.jobs)
    results = _judged(payloads, Target, options.jobs, is_verbose=options.verbose)
    return _FAILED if any(verdict.problem for _, verdict in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nox -s security --",
        description="Attack the restricted engine. A payload fails the run that leaks, changes or kills the host, uses "
        f"more than {MAX_SECONDS} s of processor time or {MAX_PEAK_MB} MB, or ends otherwise than by an error of the "
        "module or a limit.",
    )
    parser.add_argument(
        "--corpus", nargs="+", action="extend", metavar="FILE", help="JSON lists of {name, cat, ref, code}"
    )
    parser.add_argument("--name", nargs="+", action="extend", metavar="NAME", help="only the payloads of these names")
    parser.add_argument("--naive", action="store_true", help="show what the usual RestrictedPython set-up lets through")
    parser.add_argument("--verbose", action="store_true", help="show how every payload ended")
    parser.add_argument("--jobs", type=int, default=2, choices=range(1, 17), metavar="N", help="processes at a time")
    parser.add_argument("--cwd", type=Path, default=Path(), metavar="DIR", help="where relative paths begin")
    return parser


def _payloads(options: argparse.Namespace) -> list[Payload]:
    if options.corpus:
        payloads = [payload for file in options.corpus for payload in read_corpus(options.cwd / file)]
    else:
        payloads = default_corpora()
        if payloads[0].corpus != SHARED:
            print(f"{SHARED} is absent: set PLATAFORMA_SHARED to the folder that holds it", file=sys.stderr)
    names = set(options.name or ())
    unknown = names - {payload.name for payload in payloads}
    if unknown:
        raise CorpusError(f"no payload is named {', '.join(sorted(unknown))}")
    return [payload for payload in payloads if not names or payload.name in names]


def _judged(
    payloads: Sequence[Payload], target: Callable[[], Any], jobs: int, *, is_verbose: bool = False
) -> list[tuple[Payload, Verdict]]:
    """Judge every payload, print what got through as it is found, and a summary."""
    print(f"{_counted(payload.corpus for payload in payloads)}; Python {sys.version.split()[0]}", flush=True)
    began = time.monotonic()
    results = []
    for payload, verdict in judge_all(payloads, target=target, jobs=jobs):
        results.append((payload, verdict))
        if verdict.problem:
            print(f"THROUGH {payload.category} {payload.corpus}: {payload.name}: {verdict.problem}", flush=True)
            print(f"        ended as {verdict.end}; source: {payload.source}", flush=True)
        elif is_verbose:
            print(f"stopped {payload.category} {payload.corpus}: {payload.name}: {verdict.end}", flush=True)
    through = sum(bool(verdict.problem) for _, verdict in results)
    print(f"{through} of {len(results)} got through, in {time.monotonic() - began:.0f} s", flush=True)
    print(f"ends: {_counted(verdict.end.partition(':')[0] for _, verdict in results)}", flush=True)
    return results


def _compare(payloads: Sequence[Payload], jobs: int) -> int:
    """Print, for each category, what gets through the usual set-up and what through the engine."""
    from tests.security.judge._naive import NaiveTarget

    through: dict[str, Counter[str]] = {}
    for name, target in (("naive", NaiveTarget), ("restricted", Target)):
        print(f"{len(payloads)} payloads against the {name} set-up ...", file=sys.stderr, flush=True)
        pairs = judge_all(payloads, target=target, jobs=jobs)
        through[name] = Counter(payload.category for payload, verdict in pairs if verdict.problem)
    total = Counter(payload.category for payload in payloads)
    print(f"What got through, Python {sys.version.split()[0]}. naive: safe_globals + safer_getattr + import allow-list")
    print(f"{'category':<10}{'payloads':>10}{'naive':>10}{'restricted':>12}")
    for category, count in sorted(total.items()):
        print(f"{category:<10}{count:>10}{through['naive'][category]:>10}{through['restricted'][category]:>12}")
    sums = [total.total(), through["naive"].total(), through["restricted"].total()]
    print(f"{'all':<10}{sums[0]:>10}{sums[1]:>10}{sums[2]:>12}")
    return 0


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())


if __name__ == "__main__":
    sys.exit(main())
