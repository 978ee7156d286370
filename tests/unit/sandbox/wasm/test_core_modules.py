"""Core modules: what they must have, and what the host does with one that lies about pointers, lengths and time."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import (
    GuestError,
    ModuleLoadError,
    PlataformaError,
    QuotaExceededError,
    ResourceLimitError,
    SandboxCrashedError,
)
from plataforma_sdk.sandbox.wasm._core_abi import _HOSTS

from .conftest import FakeBridge
from .foreign_kit import FOUR, HOST_ANSWER, HOST_CALL, PAGE, SPIN, core, loaded, refused, turns


def test_a_module_without_any_import_answers(run):
    async def main():
        async with loaded(core()) as probe:
            assert await probe.call("f") == 7

    run(main())


# --- what it imports and exports --------------------------------------------------------------------------------------

UNKNOWN = {
    "env.foo": ('(import "env" "foo" (func))', r"'env\.foo'.*nothing defines"),
    "files": ('(import "wasi_snapshot_preview1" "path_open" (func))', r"path_open'.*storage\.get"),
    "sockets": ('(import "wasi_snapshot_preview1" "sock_send" (func))', r"sock_send'.*api\.call"),
    "sleep": ('(import "wasi_snapshot_preview1" "poll_oneoff" (func))', r"poll_oneoff'.*timers\.start"),
    "signal": ('(import "wasi_snapshot_preview1" "proc_raise" (func))', r"proc_raise'.*no part"),
    "old_wasi": ('(import "wasi_unstable" "fd_write" (func))', r"'wasi_unstable\.fd_write'.*wasi_snapshot_preview1"),
    "our_own": ('(import "plataforma" "emit" (func))', r"'plataforma\.emit'.*host_call"),
    "memory": ('(import "env" "heap" (memory 1))', r"'env\.heap'.*in the module itself"),
    "type": ('(import "plataforma" "host_call" (func (param i64)))', r"'plataforma\.host_call' with another type.*i32"),
    "type_wasi": ('(import "wasi_snapshot_preview1" "proc_exit" (func))', r"proc_exit' with another type"),
}


@pytest.mark.parametrize(("imports", "match"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_import_is_refused_by_name_with_what_to_do(run, imports, match):
    binary = core(imports=imports, memory="") if "memory" in imports else core(imports=imports)
    refused(run, binary, ModuleLoadError, match)


def test_all_unknown_imports_are_named_at_once(run):
    imports = "".join(f'(import "env" "f{number}" (func))' for number in range(3))
    refused(run, core(imports=imports), ModuleLoadError, r"env\.f0.*env\.f1.*env\.f2")


def test_names_of_a_hostile_module_cannot_flood_or_forge_a_log(run):
    """CWE-117 and CWE-400: an import may have any name, and there may be thousands."""
    forged = "x\\n[root] all is well" + "y" * 5_000
    imports = "".join(f'(import "env" "{forged}{number}" (func))' for number in range(500))

    async def main():
        with pytest.raises(ModuleLoadError) as caught:
            async with loaded(core(imports=imports)):
                pass
        assert "and 490 more" in str(caught.value)
        assert len(str(caught.value)) < 2_000
        assert "\n" not in str(caught.value)

    run(main())


@pytest.mark.parametrize("name", ["memory", "alloc", "dealloc", "load", "pump"])
def test_a_missing_export_is_named(run, name):
    refused(run, core(**{name: "(memory 1)" if name == "memory" else ""}), ModuleLoadError, f"not export '{name}'")


def test_an_export_of_another_type_is_named(run):
    refused(
        run,
        core(alloc='(func (export "alloc") (param i64) (result i32) (i32.const 0))'),
        ModuleLoadError,
        r"'alloc' has another type: \(i32\) -> \(i32\)",
    )


def test_a_program_with_a_main_function_is_told_to_be_a_reactor(run):
    refused(run, core(load='(func (export "_start"))'), ModuleLoadError, "mexec-model=reactor")


def test_a_shared_memory_is_refused(run):
    """A guest that waits on one would hold the host's thread. Source: WebAssembly threads, `memory.atomic.wait32`."""
    refused(run, core(memory='(memory (export "memory") 2 3 shared)'), ModuleLoadError, "shared|threads")


