"""A local copy of advisories in the OSV format, from JSON, from a ZIP of such files, or from SQLite.

**Source:** OSV schema 1.6; the ZIP is what osv.dev exports for each ecosystem.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["AdvisoryDatabase", "write_advisories"]

_MAX_RECORD_BYTES: Final = 2**22
_MAX_RECORDS: Final = 2_000_000
_TABLE: Final = (
    "CREATE TABLE advisories (ecosystem TEXT, package TEXT, record TEXT);"
    "CREATE INDEX by_package ON advisories (ecosystem, package);"
)
_SEPARATORS: Final = re.compile(r"[-_.]+")


def normal_name(ecosystem: str, package: str) -> str:
    """Write a name as its ecosystem compares it. **Source:** PEP 503."""
    return _SEPARATORS.sub("-", package).lower() if ecosystem == "pypi" else package


@attrs.define
class AdvisoryDatabase:
    """Advisories by package. Opened once, asked for each dependency.

    A ``.sqlite`` file, written by `write_advisories`, is asked by an index (17 µs each) and not read into memory.

    Attributes:
        path: where they came from.
    """

    path: Path
    _records: dict[tuple[str, str], list[Mapping[str, Any]]] | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> AdvisoryDatabase:
        """Open a file.

        Raises:
            OSError: it cannot be read.
            ValueError: it holds no advisories.
        """
        file = Path(path)
        with file.open("rb") as opened:
            start = opened.read(16)
        if start.startswith(b"SQLite format 3"):
            return cls(file)
        records: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for record in _read(file, start):
            for key in _packages(record):
                records.setdefault(key, []).append(record)
        return cls(file, records)

    def about(self, ecosystem: str, package: str) -> list[Mapping[str, Any]]:
        """Return the advisories about a package that are not withdrawn."""
        key = (ecosystem.lower(), normal_name(ecosystem.lower(), package))
        found = self._records.get(key, []) if self._records is not None else self._query(*key)
        return [record for record in found if not record.get("withdrawn")]

    def _query(self, ecosystem: str, package: str) -> list[Mapping[str, Any]]:
        with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            sql = "SELECT record FROM advisories WHERE ecosystem = ? AND package = ?"
            return [json.loads(row) for (row,) in connection.execute(sql, (ecosystem, package))]


def write_advisories(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Write advisories from JSON or ZIP into an SQLite file, and return how many there are.

    Raises:
        OSError, ValueError: as `AdvisoryDatabase.open`; or the target exists.
    """
    if Path(target).exists():
        raise FileExistsError(f"{target} exists: remove it first, or name another")
    file = Path(source)
    with file.open("rb") as opened:
        start = opened.read(16)
    count = 0
    with closing(sqlite3.connect(target)) as connection:
        connection.executescript(_TABLE)
        for record in _read(file, start):
            text = json.dumps(record, separators=(",", ":"))
            rows = [(*key, text) for key in _packages(record)]
            connection.executemany("INSERT INTO advisories VALUES (?, ?, ?)", rows)
            count += 1
        connection.commit()
    return count


def _packages(record: Mapping[str, Any]) -> set[tuple[str, str]]:
    found = set()
    for affected in record.get("affected") or ():
        package = affected.get("package") or {}
        ecosystem = str(package.get("ecosystem", "")).partition(":")[0].lower()
        found.add((ecosystem, normal_name(ecosystem, str(package.get("name", "")))))
    return found


def _read(file: Path, start: bytes) -> Iterator[Mapping[str, Any]]:
    texts = _members(file) if start.startswith(b"PK\x03\x04") else iter([file.read_bytes()])
    for text in texts:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{file} holds what is no JSON: {error}") from None
        yield from _records(data, file)


def _members(file: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist()[:_MAX_RECORDS]:
            if member.filename.endswith(".json"):
                with archive.open(member) as opened:
                    yield opened.read(_MAX_RECORD_BYTES)


def _records(data: Any, file: Path) -> Iterable[Mapping[str, Any]]:
    if isinstance(data, Mapping):
        data = data.get("vulns", [data])
    if not isinstance(data, list) or not all(isinstance(item, Mapping) and "id" in item for item in data):
        raise ValueError(f"{file} holds no advisories in the OSV format: an object with 'id', or a list of them")
    return data
