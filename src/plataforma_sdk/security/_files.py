"""What the files of a package are, by their first bytes and not by their names.

**Source:** the magic numbers of ELF, PE, Mach-O, ZIP and the picture formats; Fickling, for pickles.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Final

from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel

__all__ = ["file_issues"]

_PROGRAMS: Final = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
)
_PROGRAM_NAMES: Final = (
    *(".exe", ".dll", ".so", ".dylib", ".scr", ".bat", ".cmd", ".ps1", ".vbs", ".lnk", ".msi", ".com", ".hta", ".jar"),
    *(".pyd", ".sh", ".command", ".desktop", ".service", ".plist", ".pth", ".node", ".app", ".deb", ".rpm", ".apk"),
)
_MAGIC: Final = {
    ".png": (b"\x89PNG",),
    ".jpg": (b"\xff\xd8",),
    ".jpeg": (b"\xff\xd8",),
    ".gif": (b"GIF8",),
    ".webp": (b"RIFF",),
    ".pdf": (b"%PDF",),
    ".woff2": (b"wOF2",),
}
_PICKLES: Final = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".sav")
_SCRIPT: Final = re.compile(rb"<script|\bon(?:load|error|click)\s*=|javascript:|<foreignObject|<!ENTITY", re.IGNORECASE)
_RUNNING: Final = re.compile(
    r"^(?:os|posix|nt|subprocess|builtins|__builtin__|sys|runpy|socket|pty|shutil|importlib|operator)\b"
)
_OLD_PICKLE: Final = re.compile(rb"[(\]}dlN.0-9IFSVUpqgt'\"\n]{0,8}[ci][a-z_.]+\n\w+\n")
"""Protocol 0 has no first bytes of its own: a global's name comes on the first lines."""
_PHISHING: Final = re.compile(rb"<form\b[^>]{0,400}\baction\s*=\s*['\"]?https?:", re.IGNORECASE)
_PASSWORD: Final = re.compile(rb"type\s*=\s*['\"]?password", re.IGNORECASE)
_STARTERS: Final = ("sitecustomize.py", "usercustomize.py")
_SCRIPT_TEXT: Final = re.compile(
    rb"(?:curl|wget)\b[^\n|]{0,400}\|\s*(?:ba|z)?sh\b|exec\s*\(\s*(?:base64|zlib|__import__)|\biex\b"
)
_MAX_NESTED: Final = 2_000
_MAX_READ_BYTES: Final = 2**22


def file_issues(package: ModulePackage, check_time: Callable[[], None]) -> Iterator[Issue]:
    """Find programs, disguises and scripts among the files of a package."""
    for path, content in package.files.items():
        check_time()
        if not path.endswith((".py", ".toml", ".wasm")):
            yield from _of_file(path, content)
        elif path.rpartition("/")[2] in _STARTERS:
            yield Issue.of("program-in-package", path, None, "Python runs a file of this name whenever it starts")


def _of_file(path: str, content: bytes) -> Iterator[Issue]:
    suffix = f".{path.rpartition('.')[2].lower()}"
    if content.startswith(_PROGRAMS):
        disguised = suffix not in _PROGRAM_NAMES
        rule = "disguised-file" if disguised else "program-in-package"
        yield Issue.of(rule, path, None, "its first bytes are those of a program", risk=RiskLevel.HIGH)
    elif suffix in _PROGRAM_NAMES or content.startswith(b"#!"):
        yield Issue.of("program-in-package", path, None, "it is a program or a script of the system")
    elif suffix in _MAGIC and not content.startswith(_MAGIC[suffix]):
        yield Issue.of("disguised-file", path, None, f"it is no {suffix[1:]}")
    elif _PHISHING.search(content[:_MAX_READ_BYTES]) and _PASSWORD.search(content[:_MAX_READ_BYTES]):
        yield Issue.of("active-asset", path, None, "it asks for a password and sends it away", risk=RiskLevel.HIGH)
    elif suffix in (".svg", ".html", ".htm", ".xhtml", ".xml") and _SCRIPT.search(content[:_MAX_READ_BYTES]):
        yield Issue.of("active-asset", path, None, "it holds a script, or what a viewer would run")
    elif _SCRIPT_TEXT.search(content[:_MAX_READ_BYTES]):
        yield Issue.of("program-in-package", path, None, "it holds commands that fetch or decode and run")
    if (
        suffix in _PICKLES
        or _OLD_PICKLE.match(content)
        or content.startswith((b"\x80\x04\x95", b"\x80\x05\x95", b"\x80\x03", b"\x80\x02"))
    ):
        yield from _of_pickle(path, content)
    if suffix != ".whl" and content.startswith(b"PK\x03\x04"):
        yield from _of_zip(path, content)


def _of_pickle(path: str, content: bytes) -> Iterator[Issue]:
    """Read a pickle's operations; nothing of it is loaded."""
    texts: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(io.BytesIO(content[:_MAX_READ_BYTES])):
            if isinstance(argument, str):
                texts = [*texts[-1:], argument]
            name = argument if operation.name in ("GLOBAL", "INST") else ".".join(texts)
            if operation.name in ("GLOBAL", "INST", "STACK_GLOBAL") and _RUNNING.match(str(name)):
                message = f"this pickle calls {str(name)[:60]!r} when it is read"
                yield Issue.of("disguised-file", path, None, message, risk=RiskLevel.CRITICAL)
                return
    except (ValueError, UnicodeDecodeError, IndexError, OverflowError, MemoryError):
        return  # cut off: what came before has been read


def _of_zip(path: str, content: bytes) -> Iterator[Issue]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        yield Issue.of("unreadable", path, None, "it begins as a zip and is none")
        return
    if any(member.flag_bits & 1 for member in members):
        yield Issue.of("unreadable", path, None, "it is an encrypted zip")
    elif len(members) > _MAX_NESTED or sum(member.file_size for member in members) > 1000 * max(len(content), 1):
        yield Issue.of("unreadable", path, None, "it is a zip that unpacks to far more than it is")
    for member in members[:_MAX_NESTED]:
        if member.filename.lower().endswith(_PROGRAM_NAMES):
            yield Issue.of("program-in-package", path, None, f"it holds the program {member.filename[:80]!r}")
            return
