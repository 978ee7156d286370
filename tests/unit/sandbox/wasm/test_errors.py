"""Errors both ways, and what a module may not do."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import GuestError, ModuleLoadError, PermissionDeniedError
from plataforma_sdk.sandbox.wasm import WasmEngine

from .conftest import FakeBridge, FakePackage, make_context


def test_a_fault_of_the_guest_shows_its_own_lines_only(run, load):
    async def main():
        async with load("    def fail(self):\n        return 1 // self.count\n") as probe:
            with pytest.raises(GuestError) as caught:
                await probe.call("fail")
            assert (caught.value.type_name, caught.value.module) == ("ZeroDivisionError", "probe")
            assert len(caught.value.traceback) == 1
            assert 'File "probe.py", line' in caught.value.traceback[0]
            assert "return 1 // self.count" in caught.value.traceback[0]

    run(main())


def test_an_error_of_the_host_is_caught_by_its_class_in_the_guest(run, load):
    body = """
    def ask(self):
        try:
            self.permissions.require("api.x[GET]")
        except PermissionDeniedError as error:
            return [error.permission, error.reason, error.module]
"""

    async def main():
        async with load(body) as probe:
            assert await probe.call("ask") == ["api.x[GET]", "not granted", "probe"]

    run(main())


def test_an_error_of_the_host_that_is_let_through_arrives_as_itself(run, load):
    async def main():
        async with load("    def ask(self):\n        self.permissions.require('api.x')\n") as probe:
            with pytest.raises(PermissionDeniedError) as caught:
                await probe.call("ask")
            assert caught.value.permission == "api.x"

    run(main())


def test_an_unexpected_error_of_the_host_crosses_as_a_name_alone(run, load, bridge):
    def fail(*_):
        raise OSError("/srv/secret")

    async def main():
        bridge.answers["api.call"] = bridge.answers["events.emit"] = fail
        body = """
    async def ask(self):
        out = []
        try:
            self.emit("x")
        except HostCallError as error:
            out.append([error.type_name, error.text])
        try:
            await self.api_call("/x")
        except HostCallError as error:
            out.append([error.type_name, error.text])
        return out
"""
        async with load(body) as probe:
            assert await probe.call("ask") == [["OSError", ""], ["OSError", ""]]

    run(main())


def test_a_module_that_exits_ends_its_call_only(run, load):
    async def main():
        body = """
    def leave(self):
        raise SystemExit(3)

    async def leave_later(self):
        await asyncio.sleep(0)
        raise SystemExit(3)
"""
        async with load(body) as probe:
            for method in ("leave", "leave_later"):
                with pytest.raises(GuestError) as caught:
                    await probe.call(method)
                assert caught.value.type_name == "SystemExit"
            assert (await probe.call("add"), probe.is_poisoned) == (1, False)

    run(main())


def test_an_exception_whose_text_fails_is_reported_all_the_same(run, load):
    async def main():
        body = """
    def fail(self):
        class Odd(Exception):
            def __str__(self):
                raise KeyError("no text")
        raise Odd
"""
        async with load(body) as probe:
            with pytest.raises(GuestError) as caught:
                await probe.call("fail")
            assert caught.value.type_name == "Odd"

    run(main())


REFUSED = {
    "open": ("open('/etc/passwd')", "PermissionError", "self.storage"),
    "listdir": ("__import__('os').listdir('/')", "PermissionError", "self.storage"),
    "pathlib": ("__import__('pathlib').Path('/etc/passwd').read_text()", "PermissionError", "self.storage"),
    "raw_open": ("__import__('posix').open('/etc/passwd', 0)", "FileNotFoundError", ""),
    "socket": ("__import__('socket').socket()", "PermissionError", "self.api_call"),
    "sleep": ("__import__('time').sleep(1)", "RuntimeError", "await asyncio.sleep"),
    "thread": ("__import__('threading').Thread(target=print).start()", "RuntimeError", "create_task"),
    "to_thread": ("asyncio.get_running_loop().run_in_executor(None, print)", "RuntimeError", "coroutine"),
    "exit": ("__import__('os')._exit(1)", "RuntimeError", "return instead"),
    "input": ("input()", "PermissionError", "console"),
    "ctypes": ("__import__('ctypes')", "ModuleNotFoundError", "ctypes"),
    "host_side": ("__import__('plataforma_sdk.sandbox.wasm._pump')", "ModuleNotFoundError", "_pump"),
}


@pytest.mark.parametrize(("expression", "type_name", "text"), REFUSED.values(), ids=REFUSED)
def test_what_a_module_has_not_is_refused_by_the_name_of_what_it_has(run, load, expression, type_name, text):
    async def main():
        async with load(f"    def attempt(self):\n        return {expression}\n") as probe:
            with pytest.raises(GuestError) as caught:
                await probe.call("attempt")
            assert caught.value.type_name == type_name
            assert text in caught.value.text
            assert await probe.call("add") == 1

    run(main())


def test_the_environment_is_empty(run, load):
    async def main():
        async with load("    def ask(self):\n        import os\n        return dict(os.environ)\n") as probe:
            assert await probe.call("ask") == {}

    run(main())


def test_print_goes_to_the_log_by_lines(run, load, bridge):
    async def main():
        body = "    def speak(self):\n        print('one\\ntwo')\n        print('three', end='')\n"
        async with load(body) as probe:
            await probe.call("speak")
        assert bridge.calls == [("log", ["info", text, {}]) for text in ("one", "two", "three")]

    run(main())


LOADS = {
    "syntax": ({"probe.py": "def ("}, ModuleLoadError, "probe.py, line 1"),
    "no_entry": ({"probe.py": "x = 1"}, ModuleLoadError, "ModuleFramework"),
    "top_level": ({"probe.py": "1 / 0"}, GuestError, "ZeroDivisionError"),
    "missing": ({"probe.py": "import numpy"}, GuestError, "numpy"),
}


@pytest.mark.parametrize(("files", "error", "text"), LOADS.values(), ids=LOADS)
def test_code_that_does_not_load_says_why(run, files, error, text):
    async def main():
        with pytest.raises(error, match=text):
            await WasmEngine().load(FakePackage(files), make_context(FakeBridge()))

    run(main())


def test_a_bundle_of_many_files_imports_relatively(run, load):
    files = {
        "pkg/__init__.py": "from .inner import value",
        "pkg/inner.py": "from .. import top\nvalue = top.value + 1",
        "top.py": "value = 1",
    }
    body = """
    def ask(self):
        from . import top
        from .pkg import value
        return [value, top.value]
"""

    async def main():
        async with load(body, files=files) as probe:
            assert await probe.call("ask") == [2, 1]

    run(main())
