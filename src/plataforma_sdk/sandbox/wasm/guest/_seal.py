"""Clear refusals in place of obscure failures.

The boundary is WebAssembly: a module has no files, sockets, threads or environment to begin with. These refusals only
say so in the author's words, and name what to use instead.
"""

from __future__ import annotations

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
    "truncate", "walk", "chmod",
)

_SOCKET_FUNCTIONS: Final = (
    "getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "gethostname", "getnameinfo",
    "socketpair", "getprotobyname", "getservbyname", "create_connection", "create_server",
)
# fmt: on


class LogStream(io.TextIOBase):
    """What `print` writes to: whole lines go to the host's log, a rest without a line end when the turn is over.

    Args:
        write_line: takes one line.

    Attributes:
        rest: what has no line end yet.
    """

    def __init__(self, write_line: Callable[[str], None]) -> None:
        self._write_line = write_line
        self.rest = ""

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that `text` completes."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self._write_line(line)
        if len(self.rest) > io.DEFAULT_BUFFER_SIZE:
            self.end_turn()
        return len(text)

    def end_turn(self) -> None:
        """Log what has no line end yet."""
        rest, self.rest = self.rest, ""
        if rest:
            self._write_line(rest)


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
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, *finders]
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = True


def _seal_files() -> None:
    no_files = _refuse(_FILES, PermissionError)
    builtins.open = io.open = no_files
    builtins.input = _refuse(_INPUT, PermissionError)
    for name in _FILE_FUNCTIONS:
        if hasattr(os, name):
            setattr(os, name, no_files)
    os._exit = os.abort = _refuse(_EXIT, RuntimeError)
    os.environ.clear()


def _seal_sockets() -> None:
    import socket

    no_network = _refuse(_NETWORK, PermissionError)
    socket.socket.__init__ = no_network  # type: ignore[method-assign]
    for name in _SOCKET_FUNCTIONS:
        if hasattr(socket, name):
            setattr(socket, name, no_network)


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
