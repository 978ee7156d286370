"""The audit on disk: one JSON object a line, for denials, prompts and changes of permissions."""

from __future__ import annotations

import datetime
import json
import os
import threading
from pathlib import Path
from typing import Final, Self

import attrs

from plataforma_sdk.errors import PlataformaError
from plataforma_sdk.permissions import AuditRecord

__all__ = ["AuditLog"]

WINDOW_S: Final = 60.0
"""How long a repeated denial is counted instead of written."""

MAX_LINES_PER_WINDOW: Final = 100
"""Lines that one module may cause in one window by what it asks for."""

_BY_MODULE: Final = frozenset({"check", "request", "prompt"})
"""Actions that a module causes by itself, as often as it likes."""

_REPEATABLE: Final = frozenset({"check", "request"})


@attrs.define(eq=False)
class _Window:
    """What one module did since `start`.

    Attributes:
        start: when its first record came.
        last: its latest record.
        lines: lines written.
        repeats: (action, permission, detail) -> how many more of the same there were.
        dropped: records beyond the module's lines.
    """

    start: float
    last: AuditRecord
    lines: int = 0
    repeats: dict[tuple[str, str, str], int] = attrs.field(factory=dict)
    dropped: int = 0


class AuditLog:
    """Appends records to a file that only its owner may read; pass it as ``audit=`` to a `PermissionManager`.

    A module cannot fill the disk by asking in a loop. Within a minute the first refusal of a permission is written and
    the rest are counted; the count follows as one line with ``"repeated"`` when the minute is over. One module writes
    at most 100 lines a minute, and what goes beyond is one line with ``"dropped"``. The file is renamed to ``.1`` when
    it is full, and the oldest of them is deleted. Changes made by the host are always written.

    Lines hold ``at`` (ISO 8601, UTC), ``subject``, ``module``, ``action``, ``permission``, ``outcome``, ``detail``;
    everything outside ASCII is escaped. Every line is handed to the operating system before the call returns. Safe to
    call from any thread.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, AuditLog(Path(folder) / "audit.jsonl") as log:
    ...     log(AuditRecord(at=0.0, subject="ana", module="m", action="grant", permission="a.b", outcome="allowed"))
    ...     print(log.path.read_text().split(",")[0])
    {"at": "1970-01-01T00:00:00.000+00:00"
    """

    def __init__(self, path: Path, *, max_bytes: int = 4 * 1024 * 1024, kept_files: int = 4) -> None:
        """Open, or create, the file.

        Args:
            path: the file; a missing directory is made, readable by its owner only.
            max_bytes: size at which the file is renamed and a new one begun.
            kept_files: how many renamed files are kept.
        """
        self.path = Path(path)
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._lock = threading.Lock()
        self._windows: dict[str | None, _Window] = {}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._size = 0
        self._file: int | None = self._open()

    def __call__(self, record: AuditRecord) -> None:
        """Write a record, or count it."""
        with self._lock:
            self._end_windows(record.at)
            if record.action not in _BY_MODULE or self._admit(record):
                self._write(record)

    def close(self) -> None:
        """Write what was only counted, and close the file; a second call does nothing."""
        with self._lock:
            if self._file is not None:
                self._end_windows(None)
                os.close(self._file)
                self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _admit(self, record: AuditRecord) -> bool:
        """Tell whether a module's record gets a line of its own."""
        window = self._windows.setdefault(record.module, _Window(record.at, record))
        key = (record.action, record.permission, record.detail)
        window.last = record
        if record.action in _REPEATABLE and key in window.repeats:
            window.repeats[key] += 1
            return False
        if window.lines >= MAX_LINES_PER_WINDOW:
            window.dropped += 1
            return False
        window.lines += 1
        if record.action in _REPEATABLE:
            window.repeats[key] = 0
        return True

    def _end_windows(self, now: float | None) -> None:
        """Sum up the windows that are over, all of them for None; a clock set back ends them too."""
        for module, window in list(self._windows.items()):
            if now is not None and 0 <= now - window.start < WINDOW_S:
                continue
            del self._windows[module]
            for (action, permission, detail), count in window.repeats.items():
                if count:
                    self._write(
                        attrs.evolve(
                            window.last, action=action, permission=permission, detail=detail, outcome="denied"
                        ),
                        repeated=count,
                    )
            if window.dropped:
                last = attrs.evolve(window.last, action="dropped", permission="", outcome="", detail="too many records")
                self._write(last, dropped=window.dropped)

    def _write(self, record: AuditRecord, **counts: int) -> None:
        if self._file is None:
            raise ValueError(f"the audit log {self.path} is closed")
        at = datetime.datetime.fromtimestamp(record.at, datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps(attrs.asdict(record) | {"at": at} | counts).encode() + b"\n"
        if self._size and self._size + len(line) > self._max_bytes:
            self._file = self._rotate(self._file)
        self._size += os.write(self._file, line)

    def _rotate(self, full: int) -> int:
        """Rename ``audit.jsonl`` to ``.1``, ``.1`` to ``.2`` and so on; the last one is overwritten."""
        self._file = None  # closed, should the new file not open
        os.close(full)
        names = [self.path, *(Path(f"{self.path}.{number}") for number in range(1, self._kept_files + 1))]
        for older, newer in reversed(list(zip(names[1:], names[:-1], strict=True))):
            if newer.exists():
                newer.replace(older)
        if not self._kept_files:
            self.path.unlink()
        return self._open()

    def _open(self) -> int:
        """Open for appending, refusing a link; end a line that a crash has cut."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            file = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise PlataformaError(f"The audit log {str(self.path)!r} cannot be opened: {error.strerror}") from error
        if hasattr(os, "fchmod"):
            os.fchmod(file, 0o600)
        self._size = os.lseek(file, 0, os.SEEK_END)
        if self._size:
            os.lseek(file, -1, os.SEEK_END)
            if os.read(file, 1) != b"\n":
                self._size += os.write(file, b"\n")
        return file
