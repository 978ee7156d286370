"""Asking for permissions in a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from typing import Final, TextIO

from plataforma_sdk.permissions import CHOICES, PermissionAnswer, PermissionRequest, clean_text

__all__ = ["ConsolePrompt"]

MAX_TRIES: Final = 3
"""Answers that may be unreadable before it counts as a no."""

_SHORT: Final = {"o": "once", "s": "session", "a": "always", "n": "no", "": "no"}


class ConsolePrompt:
    """Asks at the terminal: once, session, always, no or never; a `PermissionPrompt`.

    Without a terminal, and at the end of input, the answer is no. Questions come one at a time, whoever asks; the loop
    goes on meanwhile, since a thread of its own does the reading. What was typed before a question was shown does not
    answer it: it is thrown away.

    >>> import io
    >>> asyncio.run(ConsolePrompt(io.StringIO("always"), io.StringIO()).ask(PermissionRequest(
    ...     subject="ana", module="vendas", permission="api.vendas", reason="", source=None, requested_at=0.0))).answer
    <Answer.DENY_ONCE: 'deny once'>
    """

    def __init__(self, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
        """Talk over two streams.

        Args:
            stdin: where answers come from; must be a terminal, or every answer is no. Default `sys.stdin`.
            stdout: where questions go. Default `sys.stdout`.
        """
        self._stdin = stdin
        self._stdout = stdout
        self._turn = asyncio.Lock()
        self._guard = threading.Lock()
        self._reader: threading.Thread | None = None
        self._wanted: asyncio.Future[str] | None = None

    async def ask(self, request: PermissionRequest) -> PermissionAnswer:
        """Put the question and wait for a readable answer."""
        async with self._turn:
            stdin = self._stdin or sys.stdin
            if stdin is None or stdin.closed or not stdin.isatty():
                return PermissionAnswer.DENY_ONCE
            _discard_typed(stdin)
            self._write(_question(request))
            for _ in range(MAX_TRIES):
                line = await self._read_line(stdin)
                if not line:
                    return PermissionAnswer.DENY_ONCE  # end of input
                word = line.strip().lower()
                answer = CHOICES.get(_SHORT.get(word, word))
                if answer is not None:
                    return answer
                self._write(f"Please answer with one of {', '.join(CHOICES)}: ")
            return PermissionAnswer.DENY_ONCE

    def _write(self, text: str) -> None:
        stdout = self._stdout or sys.stdout
        stdout.write(text)
        stdout.flush()

    async def _read_line(self, stdin: TextIO) -> str:
        """Wait for a line without holding the loop up.

        A thread that reads cannot be stopped. It is a daemon that reads one line and ends; where a question was given
        up, the next one takes it over, so that two never compete for a line, and the loop's own executor, which waits
        for its threads at exit, is left alone.
        """
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with self._guard:
            self._wanted = future
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, args=(stdin,), name="console-prompt", daemon=True)
                self._reader.start()
        return await future

    def _read(self, stdin: TextIO) -> None:
        try:
            line = stdin.readline()
        except (OSError, ValueError):
            line = ""  # closed meanwhile
        with self._guard:
            future, self._wanted, self._reader = self._wanted, None, None
        if future is not None and not future.get_loop().is_closed():
            future.get_loop().call_soon_threadsafe(_resolve, future, line)


def _resolve(future: asyncio.Future[str], line: str) -> None:
    if not future.done():
        future.set_result(line)


def _question(request: PermissionRequest) -> str:
    """Write what the platform says, and apart from it what the module says."""
    module = clean_text(request.module or "A module")
    source = f" (from {clean_text(request.source)})" if request.source else ""
    return (
        f"\n{module}{source} asks for the permission {request.permission}\n"
        f"  {request.quoted_reason}\n"
        "Allow? [o]nce, [s]ession, [a]lways, [n]o, never (no): "
    )


def _discard_typed(stdin: TextIO) -> None:
    """Throw away what was typed ahead, or a key held down would answer a question nobody has read."""
    try:
        import termios
    except ImportError:
        return  # not a POSIX system
    with contextlib.suppress(termios.error, OSError, ValueError):
        termios.tcflush(stdin.fileno(), termios.TCIFLUSH)
