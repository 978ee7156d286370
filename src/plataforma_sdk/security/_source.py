"""The Python files of a package, parsed once for all scanners, and never run."""

from __future__ import annotations

import ast
import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import Final

import attrs

from plataforma_sdk.package import ModulePackage

__all__ = ["MAX_SOURCE_BYTES", "Source", "read_sources"]

MAX_SOURCE_BYTES: Final = 2**19
"""Of one file inside a wheel; a package's own are held to the same by `ModulePackage`."""
_MAX_WHEEL_FILES: Final = 2_000
_MAX_WHEEL_BYTES: Final = 32 * 2**20
"""Of what is unpacked out of one wheel: a bomb is cut off, and said to be one."""


@attrs.frozen(kw_only=True, eq=False)
class Source:
    """One Python file.

    Attributes:
        path: inside the package; inside a wheel ``"wheels/x.whl/x/__init__.py"``.
        text: its content.
        tree: the parsed file, or None.
        problem: why there is no tree, or empty.
        line: where the parser stopped, or None.
    """

    path: str
    text: str
    tree: ast.Module | None = None
    problem: str = ""
    line: int | None = None

    @classmethod
    def parse(cls, path: str, text: str) -> Source:
        """Parse a text; whatever a parser can raise becomes `problem`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return cls(path=path, text=text, tree=ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = getattr(error, "msg", None) or str(error) or type(error).__name__
            return cls(path=path, text=text, problem=problem, line=getattr(error, "lineno", None))

    @classmethod
    def unread(cls, path: str, problem: str) -> Source:
        """Stand for a file that could not be read at all."""
        return cls(path=path, text="", problem=problem)


def read_sources(package: ModulePackage) -> tuple[Source, ...]:
    """Read the package's own files, then those of the wheels that it carries."""
    own = [Source.parse(path, text) for path, text in package.sources.items()]
    inside = [source for path in sorted(package.manifest.wheels) for source in _of_wheel(path, package.files[path])]
    return (*own, *inside)


def _of_wheel(path: str, content: bytes) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from _members(path, archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        yield Source.unread(path, f"it cannot be unpacked: {error}"[:300])


def _members(path: str, archive: zipfile.ZipFile) -> Iterator[Source]:
    members = archive.infolist()
    if len(members) > _MAX_WHEEL_FILES or sum(member.file_size for member in members) > _MAX_WHEEL_BYTES:
        yield Source.unread(path, f"it unpacks to more than {_MAX_WHEEL_FILES} files or {_MAX_WHEEL_BYTES:,} bytes")
        return
    for member in members:
        if member.filename.endswith((".py", ".pth")):
            yield _member(f"{path}/{member.filename}", archive, member)


def _member(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Source:
    with archive.open(member) as file:
        raw = file.read(MAX_SOURCE_BYTES + 1)  # a member's stated size is its author's word
    if len(raw) > MAX_SOURCE_BYTES:
        return Source.unread(path, f"it is larger than {MAX_SOURCE_BYTES:,} bytes")
    try:
        return Source.parse(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Source.unread(path, "it is not UTF-8")
