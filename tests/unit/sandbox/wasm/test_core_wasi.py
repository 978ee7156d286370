"""WASI for core modules: the host's clock and randomness, lines for the log, and no more."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import SandboxCrashedError

from .conftest import FakeBridge
from .foreign_kit import FOUR, core, escaped, loaded

WASI = "wasi_snapshot_preview1"
OK, BADF, INVAL, SPIPE = 0, 8, 28, 70


class FixedClock:
    def now(self) -> float:
        return 1_700_000_000.5

    def monotonic(self) -> float:
        return 12.25


def calling(name: str, kind: str, call: str, *, reply: str, data: str = "") -> bytes:
    """Call one function in a pump and write one digit into the reply ``r1 <digit>`` at 64."""
    imports = f'(import "{WASI}" "{name}" (func $f {kind}))'
    shown = f"(i32.store8 (i32.const 67) (i32.add (i32.const 48) {reply}))"
    texts = data
    return core(imports=imports, body=f"(local $e i32) (local.set $e {call}) {shown}", rest=texts, outbox="r1 0")


def answered(run, binary, bridge=None, **settings):
    async def main():
        async with loaded(binary, bridge, **settings) as probe:
            return await probe.call("f")

    return run(main())


def test_clocks_are_the_host_s(run):
    for clock, seconds in ((0, 1_700_000_000.5), (1, 12.25)):
        call = f"(call $f (i32.const {clock}) (i64.const 0) (i32.const 1024))"
        is_equal = f"(i64.eq (i64.load (i32.const 1024)) (i64.const {int(seconds * 1e9)}))"
        binary = calling("clock_time_get", "(param i32 i64 i32) (result i32)", call, reply=is_equal)
        assert answered(run, binary, clock=FixedClock()) == 1


@pytest.mark.parametrize("seed", [7, None])
def test_randomness_of_a_seeded_run_is_the_same(run, seed):
    call = "(call $f (i32.const 1024) (i32.const 8))"
    digit = "(i32.and (i32.load (i32.const 1024)) (i32.const 7))"
    binary = calling("random_get", "(param i32 i32) (result i32)", call, reply=digit)
    drawn = {answered(run, binary, seed=seed) for _ in range(40)}
    assert len(drawn) == 1 if seed is not None else len(drawn) > 1


CODES = {
    "clock": ("clock_time_get", "(param i32 i64 i32)", "(i32.const 2) (i64.const 0) (i32.const 1024)", INVAL),
    "random": ("random_get", "(param i32 i32)", "(i32.const 1024) (i32.const 65537)", INVAL),
    "write": ("fd_write", FOUR, "(i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1024)", BADF),
    "read": ("fd_read", FOUR, "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024)", OK),
    "read_file": ("fd_read", FOUR, "(i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)", BADF),
    "seek": ("fd_seek", "(param i32 i64 i32 i32)", "(i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0)", SPIPE),
    "close": ("fd_close", "(param i32)", "(i32.const 9)", BADF),
    "stat": ("fd_fdstat_get", "(param i32 i32)", "(i32.const 1) (i32.const 1024)", OK),
    "preopens": ("fd_prestat_get", "(param i32 i32)", "(i32.const 3) (i32.const 1024)", BADF),
    "environment": ("environ_sizes_get", "(param i32 i32)", "(i32.const 1024) (i32.const 1028)", OK),
    "arguments": ("args_sizes_get", "(param i32 i32)", "(i32.const 1024) (i32.const 1028)", OK),
    "yield": ("sched_yield", "", "", OK),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "arguments", "code"), CODES.values(), ids=CODES)
def test_each_function_answers_with_its_code(run, name, kind, arguments, code):
    is_code = f"(i32.eq (local.get $e) (i32.const {code}))"
    assert answered(run, calling(name, f"{kind} (result i32)", f"(call $f {arguments})", reply=is_code)) == 1


WRITE = "(param i32 i32 i32 i32) (result i32)"


def written(*chunks: bytes, descriptor: int = 1) -> bytes:
    """Write chunks, each by one call, from 2048 on; their vectors stand at 1024."""
    data, calls, position = "", "", 2048
    for number, chunk in enumerate(chunks):
        at = 1024 + 8 * number
        vector = (position | len(chunk) << 32).to_bytes(8, "little")
        data += f'(data (i32.const {at}) "{escaped(vector)}") (data (i32.const {position}) "{escaped(chunk)}")'
        calls += f"(drop (call $f (i32.const {descriptor}) (i32.const {at}) (i32.const 1) (i32.const 768)))"
        position += len(chunk)
    imports = f'(import "{WASI}" "fd_write" (func $f {WRITE}))'
    return core(imports=imports, body=calls, rest=data)


def lines(bridge):
    return [args[:2] for method, args in bridge.calls if method == "log"]


@pytest.mark.parametrize(("descriptor", "level"), [(1, "info"), (2, "warning")])
def test_whole_lines_are_logged_and_the_rest_when_the_turn_ends(run, descriptor, level):
    bridge = FakeBridge()
    assert answered(run, written(b"one\ntw", "o é\nrest".encode(), descriptor=descriptor), bridge) == 7
    assert lines(bridge) == [[level, "one"], [level, "two é"], [level, "rest"]]


def test_a_text_of_line_ends_is_not_a_call_of_the_host_for_each(run):
    bridge = FakeBridge()
    assert answered(run, written(b"\n" * 3_000), bridge) == 7
    assert len(lines(bridge)) == 33


def test_bytes_that_are_no_utf8_are_logged_all_the_same(run):
    bridge = FakeBridge()
    answered(run, written(b"\xff\xfe\n"), bridge)
    assert lines(bridge) == [["info", "��"]]


def test_vectors_outside_the_memory_are_a_crash(run):
    imports = f'(import "{WASI}" "fd_write" (func $f {WRITE}))'
    body = "(drop (call $f (i32.const 1) (i32.const 131070) (i32.const 1) (i32.const 768)))"
    with pytest.raises(SandboxCrashedError, match="outside the memory"):
        answered(run, core(imports=imports, body=body))


def test_a_million_vectors_are_read_no_further_than_the_first(run):
    """WASI allows a short write: the caller asks again for the rest."""
    imports = f'(import "{WASI}" "fd_write" (func $f {WRITE}))'
    body = "(drop (call $f (i32.const 1) (i32.const 1024) (i32.const 1000000) (i32.const 768)))"
    assert answered(run, core(imports=imports, body=body), FakeBridge()) == 7
