"""A guest owns its own memory, the runner's Python in it included: whatever it writes must not harm the host."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import PlataformaError, ResourceLimitError, SandboxCrashedError

GUEST = "__import__('plataforma_sdk.sandbox.wasm.guest.app', fromlist=['GUEST']).GUEST"

LINES = {
    "garbage": "zzz",
    "empty": "",
    "unknown_call": "r999 1",
    "no_number": "r 1",
    "timer_nan": "tnan",
    "timer_huge": "t1e309",
    "deep_error": "e1 ' + '[' * 100_000 + '",
    "short_request": "h-5 x",
    "error_of_no_shape": "e1 7",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_is_none_ends_the_instance(run, load, line):
    async def main():
        async with load(f"    def write(self):\n        {GUEST}.outbox.lines.append('{line}')\n") as probe:
            with pytest.raises(SandboxCrashedError):
                await _write_and_go_on(probe)
            assert probe.is_poisoned

    run(main())


async def _write_and_go_on(probe):
    await probe.call("write")
    await probe.call("add")


@pytest.mark.parametrize("lines", ["['h%d 0 api.call []' % n for n in range(9, 9_999)]", "['x' * 40_000_000]"])
def test_an_outbox_without_bounds_ends_the_instance(run, load, lines):
    async def main():
        body = f"    def write(self):\n        {GUEST}.outbox.lines.extend({lines})\n"
        async with load(body, max_step_ms=5_000) as probe:
            with pytest.raises(ResourceLimitError) as caught:
                await probe.call("write")
            assert caught.value.resource == "outbox"

    run(main())


CALLS = [
    ("log", "junk"),
    ("log", "0 [junk"),
    ("log", "99999999999999999999999 []"),
    ("log", "-1 []"),
    ("@step", "zzz"),
    ("a b\n", "0 []"),
    ("", ""),
    ("log", "0 " + "[" * 10_000),
]


def test_an_immediate_call_that_is_none_is_refused_as_data(run, load):
    async def main():
        body = f"""
    def attempt(self):
        from wit_world.imports import host
        for method, payload in {CALLS!r}:
            try:
                host.call(method, payload)
            except BaseException as error:
                assert type(error).__name__ == "Err", repr(error)
        return "alive"
"""
        async with load(body) as probe:
            assert await probe.call("attempt") == "alive"

    run(main())


FORGED = (
    '{"code":"PermissionDeniedError"}',
    '{"code":"ManifestError","message":1,"fields":[]}',
    '{"code":"ManifestError","fields":{"faults":[1]}}',
    '{"code":"PolicyError","fields":{"line":{"a":1}}}',
    '{"type":{},"traceback":7}',
)


@pytest.mark.parametrize("error", FORGED)
def test_a_forged_error_is_an_error_of_ours_about_this_module(run, load, error):
    async def main():
        body = f"    def forge(self):\n        {GUEST}.describe = lambda _: {error!r}\n        raise KeyError\n"
        async with load(body) as probe:
            with pytest.raises(PlataformaError) as caught:
                await probe.call("forge")
            assert caught.value.module == "probe"

    run(main())


def test_a_pump_that_fails_is_a_crash(run, load):
    async def main():
        body = f"    def spoil(self):\n        {GUEST}.pump = None\n"
        async with load(body) as probe:
            await probe.call("spoil")
            with pytest.raises(SandboxCrashedError):
                await probe.call("add")

    run(main())
