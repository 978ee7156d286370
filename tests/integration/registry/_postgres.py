"""PostgreSQL on this machine: a cluster of its own, in a directory that goes with it, on a port of the loopback."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest

from ._servers import free_port

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")

NUMBERS = itertools.count()
PASSWORD = "uma senha: 50%/@"
"""It holds what has to be escaped in an address."""
ESCAPED = "uma%20senha%3A%2050%25%2F%40"
SETTINGS = "-c fsync=off -c shared_buffers=16MB -c max_connections=40"


@attrs.define
class Cluster:
    """A server that can be stopped and started.

    Attributes:
        directory: where it lies, owned by who runs it.
        port: of the loopback.
        bin: where PostgreSQL's programs are.
    """

    directory: Path
    port: int
    bin: Path

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -k '' {SETTINGS}"
        self._run("pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(self.directory / "log"), "-o", options)

    def stop(self, *, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def make(self) -> None:
        """Make what it keeps its data in."""
        (self.directory / "password").write_text(PASSWORD)
        self._run(
            *("initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256"),
            *("--pwfile", str(self.directory / "password"), "--no-sync"),
        )

    def new_database(self, *, encoding: str = "UTF8") -> str:
        """Make an empty database, and return its address."""
        name = f"case_{next(NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres:{ESCAPED}@127.0.0.1:{self.port}/{name}"

    @property
    def data(self) -> Path:
        """Where its files are."""
        return self.directory / "data"

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            [*_as_its_user(), str(self.bin / command[0]), *command[1:]],
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps it open
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        log = self.directory / "log"
        assert done.returncode == 0, (command, log.read_text() if log.exists() else "")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a server until the block ends; skips where there is none, or nobody who may run it."""
    found = _programs()
    if found is None:
        pytest.skip("needs PostgreSQL (initdb, pg_ctl), and as root the user postgres and runuser")
    with tempfile.TemporaryDirectory(prefix="plataforma-pg-") as directory:  # not below pytest's, which is root's alone
        if _as_its_user():
            shutil.chown(directory, "postgres")
        server = Cluster(Path(directory), free_port(), found)
        server.make()
        server.start()
        try:
            yield server
        finally:
            if (server.data / "postmaster.pid").exists():
                server.stop(mode="immediate")


def _programs() -> Path | None:
    """Return the directory of the newest PostgreSQL; Debian keeps it off the PATH."""
    places = [Path(path) for path in os.environ.get("PATH", "").split(os.pathsep)]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    here = next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)
    if here is not None and os.name == "posix" and os.geteuid() == 0:
        return here if shutil.which("runuser") and _has_user("postgres") else None
    return here


def _as_its_user() -> Sequence[str]:
    return ("runuser", "-u", "postgres", "--") if os.name == "posix" and os.geteuid() == 0 else ()


def _has_user(name: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