def test_a_second_memory_is_refused(run):
    """The limit holds for each memory by itself."""
    refused(run, core(rest="(memory 1)"), ModuleLoadError, "defines 2 memories")


# --- pointers and lengths ---------------------------------------------------------------------------------------------

OUTSIDE = {
    "end": (2 * PAGE - 3) << 32 | 4,
    "far": 0xFFFF_FFFF << 32 | 10,
    "wrapping": 0xFFFF_FFFF << 32 | 0xFFFF,
}


@pytest.mark.parametrize("answer", OUTSIDE.values(), ids=OUTSIDE)
def test_an_answer_outside_the_memory_is_a_crash(run, answer):
    async def main():
        async with loaded(core(answer=answer)) as probe:
            with pytest.raises(SandboxCrashedError, match="outside the memory"):
                await probe.call("f")
            assert probe.is_poisoned

    run(main())


def test_a_huge_length_is_refused_before_anything_is_copied(run):
    async def main():
        async with loaded(core(answer=64 << 32 | 0x7FFF_FFFF)) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("f")
            assert caught.value.resource == "outbox"

    run(main())


@pytest.mark.parametrize("position", [0, 2 * PAGE, 2 * PAGE - 1, 0xFFFF_FFFF], ids=["null", "end", "last", "minus_one"])
def test_room_outside_the_memory_is_a_crash(run, position):
    alloc = f'(func (export "alloc") (param i32) (result i32) (i32.const {position}))'
    refused(run, core(alloc=alloc), SandboxCrashedError, "alloc")


CALLS = {
    "method": "(drop (call $host_call (i32.const -1) (i32.const 9) (i32.const 16) (i32.const 2)))",
    "payload": "(drop (call $host_call (i32.const 16) (i32.const 2) (i32.const 131071) (i32.const 2)))",
    "size": "(drop (call $host_call (i32.const 16) (i32.const 2) (i32.const 16) (i32.const 200000)))",
    "answer": "(drop (call $host_call (i32.const 16) (i32.const 2) (i32.const 16) (i32.const 2)))"
    "(call $host_answer (i32.const 131070))",
}


@pytest.mark.parametrize("body", CALLS.values(), ids=CALLS)
def test_a_host_call_with_a_pointer_outside_is_a_crash(run, body):
    async def main():
        async with loaded(core(imports=HOST_CALL + HOST_ANSWER, body=body)) as probe:
            with pytest.raises(SandboxCrashedError, match="outside the memory"):
                await probe.call("f")

    run(main())


def test_a_payload_over_the_limit_is_refused_as_data_and_never_copied(run):
    """The module reads the refusal: bit 31 of what `host_call` returned says that the answer is an error."""
    body = """(if (i64.eqz (i64.and (i64.const 0x80000000)
                (call $host_call (i32.const 16) (i32.const 2) (i32.const 0) (i32.const -1)))) (then unreachable))
              (if (i64.eqz (i64.and (i64.const 0x80000000)
                (call $host_call (i32.const 16) (i32.const 4000) (i32.const 0) (i32.const 0)))) (then unreachable))"""

    async def main():
        bridge = FakeBridge()
        async with loaded(core(imports=HOST_CALL, body=body), bridge) as probe:
            assert await probe.call("f") == 7
        assert bridge.calls == []

    run(main())


# --- memory and time --------------------------------------------------------------------------------------------------


def test_a_memory_that_begins_over_the_limit_is_a_limit(run):
    binary = core(memory='(memory (export "memory") 100)')
    refused(run, binary, ResourceLimitError, "memory", max_memory_bytes=10 * PAGE)


