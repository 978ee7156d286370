"""Read the half of the corpus that was written without sight of the rules: one text file a module."""

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from plataforma_sdk import ModulePackage

HERE = Path(__file__).parent
_PART = re.compile(r"^=== (?P<name>\S+)(?P<coded> \(base64\))?\n", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Case:
    """One module.

    Attributes:
        name: of its file, without the ending.
        is_malicious: whether it stands elsewhere than under ``benign/``.
        about: the lines before the first part: ``incident``, ``source`` and ``does``, or ``kind``.
        files: path in the package -> content.
    """

    name: str
    is_malicious: bool
    about: Mapping[str, str]
    files: Mapping[str, bytes]

    def package(self) -> ModulePackage:
        """Make a package of the files."""
        return ModulePackage.from_files(self.files, source=self.name)


def read_case(path: Path) -> Case:
    """Read one file: lines ``key: value``, then parts ``=== name`` of which one may be base64."""
    head, *parts = _PART.split(path.read_text(encoding="utf-8"))
    files = {
        name: base64.b64decode(text) if coded else text.encode()
        for name, coded, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }
    about = dict(line.split(": ", 1) for line in head.splitlines())
    return Case(name=path.stem, is_malicious=path.parent.name != "benign", about=about, files=files)


def read_cases(kind: str) -> Iterator[Case]:
    """Read the modules of one directory, ``"malicious"``, by name."""
    return (read_case(path) for path in sorted((HERE / kind).glob("*.txt")))
