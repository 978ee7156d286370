"""What a worker holds and what the kernel allows it, seen from inside by a probe in place of its event loop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk.sandbox.restricted.process._spawn import spawn
from plataforma_sdk.workers import SPARE_DESCRIPTORS

SEES_US = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own account of a process is Linux's")

PROBE = """
import json, os, resource, sys
from plataforma_sdk.sandbox.restricted.process._link import Link
from plataforma_sdk.workers import bound_cpu, bound_memory, take_socket
from plataforma_sdk.sandbox.restricted.process._worker import prepare

def kind(number):
    try:
        return os.readlink(f"/proc/self/fd/{number}").partition(":")[0]
    except OSError:
        return None

def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"

link = Link(take_socket(descriptor))
environ_at_start = dict(os.environ)
prepare(host)
bound_memory(64 << 20)
bound_cpu(7)
names = ("AS", "CORE", "CPU", "FSIZE", "NOFILE", "NPROC")
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
found = {
    "descriptors": {str(n): kind(n) for n in range(256) if kind(n) is not None},
    "environ": dict(os.environ),
    "environ_at_start": environ_at_start,
    "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names},
    "cwd": os.getcwd(),
    "session": os.getsid(0) == os.getpid(),
    "umask": os.umask(0),
    "no_new_privs": status["NoNewPrivs"].strip(),
    "path": sys.path,
    "isolated": [sys.flags.isolated, sys.flags.no_site],
    "write": attempt(lambda: os.write(os.open("/tmp/plataforma-probe-%d" % os.getpid(), os.O_CREAT | os.O_RDWR), b"x")),
    "remove": attempt(lambda: os.unlink("/tmp/plataforma-probe-%d" % os.getpid())),
    "many": attempt(lambda: [os.open("/", os.O_RDONLY) for _ in range(100)]),
}
link.send(json.dumps(found).encode())
"""


def read_frame(sock: socket.socket) -> bytes:
    sock.settimeout(15)
    data = b""
    while len(data) < 4 or len(data) - 4 < int.from_bytes(data[:4], "little"):
        received = sock.recv(1 << 16)
        assert received, "the probe ended without a word"
        data += received
    return data[4:]


@pytest.fixture(scope="module")
def seen(bytecode: None) -> dict[str, Any]:
    """What the probe saw; the host holds files, a secret and a working directory of its own meanwhile."""
    with pytest.MonkeyPatch.context() as patch, Path(__file__).open("rb") as file, socket.socket() as secret:
        os.set_inheritable(file.fileno(), True)
        os.set_inheritable(secret.fileno(), True)
        patch.setenv("SECRET_TOKEN", "x")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        worker = spawn(PROBE)
        try:
            return json.loads(read_frame(worker.socket))
        finally:
            worker.discard()


@ONLY_LINUX
def test_no_descriptor_of_the_host_is_inherited(seen: dict[str, Any]) -> None:
    """Source: CWE-403; what is inheritable in the host is not inherited either."""
    found = seen["descriptors"]
    assert [found.pop(number) for number in "012"] == ["/dev/null"] * 3
    own = [number for number, place in found.items() if place.startswith("/proc/") and place.endswith("/statm")]
    assert len([found.pop(number) for number in own]) == 1  # how the worker sees its own memory
    assert sorted(found.values()) == ["anon_inode", "socket", "socket", "socket"]  # the wire, and the event loop's


@ONLY_LINUX
def test_the_environment_is_empty(seen: dict[str, Any]) -> None:
    """`LC_CTYPE` is what an interpreter sets for itself where there is no locale. Source: PEP 538."""
    assert seen["environ"] == {}
    assert set(seen["environ_at_start"]) <= {"LC_CTYPE", "LD_LIBRARY_PATH"}


@ONLY_LINUX
def test_the_interpreter_is_isolated(seen: dict[str, Any]) -> None:
    assert (seen["isolated"], seen["cwd"], seen["session"], seen["umask"]) == ([1, 1], "/", True, 0o777)
    assert str(Path(__file__).parent) not in seen["path"]
    assert "" not in seen["path"]
    assert seen["no_new_privs"] == "1"


@ONLY_LINUX
def test_the_kernels_limits_are_set(seen: dict[str, Any]) -> None:
    limits = {name: tuple(pair) for name, pair in seen["limits"].items()}
    assert {name: limits[name] for name in ("CORE", "FSIZE", "NPROC")} == dict.fromkeys(
        ("CORE", "FSIZE", "NPROC"), (0, 0)
    )
    assert limits["NOFILE"] == (8 + SPARE_DESCRIPTORS,) * 2
    soft, hard = limits["AS"]
    assert soft == hard
    assert 64 << 20 < soft < 1 << 30
    assert 7 <= limits["CPU"][0] <= 20


@ONLY_LINUX
def test_nothing_can_be_written_and_few_files_opened(seen: dict[str, Any]) -> None:
    assert (seen["write"], seen["remove"], seen["many"]) == ("OSError", "done", "OSError")


@pytest.mark.skipif(os.geteuid() == 0, reason="root is exempt from RLIMIT_NPROC, as the guide says")
def test_no_process_can_be_made(bytecode: None) -> None:
    probe = "\n".join(
        [
            "from plataforma_sdk.workers import confine, forbid_processes, take_socket",
            "import os; wire = take_socket(descriptor); confine(host); forbid_processes()",
            "try: answer = b'made' if os.fork() else b''",
            "except OSError as error: answer = b'refused'",
            "wire.sendall(len(answer).to_bytes(4, 'little') + answer)",
        ]
    )
    worker = spawn(probe)
    try:
        assert read_frame(worker.socket) == b"refused"
    finally:
        worker.discard()


HOST = """
import sys, time
from plataforma_sdk.sandbox.restricted.process._spawn import spawn
worker = spawn("import time\\nfrom plataforma_sdk.workers import confine\\nconfine(host)\\n"
               "import socket; socket.socket(fileno=descriptor).send(b'x'); time.sleep(60)")
worker.socket.settimeout(15)
worker.socket.recv(1)
print(worker.pid, flush=True)
time.sleep(60)
"""


@ONLY_LINUX
def test_a_worker_that_is_stuck_dies_with_its_host(bytecode: None) -> None:
    """It reads nothing while it is stuck, so it would not see the end of its socket. Source: prctl(2)."""
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, env=SEES_US)
    assert host.stdout is not None
    with host.stdout:
        pid = int(host.stdout.readline())
        host.send_signal(signal.SIGKILL)
        host.wait(10)
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(1_000):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the worker outlived its host")
