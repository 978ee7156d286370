"""Run every bench of this directory, or those named: ``python -m tests.bench events``.

A number behind a name is the bench's argument: ``python -m tests.bench wasm-memory 1000``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Print each bench under its heading; a name that does not exist lists those that do."""
    names = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    chosen: list[tuple[str, list[int]]] = []
    for argument in sys.argv[1:] or names:
        if argument.isdigit() and chosen:
            chosen[-1][1].append(int(argument))
        else:
            chosen.append((argument.replace("-", "_"), []))
    unknown = {name for name, _ in chosen} - set(names)
    if unknown:
        print(f"No bench {', '.join(sorted(unknown))}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    sys.path[:0] = [str(HERE)]
    for name, numbers in chosen:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"bench_{name}").main(*numbers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
