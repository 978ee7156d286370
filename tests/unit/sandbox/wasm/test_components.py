"""Components of any language on the world: what they import and export is held against it, by name."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ModuleLoadError, ResourceLimitError, SandboxCrashedError

from .foreign_kit import PAGE, SPIN, component, loaded, refused, turns

TEXTS = '(param "a" string)'


def interface(name: str, functions: str = '(export "f" (func))') -> str:
    return f'(import "{name}" (instance {functions}))'


def test_a_component_without_any_import_answers(run):
    async def main():
        async with loaded(component()) as probe:
            assert await probe.call("f") == 7

    run(main())


UNKNOWN = {
    "foreign": (interface("acme:db/store"), r"'acme:db/store', which is not provided: build it for the world"),
    "sockets": (interface("wasi:sockets/tcp@0.2.0"), r"'wasi:sockets/tcp@0\.2\.0'.*api\.call"),
    "http": (interface("wasi:http/types@0.2.0"), r"'wasi:http/types@0\.2\.0'.*api\.call"),
    "old_wasi": (interface("wasi:random/random@0.3.0"), r"'wasi:random/random@0\.3\.0'"),
    "host_version": (
        interface("plataforma:module/host@0.2.0"),
        r"host@0\.2\.0', which is not provided: this host speaks version 0\.1\.0",
    ),
    "host_function": (interface("plataforma:module/host@0.1.0"), r"imports 'f' of 'plataforma:module/host'"),
    "host_type": (
        interface("plataforma:module/host@0.1.0", f'(export "call" (func {TEXTS} (result string)))'),
        r"another type of 'call'",
    ),
    "function": ('(import "print" (func))', r"'print', which is not provided"),
}


@pytest.mark.parametrize(("imports", "match"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_import_is_refused_by_name_with_what_to_do(run, imports, match):
    refused(run, component(imports=imports), ModuleLoadError, match)


def test_all_unknown_imports_are_named_at_once(run):
    imports = interface("acme:db/store") + interface("acme:db/cache")
    refused(run, component(imports=imports), ModuleLoadError, r"acme:db/store.*acme:db/cache")


@pytest.mark.parametrize("name", ["load", "pump"])
def test_a_missing_export_is_named(run, name):
    (other,) = {"load", "pump"} - {name}
    refused(run, component(exports=(other,)), ModuleLoadError, rf"not export '{name}': export {name}: func")


def test_an_export_of_another_type_is_named(run):
    pump = '(param "inbox" string) (result (result string (error u32)))'
    refused(run, component(pump=pump), ModuleLoadError, "export 'pump' has another type: export pump: func")


def test_wasi_that_nothing_serves_links_as_long_as_nobody_calls_it(run):
    """Toolchains import all of WASI by habit; refusing what they never call would refuse them all."""
    imports = interface("wasi:cli/exit@0.2.6", '(export "exit" (func (param "status" (result))))')

    async def main():
        async with loaded(component(imports=imports)) as probe:
            assert await probe.call("f") == 7

    run(main())


def test_a_start_function_that_loops_holds_nobody_and_ends(run):
    async def main():
        async with turns() as seen:
            with pytest.raises(ResourceLimitError) as caught:
                async with loaded(component(core_rest=f"(func $s {SPIN}) (start $s)"), max_call_ms=150):
                    pass
        assert caught.value.resource == "call_time"
        assert len(seen) > 20

    run(main())


def test_a_start_function_that_traps_is_a_crash(run):
    refused(run, component(core_rest="(func $s unreachable) (start $s)"), SandboxCrashedError, "unreachable")


def test_a_call_that_loops_meets_the_step_limit(run):
    async def main():
        async with loaded(component(body=SPIN)) as probe, turns() as seen:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("f")
            assert caught.value.resource == "step_time"
            assert len(seen) > 5

    run(main())


def test_a_memory_that_begins_over_the_limit_is_a_limit(run):
    refused(run, component(memory="(memory 100)"), ResourceLimitError, "memory", max_memory_bytes=10 * PAGE)


def test_memories_of_one_component_share_the_limit(run):
    """wasmtime limits each by itself: two at the limit would be twice the limit."""
    second = "(core module $other (memory 6)) (core instance (instantiate $other))"
    refused(run, component(rest=second), ResourceLimitError, "memory", max_memory_bytes=10 * PAGE)

    async def main():
        async with loaded(component(rest=second), max_memory_bytes=12 * PAGE) as probe:
            assert await probe.call("f") == 7

    run(main())


def test_a_memory_made_twice_by_one_module_is_refused(run):
    """One definition, two instances: more memories than were counted before it was compiled."""
    twice = "(core instance (instantiate $m)) (core instance (instantiate $m))"
    refused(run, component(rest=twice), ModuleLoadError, "memory count")


@pytest.mark.parametrize("line", ["zzz", "r999 1", "e1 7"])
def test_a_line_that_is_none_ends_the_instance(run, line):
    async def main():
        async with loaded(component(outbox=line)) as probe:
            with pytest.raises(SandboxCrashedError):
                await probe.call("f")
            assert probe.is_poisoned

    run(main())
