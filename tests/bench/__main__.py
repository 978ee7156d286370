"""Run every bench of this directory, or those named: ``python -m tests.bench events``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Print each bench under its heading; a name that does not exist lists those that do."""
    names = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    chosen = sys.argv[1:] or names
    unknown = set(chosen) - set(names)
    if unknown:
        print(f"No bench {', '.join(sorted(unknown))}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    sys.path[:0] = [str(HERE)]
    for name in chosen:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"bench_{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
