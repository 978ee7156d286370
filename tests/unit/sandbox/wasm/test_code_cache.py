"""Code is compiled once, in a guest that is thrown away; what was not written here is never loaded."""

from __future__ import annotations

import asyncio
import json

import pytest

from plataforma_sdk.errors import GuestError, ModuleLoadError, SandboxCrashedError
from plataforma_sdk.sandbox.wasm import WasmEngine
from plataforma_sdk.sandbox.wasm._code_cache import ROOM, CodeCache
from plataforma_sdk.sandbox.wasm._guests import GuestMaker

SOURCES = {"probe.py": "x = 1\n", "inner/part.py": "y = 2\n"}
CODES = {"probe.py": "AAAA", "inner/part.py": "BBBB"}


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Return the directory of the entries, in a private cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "plataforma-sdk" / ROOM


class Compiler:
    """Stands in for the guest that compiles; counts how often it is asked."""

    def __init__(self, answer=None):
        self.answer = json.dumps(CODES).encode() if answer is None else answer
        self.asked = 0

    async def __call__(self, _sources):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def entry_of(room):
    (entry,) = room.glob("*.code")
    return entry


def test_a_package_is_compiled_once_and_found_in_memory_and_on_disk(run, room):
    async def main():
        compiler, cache = Compiler(), CodeCache("runner")
        assert await cache.codes(SOURCES, compiler) == CODES
        assert await cache.codes(SOURCES, compiler) == CODES
        await asyncio.get_running_loop().shutdown_default_executor()
        return compiler.asked

    async def later():
        compiler = Compiler()
        assert await CodeCache("runner").codes(SOURCES, compiler) == CODES
        return compiler.asked

    assert run(main()) == 1
    assert entry_of(room).stat().st_mode & 0o077 == 0
    assert run(later()) == 0


@pytest.mark.parametrize(
    ("runner", "sources"),
    [
        ("another", SOURCES),
        ("runner", {**SOURCES, "probe.py": "x = 2\n"}),
        ("runner", {"probe.pyx": "= 1\n", "inner/part.py": "y = 2\n"}),
        ("runner", {"probe.py": "x = 1\n"}),
    ],
    ids=["runner", "source", "bounds-of-path-and-source", "fewer-files"],
)
def test_code_is_found_under_its_runner_and_its_whole_package_only(run, room, runner, sources):
    async def main():
        await CodeCache("runner").codes(SOURCES, Compiler())
        await asyncio.get_running_loop().shutdown_default_executor()
        compiler = Compiler()
        cache = CodeCache(runner)
        assert cache._load(cache._key(sources)) is None
        return compiler.asked

    run(main())


def _flip(entry, _other):
    data = bytearray(entry.read_bytes())
    data[-3] ^= 1
    entry.write_bytes(data)


def _swap(entry, other):
    entry.write_bytes(other.read_bytes())


def _cut(entry, _other):
    entry.write_bytes(entry.read_bytes()[:-1])


def _empty(entry, _other):
    entry.write_bytes(b"")


def _open_to_others(entry, _other):
    entry.chmod(0o666)


def _link(entry, other):
    entry.unlink()
    entry.symlink_to(other)


POISONS = {
    "flipped": _flip,
    "of-another-package": _swap,
    "cut": _cut,
    "empty": _empty,
    "open-to-others": _open_to_others,
    "link": _link,
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_a_poisoned_entry_is_refused_and_compiled_anew(run, room, poison):
    other = {"probe.py": "z = 3\n"}

    async def write():
        cache = CodeCache("runner")
        await cache.codes(other, Compiler(b'{"probe.py":"EVIL"}'))
        await cache.codes(SOURCES, Compiler())
        await asyncio.get_running_loop().shutdown_default_executor()
        name = f"{cache._key(SOURCES).hex()}.code"
        (elsewhere,) = [path for path in room.glob("*.code") if path.name != name]
        poison(room / name, elsewhere)

    async def read():
        compiler = Compiler()
        assert await CodeCache("runner").codes(SOURCES, compiler) == CODES
        return compiler.asked

    run(write())
    assert run(read()) == 1


def test_an_entry_of_another_secret_is_refused(run, room):
    async def write():
        await CodeCache("runner").codes(SOURCES, Compiler(b'{"probe.py":"EVIL"}'))
        await asyncio.get_running_loop().shutdown_default_executor()

    run(write())
    (room / ".secret").write_bytes(bytes(32))
    compiler = Compiler()
    assert run(CodeCache("runner").codes(SOURCES, compiler)) == CODES
    assert compiler.asked == 1


@pytest.mark.parametrize("answer", [b"[]", b"not json", b'{"other.py":"AAAA","probe.py":7}', b"\xff"])
def test_an_answer_that_is_no_code_of_these_files_is_not_used(run, room, answer):
    assert run(CodeCache("runner").codes(SOURCES, Compiler(answer))) == {}


def test_what_cannot_be_compiled_is_loaded_from_source_and_says_what(run, room):
    assert run(CodeCache("runner").codes(SOURCES, Compiler(SandboxCrashedError("no")))) == {}


def test_without_a_private_directory_code_is_kept_in_memory(run, room, tmp_path, caplog):
    (tmp_path / "plataforma-sdk").mkdir(mode=0o755)
    (tmp_path / "plataforma-sdk").chmod(0o755)

    async def main():
        compiler, cache = Compiler(), CodeCache("runner")
        assert await cache.codes(SOURCES, compiler) == await cache.codes(SOURCES, compiler) == CODES
        return compiler.asked

    assert run(main()) == 1
    assert "kept in memory only" in caplog.text


# --- with a guest -----------------------------------------------------------------------------------------------------


@pytest.fixture
def wasm() -> WasmEngine:
    """Only guests on fibers compile ahead."""
    return WasmEngine(mode="fibers")


def test_a_guest_compiles_a_package_once(run, load, monkeypatch):
    asked = []
    compile_once = GuestMaker.compile

    async def counted(self, sources):
        asked.append(sorted(sources))
        return await compile_once(self, sources)

    monkeypatch.setattr(GuestMaker, "compile", counted)
    body = "    def unique_to_this_test(self):\n        return 'one'\n"

    async def main():
        for _ in range(3):
            async with load(body, files={"inner/part.py": "import re\n"}, context=None) as probe:
                assert await probe.call("unique_to_this_test") == "one"

    run(main())
    assert len(asked) <= 1  # none, where an earlier run of this test has left its entry


def test_a_syntax_error_names_its_file_and_line(run, load):
    async def main():
        with pytest.raises(ModuleLoadError, match=r"inner/part\.py, line 2"):
            async with load("    from module_package.inner import part\n", files={"inner/part.py": "x = 1\ny = =\n"}):
                raise AssertionError("it does not load")

    run(main())


def test_a_file_that_nobody_imports_may_be_no_python(run, load):
    async def main():
        async with load(files={"inner/broken.py": "y = =\n"}) as probe:
            assert await probe.call("add") == 1

    run(main())


def test_tracebacks_of_compiled_code_show_the_author_s_lines(run, load):
    async def main():
        async with load("    def fail(self):\n        raise ValueError('here')  # the author's line\n") as probe:
            for _ in range(2):
                with pytest.raises(GuestError) as caught:
                    await probe.call("fail")
                assert "the author's line" in "".join(caught.value.traceback)

    run(main())