def test_a_memory_grows_up_to_the_limit_and_no_further(run):
    """What is refused is -1 to the guest; the meter says what it holds."""
    grow = "(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))"

    async def main():
        async with loaded(core(body=grow), max_memory_bytes=10 * PAGE) as probe:
            assert await probe.call("f") == 7
            assert probe._pump._store.memory.measure() == 10 * PAGE

    run(main())


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"rest": f"(func $s {SPIN}) (start $s)"}, id="start"),
        pytest.param({"rest": f'(func (export "_initialize") {SPIN})'}, id="initialize"),
        pytest.param({"load": f'(func (export "load") {FOUR} (result i64) {SPIN} unreachable)'}, id="load"),
        pytest.param({"alloc": f'(func (export "alloc") (param i32) (result i32) {SPIN} unreachable)'}, id="alloc"),
    ],
)  # fmt: skip
def test_a_loop_before_the_first_call_holds_nobody_and_ends(run, parts):
    async def main():
        async with turns() as seen:
            with pytest.raises(ResourceLimitError) as caught:
                async with loaded(core(**parts), max_call_ms=150):
                    pass
        assert caught.value.resource == "call_time"
        assert len(seen) > 20

    run(main())


def test_a_start_function_that_loops_uses_up_its_fuel(run):
    refused(run, core(rest=f"(func $s {SPIN}) (start $s)"), ResourceLimitError, "fuel", max_fuel=3_000_000)


def test_a_call_that_loops_meets_the_step_limit_and_the_loop_turns_meanwhile(run):
    async def main():
        async with loaded(core(body=SPIN)) as probe, turns() as seen:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("f")
            assert caught.value.resource == "step_time"
            assert len(seen) > 5

    run(main())


def test_recursion_without_end_is_the_stack_limit(run):
    async def main():
        async with loaded(core(rest="(func $r (call $r) (call $r))", body="(call $r)")) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("f")
            assert caught.value.resource == "stack"

    run(main())


def test_a_storm_of_host_functions_yields_though_it_uses_no_fuel(run):
    """A host function costs the guest a few units and the host microseconds: 500,000 units would be half a second."""
    storm = """(local $n i32) (loop $l
      (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 1024)))
      (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.lt_u (local.get $n) (i32.const 5000))))"""
    clock = '(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))'

    async def main():
        async with loaded(core(imports=clock, body=storm), max_step_ms=5_000) as probe, turns() as seen:
            assert await probe.call("f") == 7
            assert len(seen) >= 5_000 // 64

    run(main())


def test_a_fill_of_the_whole_memory_is_charged_by_the_byte(run):
    fill = "(memory.fill (i32.const 0) (i32.const 0) (i32.const 131072))" * 4

    async def main():
        async with loaded(core(body=fill), max_fuel=3 * 131_072) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("f")
            assert caught.value.resource == "fuel"

    run(main())


# --- ends -------------------------------------------------------------------------------------------------------------


def test_a_trap_is_a_crash_of_this_instance(run):
    async def main():
        async with loaded(core(body="unreachable")) as probe:
            with pytest.raises(SandboxCrashedError, match="unreachable"):
                await probe.call("f")
            assert probe.is_poisoned

    run(main())


def test_exit_ends_the_instance_and_says_its_code(run):
    imports = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'

    async def main():
        async with loaded(core(imports=imports, body="(call $exit (i32.const 3))")) as probe:
            with pytest.raises(SandboxCrashedError, match=r"exit\(3\)"):
                await probe.call("f")

    run(main())


def test_a_host_function_in_the_start_function_is_refused(run):
    call = "(drop (call $host_call (i32.const 16) (i32.const 2) (i32.const 16) (i32.const 2)))"
    binary = core(imports=HOST_CALL, rest=f"(func $s {call}) (start $s)")
    refused(run, binary, SandboxCrashedError, "start function")


LOADS = {
    "error": (0x10_0000_0002 | 1 << 31, GuestError, "Exception"),
    "no_object": (0x43_0000_0001, SandboxCrashedError, "no object"),
    "no_json": (0x40_0000_0004, SandboxCrashedError, "load answered"),
    "empty": (0, SandboxCrashedError, "load answered"),
}


