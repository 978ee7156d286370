"""A labelled corpus of packages: reads the text files beside it. Nothing in them is ever imported or run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from plataforma_sdk import ModulePackage

__all__ = ["Sample", "read_corpus"]

HERE = Path(__file__).parent
CHARACTER = re.compile(r"\{U\+([0-9A-F]{4,6})\}")
BYTES = re.compile(r"^hex: ([0-9a-f ]+)$")


@attrs.frozen(kw_only=True)
class Sample:
    """One labelled package.

    Attributes:
        name: as in the file.
        source: the incident that it is modelled on, or what it resembles.
        permissions: what its manifest declares.
        files: path -> content.
    """

    name: str
    source: str
    permissions: tuple[str, ...]
    files: Mapping[str, bytes]

    def package(self) -> ModulePackage:
        """Make the package; its source is only ever parsed."""
        files = dict(self.files)
        text = files.pop("module.py").decode()
        return ModulePackage.from_source(text, id=self.name, permissions=self.permissions, files=files)


def read_corpus(name: str) -> list[Sample]:
    """Read one file of the corpus, ``"malicious_first"``."""
    text = (HERE / f"{name}.txt").read_text("utf-8")
    return [_sample(part) for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def _sample(text: str) -> Sample:
    head, *parts = re.split(r"^--- ", text, flags=re.MULTILINE)
    name, *fields = head.strip().splitlines()
    known = dict(field.split(": ", 1) for field in fields)
    return Sample(
        name=name,
        source=known["source"],
        permissions=tuple(item.strip() for item in _split(known.get("permissions", ""))),
        files=dict(_file(part) for part in parts),
    )


def _split(text: str) -> list[str]:
    return [item for item in re.split(r",(?![^\[]*\])", text) if item.strip()]


def _file(part: str) -> tuple[str, bytes]:
    path, _, content = part.partition("\n")
    raw = BYTES.match(content.strip())
    if raw:
        return path.strip(), bytes.fromhex(raw[1])
    return path.strip(), CHARACTER.sub(lambda found: chr(int(found[1], 16)), content).encode()
