"""The host's side of the sales example: an API over a SQLite file, and data to try it with."""

from ._app import make_app, missing_tables
from ._synthetic import write_synthetic

__all__ = ["make_app", "missing_tables", "write_synthetic"]
