"""`Desktop`: a running ``plataforma desktop`` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["MODULES", "Desktop", "running"]

MODULES: Final = Path(__file__).parent / "modules"
START_S: Final = 120.0
"""The first start of all builds and compiles the guest."""
STOP_S: Final = 20.0


@attrs.define
class Desktop:
    """A running ``plataforma desktop``.

    Attributes:
        arguments: of the command; a bare word is a module of the directory ``modules`` beside this file.
        state: its directory; a second server in it knows the same cookies and decisions.
        port: where it listens, the same after a restart.
        url: with the token that opens it once.
        cookies: of the browser that used the token: whoever has them is the same person.
        lines: what it printed.
    """

    arguments: tuple[str, ...]
    state: Path
    port: int
    url: str = ""
    cookies: list[Any] = attrs.field(factory=list)
    lines: list[str] = attrs.field(factory=list)
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    @property
    def base(self) -> str:
        """The address without a token."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, and wait until it says that it serves and that all its modules were loaded."""
        command = [sys.executable, "-m", "plataforma_sdk.cli", "desktop", *self.arguments, "--json", "--no-open"]
        command += ["--state", str(self.state), "--port", str(self.port)]
        self._process = process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        watchdog = threading.Timer(START_S, process.kill)
        watchdog.start()
        try:
            self._read_until_loaded(process)
        finally:
            watchdog.cancel()
        self._reader = threading.Thread(target=self._read, args=[process])
        self._reader.start()

    def _read_until_loaded(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        waiting = sum(Path(argument, "module.toml").is_file() for argument in self.arguments) + 1
        for line in process.stdout:
            self.lines.append(line)
            said = json.loads(line) if line.startswith("{") else {}
            self.url = said.get("url", self.url)
            waiting -= said.get("event") in {"serving", "loaded", "failed"}
            if not waiting:
                return
        raise AssertionError("plataforma desktop did not start:\n" + "".join(self.lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            self.lines.extend(process.stdout)

    def stop(self) -> int:
        """End it as a service manager does, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("plataforma desktop does not end on SIGTERM:\n" + "".join(self.lines)) from None
        if self._reader is not None:
            self._reader.join(STOP_S)
        return code

    def restart(self) -> None:
        """End it, and start it anew on the same port with the same state."""
        self.stop()
        self.start()


@contextlib.contextmanager
def running(*arguments: str | Path, state: Path) -> Iterator[Desktop]:
    """Run a desktop; modules of our own are given by their names."""
    named = [
        str(MODULES / name) if (MODULES / str(name) / "module.toml").is_file() else str(name) for name in arguments
    ]
    desktop = Desktop(tuple(named), state, _free_port())
    try:
        desktop.start()
        yield desktop
    finally:
        desktop.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
