"""A text is compiled once: for every thread, and for every process of the user."""

from __future__ import annotations

import logging
import os
import subprocess
import threading

import pytest

from plataforma_sdk.errors import PolicyError
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, RestrictedEngine, _cache
from plataforma_sdk.sandbox.restricted._code_store import VARIABLE
from tests.unit.sandbox.restricted.cache_kit import (
    FILE,
    LIBRARY,
    OTHER,
    SOURCE,
    CountingCompiler,
    entries,
    finish,
    only_entry,
    start,
)
from tests.unit.sandbox.restricted.restricted_kit import make_loader

COMPILE_NOTHING = f"""
import sys
from pathlib import Path
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, _cache
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
_cache.compile_source = None
sandbox = Sandbox(1 << 20, cache=CompileCache(store=CodeStore(Path(sys.argv[1]))))
sandbox.meter.enter(Account(1000, 1000))
print(sandbox.run_source({SOURCE!r}, {FILE!r})["result"])
"""
SHARE = """
import sys
from pathlib import Path
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache
sys.stdin.readline()
for turn in range(3):
    cache = CompileCache(store=CodeStore(Path(sys.argv[1]), max_entries=int(sys.argv[2])))
    for n in range(12):
        names = {}
        exec(cache.compile(f"result = {n}", f"{n}.py"), names)
        assert names["result"] == n, (n, names["result"])
"""


@pytest.fixture
def compiler(monkeypatch) -> CountingCompiler:
    counting = CountingCompiler()
    monkeypatch.setattr(_cache, "compile_source", counting)
    return counting


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "compiled"


# --- in memory ------------------------------------------------------------------------------------------------------


def test_code_that_was_used_last_is_kept(compiler):
    """The bound on entries drops what was used longest ago."""
    cache = CompileCache(max_entries=2)
    for source in ("a = 1", "b = 1", "a = 1", "c = 1", "a = 1", "b = 1"):
        cache.compile(source, FILE)

    assert compiler.sources == ["a = 1", "b = 1", "c = 1", "b = 1"]


def test_memory_is_bounded_in_bytes(compiler):
    """Ten texts of some kilobytes do not stay in a cache of one."""
    cache = CompileCache(max_bytes=1_000)
    for _ in range(2):
        for n in range(10):
            cache.compile(f"x = {n}", FILE)
    cache.compile("x = '" + "long" * 1_000 + "'", FILE)

    assert len(compiler.sources) == 21
    assert cache._kept.currsize <= 1_000