@pytest.mark.parametrize(("answer", "error", "match"), LOADS.values(), ids=LOADS)
def test_a_load_that_answers_anything_else_is_an_error_of_ours(run, answer, error, match):
    load = f'(func (export "load") (param i32 i32 i32 i32) (result i64) (i64.const {answer}))'
    refused(run, core(load=load), error, match)


SURROGATE = 'r1 "\xed\xa0\x80"'  # as Latin-1, so that the bytes are no UTF-8
LINES = ["zzz", "r999 1", "r 1", "tnan", "t1e309", f"e1 {'[' * 40}", "h-5 x", "e1 7", SURROGATE]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_none_ends_the_instance(run, line):
    async def main():
        async with loaded(core(outbox=line.encode("latin-1"))) as probe:
            with pytest.raises(SandboxCrashedError):
                await probe.call("f")
            assert probe.is_poisoned

    run(main())


def test_what_was_answered_before_a_bad_line_counts(run):
    async def main():
        async with loaded(core(outbox="r1 7\nzzz")) as probe:
            assert await probe.call("f") == 7
            assert probe.is_poisoned

    run(main())


def test_closing_while_it_runs_frees_it(run):
    """The spinning call ends with the instance; its fiber is deleted before its store."""

    async def main():
        async with loaded(core(body=SPIN), max_step_ms=60_000) as probe:
            call = asyncio.create_task(probe.call("f"))
            await asyncio.sleep(0.01)
            await probe.close()
            with pytest.raises(PlataformaError, match="closed"):
                await call

    run(main())


CLOCK = '(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))'
READ_CLOCK = "(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 1024)))"


class InterruptedClock:
    """As when a person presses Ctrl+C while the host serves a guest."""

    is_pressed = False

    def now(self) -> float:
        if self.is_pressed:
            raise KeyboardInterrupt
        return 0.0

    def monotonic(self) -> float:
        return 0.0


def test_an_interrupt_in_a_host_function_reaches_the_host(run):
    """wasmtime would lose it: no Python exception may pass through a callback."""
    clock = InterruptedClock()

    async def main():
        async with loaded(core(imports=CLOCK, body=READ_CLOCK), clock=clock) as probe:
            assert await probe.call("f") == 7
            clock.is_pressed = True
            try:
                await probe.call("f")
            except KeyboardInterrupt:
                return "interrupted"
        return "lost"

    assert run(main()) == "interrupted"


def test_a_host_function_that_ends_its_own_instance_is_survived(run):
    """The store is freed when the slice ends, not under the guest that is on the stack."""
    texts = '(data (i32.const 32) "clock.now") (data (i32.const 48) "1 []")'
    body = f"(drop (call $host_call (i32.const 32) (i32.const 9) (i32.const 48) (i32.const 4))) {SPIN}"
    instances = []

    async def main():
        bridge = FakeBridge({"clock.now": lambda: instances[0]._pump.end(SandboxCrashedError("ended", module="probe"))})
        async with loaded(core(imports=HOST_CALL, body=body, rest=texts), bridge) as probe:
            instances.append(probe)
            with pytest.raises(SandboxCrashedError, match="ended"):
                await probe.call("f")

    run(main())


def test_nothing_is_left_of_an_instance_that_is_closed(run):
    async def main():
        before = len(_HOSTS)
        for _ in range(20):
            async with loaded(core()) as probe:
                await probe.call("f")
        assert len(_HOSTS) == before

    run(main())


def test_a_refused_quota_reaches_the_guest_as_data(run):
    """The guest sees an error answer, not a trap, and answers its call all the same."""
    texts = '(data (i32.const 32) "clock.now") (data (i32.const 48) "1 []")'
    body = """(if (i64.eqz (i64.and (i64.const 0x80000000)
        (call $host_call (i32.const 32) (i32.const 9) (i32.const 48) (i32.const 4)))) (then unreachable))"""

    def refuse():
        raise QuotaExceededError("host_calls", used=2, limit=1, unit="calls/s", module="probe")

    async def main():
        binary = core(imports=HOST_CALL, body=body, rest=texts)
        async with loaded(binary, FakeBridge({"clock.now": refuse})) as probe:
            assert await probe.call("f") == 7

    run(main())
