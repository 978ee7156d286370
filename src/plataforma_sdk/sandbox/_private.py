"""Private directories for what is code once it is loaded: built runners, compiled artefacts, compiled modules.

Whoever can write there can run code in every host of this user, so a directory that is a link, that belongs to another
user, or that others may enter is refused rather than repaired. A shared temporary directory is never used.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plataforma_sdk.errors import SandboxError

__all__ = ["chosen_directory", "is_own", "locked", "private_directory", "prune", "write_aside"]

_NAME: Final = "plataforma-sdk"
_OTHERS: Final = 0o077
_ADVICE: Final = "set XDG_CACHE_HOME to a directory of your own"


def private_directory(*parts: str) -> Path:
    """Return ``$XDG_CACHE_HOME/plataforma-sdk/<parts>`` (else ``~/.cache/...``), made with mode 0700.

    Raises:
        SandboxError: the directory exists and is not safe to load code from, or cannot be made.
    """
    return _made(_user_base(), (_NAME, *parts), _ADVICE)


def chosen_directory(path: Path) -> Path:
    """Return a directory that a host chose itself, made with mode 0700 where it is missing; the same checks.

    Raises:
        SandboxError: it is not absolute, is not safe to load code from, or cannot be made.
    """
    if not path.is_absolute():
        raise SandboxError(f"The cache directory {path} is not absolute: name it from the root")
    return _made(path.parent, (path.name,), "choose another directory, of your own")


def _user_base() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured)
    try:
        return Path.home() / ".cache"
    except RuntimeError as error:  # a user without a home, as in many containers
        raise SandboxError(f"There is no cache directory ({error}): {_ADVICE}") from None


def _made(base: Path, parts: tuple[str, ...], advice: str) -> Path:
    directory = base
    try:
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_base(base, advice)
        for part in parts:
            directory = directory / part
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o700)
            _check(directory, advice)
    except OSError as error:
        raise SandboxError(f"The cache directory {directory} cannot be used ({error.strerror}): {advice}") from None
    return directory


def _check_base(base: Path, advice: str) -> None:
    if os.name == "posix" and stat.S_IMODE(base.stat().st_mode) & stat.S_IWOTH:
        raise SandboxError(
            f"{base} can be written by everybody; compiled code is never kept in a shared directory: {advice}"
        )


def _check(directory: Path, advice: str) -> None:
    if os.name != "posix":
        return
    status = directory.lstat()
    problem = None
    if not stat.S_ISDIR(status.st_mode):
        problem = "is a link, or no directory"
    elif status.st_uid != os.getuid():
        problem = "belongs to another user"
    elif stat.S_IMODE(status.st_mode) & _OTHERS:
        problem = f"has mode {stat.S_IMODE(status.st_mode):04o}, not 0700"
    if problem:
        raise SandboxError(f"The cache directory {directory} {problem}: remove it, or {advice}")


def is_own(status: os.stat_result) -> bool:
    """Whether a file is a regular one of this user's that nobody else may read or write."""
    if not stat.S_ISREG(status.st_mode):
        return False
    return os.name != "posix" or (status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & _OTHERS)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, so that processes that start at once do the work once.

    The lock goes with its process, also one that is killed. Where there is no `fcntl` the work may be done twice,
    which atomic renames make harmless.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with Path(directory, ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_aside(path: Path, data: bytes | bytearray) -> None:
    """Write a file so that no reader ever sees half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        aside.write_bytes(data)
        aside.chmod(0o600)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def prune(directory: Path, pattern: str, keep: int) -> list[Path]:
    """Return all but the `keep` entries used last, for the caller to remove."""
    entries = sorted(directory.glob(pattern), key=_last_use, reverse=True)
    return entries[keep:]


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process removed it meanwhile
        return 0.0
