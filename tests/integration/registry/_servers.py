"""Real stores on this machine: Debian's docker-registry, and moto's S3; each ends with its fixture."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

START_S = 20.0

CONFIG = """
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextlib.contextmanager
def serving(command: Sequence[str], url: str, log: Path) -> Iterator[None]:
    """Start a server, wait until it answers, and end it by its own id."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + START_S
            while not _answers(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, f"{command[0]} did not answer: {log.read_text()}"
                time.sleep(0.02)
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def docker_registry(directory: Path) -> Iterator[str]:
    """Serve a docker-registry with a configuration of its own; its host and port."""
    port = free_port()
    config = directory / "config.yml"
    config.write_text(CONFIG.format(root=directory / "data", port=port))
    with serving(["docker-registry", "serve", str(config)], f"http://127.0.0.1:{port}/v2/", directory / "log"):
        yield f"127.0.0.1:{port}"


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