def test_threads_that_want_one_text_compile_it_once(monkeypatch):
    """The others wait for the first."""
    started, may_go_on, inner = threading.Event(), threading.Event(), CountingCompiler()

    def slow(*args, **kwargs):
        started.set()
        assert may_go_on.wait(10)
        return inner(*args, **kwargs)

    monkeypatch.setattr(_cache, "compile_source", slow)
    cache, found = CompileCache(), []
    threads = [threading.Thread(target=lambda: found.append(cache.compile(SOURCE, FILE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    may_go_on.set()
    for thread in threads:
        thread.join(10)

    assert (len(inner.sources), len(found), len(set(map(id, found)))) == (1, 8, 1)


def test_each_module_is_refused_in_its_own_name(monkeypatch):
    """A refusal is not shared between threads: it names who asked."""
    both = threading.Barrier(2, timeout=10)
    found: dict[str, str | None] = {}
    cache = CompileCache()

    def ask(module):
        both.wait()
        try:
            cache.compile("exec('1')", FILE, module=module)
        except PolicyError as error:
            found[module] = error.module

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == {"one": "one", "two": "two"}


def test_asking_again_while_compiling_does_not_wait_for_oneself(monkeypatch):
    """The garbage collector may run a module's ``finally`` in the middle of compiling, and that may import the text."""
    inner, found = CountingCompiler(), []
    cache = CompileCache()

    def collecting(source, file, **options):
        if not found:
            found.append(None)
            found[0] = cache.compile(source, file)
        return inner(source, file, **options)

    monkeypatch.setattr(_cache, "compile_source", collecting)
    code = cache.compile(SOURCE, FILE)

    assert found[0] == code


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_does_not_wait_for_the_threads_of_its_parent(monkeypatch):
    """What another thread was compiling when the process forked is compiled by the child."""
    started, may_go_on, inner = threading.Event(), threading.Event(), CountingCompiler()
    parent = os.getpid()

    def slow(*args, **kwargs):
        started.set()
        if os.getpid() == parent:
            assert may_go_on.wait(10)
        return inner(*args, **kwargs)

    monkeypatch.setattr(_cache, "compile_source", slow)
    cache = CompileCache()
    thread = threading.Thread(target=cache.compile, args=(SOURCE, FILE))
    thread.start()
    assert started.wait(10)
    child = os.fork()
    if not child:
        threading.Timer(5, os._exit, (1,)).start()
        cache.compile(SOURCE, FILE)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    may_go_on.set()
    thread.join(10)

    assert os.waitstatus_to_exitcode(status) == 0


# --- between processes ----------------------------------------------------------------------------------------------


def test_another_process_runs_what_this_one_compiled(directory):
    """Its own compiler is taken away, and the code runs, metered."""
    CompileCache(store=CodeStore(directory)).compile(SOURCE, FILE)

    assert finish(start(COMPILE_NOTHING, directory)) == "42"


def test_code_from_disk_is_the_code_that_was_compiled(directory, compiler):
    """Equal in everything that a code object is compared by."""
    made = CompileCache(store=CodeStore(directory)).compile(SOURCE, FILE)
    found = CompileCache(store=CodeStore(directory)).compile(SOURCE, FILE)

    assert (found == made, found.co_filename, len(compiler.sources)) == (True, FILE, 1)


@pytest.mark.parametrize(
    ("source", "file"),
    [(OTHER, FILE), (SOURCE, "n.py"), (SOURCE, "../m.py"), (SOURCE, "/etc/m.py"), (SOURCE, "\udce9")],
)
def test_each_text_and_file_has_its_own_entry(directory, compiler, tmp_path, source, file):
    """A file's name goes into messages, so it is part of the key; it never becomes a path."""
    cache = CompileCache(store=CodeStore(directory))
    cache.compile(SOURCE, FILE)
    cache.compile(source, file)

    assert (len(entries(directory)), len(compiler.sources)) == (2, 2)
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]


def test_what_the_policy_refuses_leaves_nothing(directory):
    """An error is made anew each time: it names the module that asked."""
    cache = CompileCache(store=CodeStore(directory))
    for module in ("one", "two"):
        with pytest.raises(PolicyError) as raised:
            cache.compile("exec('1')", FILE, module=module)
        assert raised.value.module == module

    assert entries(directory) == []


def share(directory, bound):
    """Four processes start at once in a directory that is not there yet; each checks the code it gets."""
    processes = [start(SHARE, directory, bound, stdin=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        finish(process)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("bound", [1_000, 3], ids=["roomy", "evicting"])
def test_processes_share_a_directory(directory, bound):
    """They write and evict under each other's hands, and nothing but whole entries is left."""
    share(directory, bound)

    assert {path.suffix or path.name for path in directory.iterdir()} == {".code", ".secret", ".lock"}
    assert 1 <= len(entries(directory)) <= min(bound, 12)


@pytest.mark.timeout(60)
def test_what_one_process_wrote_the_others_read(directory, compiler):
    """One secret is made, also by processes that start at once."""
    share(directory, 1_000)
    cache = CompileCache(store=CodeStore(directory))
    for n in range(12):
        cache.compile(f"result = {n}", f"{n}.py")

    assert compiler.sources == []


# --- the engine -----------------------------------------------------------------------------------------------------


async def load_one():
    await make_loader()("def probe(self):\n    return 1")


def test_the_engine_keeps_what_it_compiles(run, directory, monkeypatch, compiler):
    """`RestrictedEngine()` has a disk behind it: the second engine compiles nothing."""
    monkeypatch.setenv(VARIABLE, str(directory))
    run(load_one())
    first = len(compiler.sources)
    run(load_one())

    assert (first, len(compiler.sources)) == (1, 1)


def test_the_users_cache_is_where_the_other_tiers_are(run, tmp_path, monkeypatch):
    """Beside what the wasm tier keeps."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run(load_one())

    assert only_entry(tmp_path / "plataforma-sdk" / "restricted").is_file()


@pytest.mark.parametrize("chosen", ["off", "relative/path"])
def test_the_disk_can_be_turned_off(run, tmp_path, monkeypatch, caplog, chosen):
    """By the environment; a path that is not absolute turns it off too, and says so."""
    monkeypatch.setenv(VARIABLE, chosen)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.WARNING):
        run(load_one())

    assert list(tmp_path.iterdir()) == []
    assert ("not absolute" in caplog.text) == (chosen != "off")


def test_an_injected_cache_is_the_only_one(run, tmp_path, monkeypatch, directory):
    """A host that gives a cache decides where code is kept."""
    monkeypatch.setenv(VARIABLE, str(directory))

    assert RestrictedEngine(CompileCache())._cache._store is None


def test_making_an_engine_touches_nothing(monkeypatch, directory):
    """The directory is made when the first module is loaded."""
    monkeypatch.setenv(VARIABLE, str(directory))
    RestrictedEngine()

    assert not directory.exists()


def test_the_engine_is_imported_behind_its_clock():
    """What decides whether the policy is older than the process is imported before the policy."""
    script = "import sys, plataforma_sdk.sandbox.restricted\nprint(*sys.modules, sep='\\n')"
    order = [name.rpartition(".")[2] for name in finish(start(script, library=LIBRARY)).split() if "restricted" in name]

    assert order.index("_code_version") < min(order.index(name) for name in order if name.startswith("_policy"))
    assert order.index("_code_version") < order.index("_compile")
