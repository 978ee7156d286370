"""Corpora: lists of attacks, each with its source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["SHARED", "CorpusError", "Payload", "default_corpora", "own_corpora", "read_corpus", "shared_corpus"]

SHARED: Final = "escapes.json"
_OWN: Final = Path(__file__).parents[1] / "corpus"
_REQUIRED: Final = ("name", "cat", "code")
_NO_SOURCE: Final = "(no source given)"


class CorpusError(Exception):
    """A corpus that cannot be read; the message names the file, the place and what is wrong."""


@attrs.frozen
class Payload:
    """One attack.

    Attributes:
        name: unique in its corpus.
        category: ``"leak"`` or ``"host"`` (it must not reach or change the host), ``"dos"`` (it must end typed, soon).
        source: where it is from.
        code: the module.
        corpus: name of its file.
    """

    name: str
    category: str
    source: str
    code: str
    corpus: str = ""


def read_corpus(path: Path) -> list[Payload]:
    """Read a corpus: a JSON list of ``{"name", "cat", "ref", "code"}``; further keys are ignored, "ref" may lack.

    The code is a text, or a list of parts: a text, or ``[text, times]``, which is written so often. In it ``{n}`` and
    ``{n+1}`` are the number of the turn, and ``{indent}`` is a space for each turn before.

    Raises:
        CorpusError: the file cannot be read, is not such a list, or holds nothing.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror or error}; give the path of a corpus file") from None
    except ValueError as error:  # not JSON, or not UTF-8
        raise CorpusError(f"{path}: not a JSON text: {error}") from None
    if not isinstance(rows, list) or not rows:
        raise CorpusError(f"{path}: expected a JSON list of payloads, each with 'name', 'cat', 'ref' and 'code'")
    return [_payload(row, f"{path}, payload {number}", path.name) for number, row in enumerate(rows, 1)]


def _payload(row: Any, where: str, corpus: str) -> Payload:
    if not isinstance(row, Mapping):
        raise CorpusError(f"{where}: expected an object with 'name', 'cat', 'ref' and 'code', not {row!r:.60}")
    missing = [key for key in _REQUIRED if key not in row]
    if missing:
        raise CorpusError(f"{where} ({row.get('name', 'no name')!s:.60}): no {', '.join(map(repr, missing))}")
    code = _code(row["code"])
    texts = {"name": row["name"], "cat": row["cat"], "ref": row.get("ref") or _NO_SOURCE, "code": code}
    wrong = [key for key, value in texts.items() if not isinstance(value, str)]
    if wrong:
        raise CorpusError(f"{where} ({row['name']!s:.60}): {', '.join(map(repr, wrong))} must be a text")
    return Payload(row["name"], row["cat"], texts["ref"], code or "", corpus)


def _code(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    written: list[str] = []
    for part in value:
        match part:
            case str():
                written.append(part)
            case [str() as text, int() as times]:
                written += [_numbered(text, turn) for turn in range(times)]
            case _:
                return None
    return "".join(written)


def _numbered(text: str, turn: int) -> str:
    return text.replace("{n}", str(turn)).replace("{n+1}", str(turn + 1)).replace("{indent}", " " * turn)


def own_corpora() -> dict[str, list[Payload]]:
    """Read every corpus of this repository: name of the file -> its payloads."""
    return {path.name: read_corpus(path) for path in sorted(_OWN.glob("*.json"))}


def shared_corpus() -> list[Payload]:
    """Read the large corpus, which is not part of the repository but mounted beside it; empty where it is absent."""
    root = Path(os.environ.get("PLATAFORMA_SHARED", Path(__file__).parents[3].parent / "shared"))
    path = root / "lab" / "restricted" / SHARED
    return read_corpus(path) if path.is_file() else []


def default_corpora() -> list[Payload]:
    """Every payload there is: the shared corpus where it is present, and the repository's own."""
    return [*shared_corpus(), *(payload for payloads in own_corpora().values() for payload in payloads)]
