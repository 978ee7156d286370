"""Clear refusals in place of obscure failures.

The boundary is WebAssembly: a module has no files, sockets, threads or environment to begin with. These refusals only
say so in the author's words, and name what to use instead.
"""

from __future__ import annotations

import asyncio
import builtins
import importlib.machinery
import io
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

__all__ = ["LogStream", "seal"]

_FILES: Final = "files are not available in a sandboxed module; use self.storage, or self.asset(path) for its own files"
_NETWORK: Final = "sockets are not available in a sandboxed module; use await self.api_call(path)"
_THREADS: Final = "threads are not available in a sandboxed module; use asyncio.create_task"
_PROCESSES: Final = "processes are not available in a sandboxed module; ask the host by await self.api_call(path)"
_SLEEP: Final = "time.sleep would stop the whole module; use await asyncio.sleep(seconds)"
_INPUT: Final = "there is no console in a sandboxed module; show a ui.text_input"
_EXIT: Final = "a sandboxed module does not exit; return instead"

# fmt: off
_FILE_FUNCTIONS: Final = (
    "open", "listdir", "scandir", "stat", "lstat", "remove", "unlink", "rename", "replace", "mkdir",
    "makedirs", "rmdir", "chdir", "getcwd", "getcwdb", "readlink", "link", "symlink", "access", "utime",
    "truncate", "walk", "chmod", "read", "write", "close", "dup", "fsync", "lseek", "ftruncate",
)
"""Under `os` and under `posix`, where it has them from. Not closing: `read` and `write` of a number would end the
instance, since there is not even a standard input."""

_TEMPFILE_FUNCTIONS: Final = (
    "NamedTemporaryFile", "TemporaryFile", "mkstemp", "mkdtemp", "gettempdir", "gettempdirb",
)

_SOCKET_FUNCTIONS: Final = (
    "getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "gethostname", "getnameinfo",
    "socketpair", "getprotobyname", "getservbyname", "create_connection", "create_server",
)

_LOOP_FUNCTIONS: Final = {
    "getaddrinfo": _NETWORK, "getnameinfo": _NETWORK, "create_connection": _NETWORK, "create_server": _NETWORK,
    "create_datagram_endpoint": _NETWORK, "subprocess_exec": _PROCESSES, "subprocess_shell": _PROCESSES,
    "connect_read_pipe": _FILES, "connect_write_pipe": _FILES,
}
# fmt: on

_MISSING: Final = {
    "ssl": _NETWORK,
    "_ssl": _NETWORK,
    "ftplib": _NETWORK,
    "imaplib": _NETWORK,
    "poplib": _NETWORK,
    "smtplib": _NETWORK,
    "xmlrpc": _NETWORK,
    "sqlite3": "the database is the host's; use await self.query(sql), or self.storage",
    "dbm": _FILES,
    "shelve": _FILES,
    "multiprocessing": _PROCESSES,
    "concurrent.futures.process": _PROCESSES,
    "concurrent.interpreters": _THREADS,
    "ctypes": "native code is not available in a sandboxed module; carry wheels of pure Python",
    "mmap": _FILES,
}
"""Modules of the standard library that the runner leaves out, and what to use instead."""


class LogStream(io.TextIOBase):
    """What `print` writes to: whole lines go to the host's log, a rest without a line end when the turn is over.

    Args:
        write_line: takes one line.
        unfinished: the streams that hold something without a line end; this one puts itself there.
    """

    def __init__(self, write_line: Callable[[str], None], unfinished: set[LogStream] | None = None) -> None:
        self._write_line = write_line
        self._unfinished = set() if unfinished is None else unfinished
        self._rest = ""

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that `text` completes."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write_line(line)
        if len(self._rest) > io.DEFAULT_BUFFER_SIZE:
            self.end_turn()
        elif self._rest:
            self._unfinished.add(self)
        return len(text)

    def end_turn(self) -> None:
        """Log what has no line end yet."""
        self._unfinished.discard(self)
        rest, self._rest = self._rest, ""
        if rest:
            self._write_line(rest)


class _Adviser:
    """Stands last among the finders: a module that is left out on purpose is missed with advice."""

    @staticmethod
    def find_spec(fullname: str, _path: object = None, _target: object = None) -> None:
        """Find nothing."""
        advice = _MISSING.get(fullname)
        if advice is not None:
            raise ModuleNotFoundError(f"No module named {fullname!r}: {advice}", name=fullname)


def _refuse(message: str, error: type[Exception]) -> Callable[..., NoReturn]:
    def refused(*_: Any, **__: Any) -> NoReturn:
        raise error(message)

    return refused


def seal(finders: Iterable[Any], stdout: LogStream, stderr: LogStream) -> None:
    """Close what a module cannot use anyway; runs once, when the runner is built."""
    sys.stdout, sys.stderr, sys.stdin = stdout, stderr, io.StringIO("")
    _seal_files()
    _seal_sockets()
    _seal_threads_and_time()
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, *finders, _Adviser]
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = True


def _seal_files() -> None:
    import _io
    import posix
    import tempfile

    no_files = _refuse(_FILES, PermissionError)
    builtins.open = io.open = _io.open = no_files
    builtins.input = sys.breakpointhook = _refuse(_INPUT, PermissionError)
    for module, names in ((os, _FILE_FUNCTIONS), (posix, _FILE_FUNCTIONS), (tempfile, _TEMPFILE_FUNCTIONS)):
        _replace(module, names, no_files)
    os._exit = os.abort = _refuse(_EXIT, RuntimeError)
    os.environ.clear()


def _replace(module: Any, names: Iterable[str], refused: Callable[..., NoReturn]) -> None:
    for name in names:
        if hasattr(module, name):
            setattr(module, name, refused)


def _seal_sockets() -> None:
    import _socket
    import socket

    no_network = _refuse(_NETWORK, PermissionError)
    socket.socket.__init__ = no_network  # type: ignore[method-assign]
    _replace(socket, _SOCKET_FUNCTIONS, no_network)
    # The C type cannot be changed, and making one ends the instance: there is no network to make it in.
    _replace(_socket, ("socket", "SocketType", *_SOCKET_FUNCTIONS), no_network)
    for name, message in _LOOP_FUNCTIONS.items():
        setattr(asyncio.BaseEventLoop, name, _refuse(message, PermissionError))


def _seal_threads_and_time() -> None:
    import _thread
    import subprocess
    import threading
    import uuid

    no_threads = _refuse(_THREADS, RuntimeError)
    threading.Thread.start = no_threads  # type: ignore[method-assign]
    _thread.start_new_thread = no_threads
    subprocess.Popen.__init__ = _refuse(_PROCESSES, PermissionError)  # type: ignore[method-assign]
    os.system = _refuse(_PROCESSES, PermissionError)
    time.sleep = _refuse(_SLEEP, RuntimeError)
    uuid._node = 0x020000000001  # type: ignore[attr-defined]  # noqa: SLF001 - else it reads the network interface
