"""Where the sample data is, if it is here."""

import os
from pathlib import Path

__all__ = ["CHINOOK"]

_SHARED = Path(os.environ.get("PLATAFORMA_SHARED", Path(__file__).parents[3].parent / "shared"))
_FILE = _SHARED / "data" / "chinook" / "chinook.sqlite"

CHINOOK: Path | None = _FILE if _FILE.is_file() else None
"""The sales of Chinook; None lets the example make up its own."""
