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


FILES, NETWORK, PROCESSES, THREADS = "self.storage", "await self.api_call(path)", "self.api_call", "create_task"
REFUSED = {
    "open": ("open('/etc/passwd')", "PermissionError", FILES),
    "write": ("open('x', 'w')", "PermissionError", FILES),
    "io_open": ("__import__('_io').open('/etc/passwd')", "PermissionError", FILES),
    "file_io": ("__import__('io').FileIO('/etc/passwd')", "FileNotFoundError", ""),
    "listdir": ("__import__('os').listdir('/')", "PermissionError", FILES),
    "pathlib": ("__import__('pathlib').Path('/etc/passwd').read_text()", "PermissionError", FILES),
    "mkdir": ("__import__('pathlib').Path('x').mkdir()", "PermissionError", FILES),
    "stat": ("__import__('os').stat('/')", "PermissionError", FILES),
    "raw_open": ("__import__('posix').open('/etc/passwd', 0)", "PermissionError", FILES),
    "raw_read": ("__import__('os').read(0, 1)", "PermissionError", FILES),
    "raw_write": ("__import__('posix').write(1, b'x')", "PermissionError", FILES),
    "tempfile": ("__import__('tempfile').TemporaryDirectory()", "PermissionError", FILES),
    "named_tempfile": ("__import__('tempfile').NamedTemporaryFile()", "PermissionError", FILES),
    "zipfile": ("__import__('zipfile').ZipFile('x.zip')", "PermissionError", FILES),
    "home": ("__import__('pathlib').Path.home()", "RuntimeError", "home directory"),
    "socket": ("__import__('socket').socket()", "PermissionError", NETWORK),
    "raw_socket": ("__import__('_socket').socket()", "PermissionError", NETWORK),
    "resolve": ("__import__('socket').getaddrinfo('localhost', 80)", "PermissionError", NETWORK),
    "urlopen": ("__import__('urllib.request').request.urlopen('http://example.com')", "URLError", NETWORK),
    "open_connection": ("asyncio.open_connection('example.com', 80)", "PermissionError", NETWORK),
    "start_server": ("asyncio.start_server(print, 'localhost', 80)", "PermissionError", NETWORK),
    "ssl": ("__import__('ssl')", "ModuleNotFoundError", NETWORK),
    "sleep": ("__import__('time').sleep(1)", "RuntimeError", "await asyncio.sleep"),
    "thread": ("__import__('threading').Thread(target=print).start()", "RuntimeError", THREADS),
    "timer": ("__import__('threading').Timer(1, print).start()", "RuntimeError", THREADS),
    "raw_thread": ("__import__('_thread').start_new_thread(print, ())", "RuntimeError", THREADS),
    "pool": ("__import__('concurrent.futures').futures.ThreadPoolExecutor().submit(print)", "RuntimeError", THREADS),
    "to_thread": ("asyncio.get_running_loop().run_in_executor(None, print)", "RuntimeError", "coroutine"),
    "process": ("__import__('subprocess').run(['ls'])", "PermissionError", PROCESSES),
    "shell": ("__import__('os').system('ls')", "PermissionError", PROCESSES),
    "async_process": ("asyncio.create_subprocess_exec('ls')", "PermissionError", PROCESSES),
    "fork": ("__import__('os').fork()", "AttributeError", "fork"),
    "multiprocessing": ("__import__('multiprocessing')", "ModuleNotFoundError", PROCESSES),
    "exit": ("__import__('os')._exit(1)", "RuntimeError", "return instead"),
    "input": ("input()", "PermissionError", "ui.text_input"),
    "breakpoint": ("breakpoint()", "PermissionError", "console"),
    "sqlite": ("__import__('sqlite3')", "ModuleNotFoundError", "self.query"),
    "ctypes": ("__import__('ctypes')", "ModuleNotFoundError", "pure Python"),
    "host_side": ("__import__('plataforma_sdk.sandbox.wasm._pump')", "ModuleNotFoundError", "_pump"),
}


@pytest.mark.parametrize(("expression", "type_name", "text"), REFUSED.values(), ids=REFUSED)
def test_what_a_module_has_not_is_refused_by_the_name_of_what_it_has(run, load, expression, type_name, text):
    """The error says what to use instead, and the instance goes on: none of these is a trap."""

    async def main():
        async with load(f"    def attempt(self):\n        return {expression}\n") as probe:
            with pytest.raises(GuestError) as caught:
                await probe.call("attempt")
            assert caught.value.type_name == type_name
            assert text in caught.value.text
            assert await probe.call("add") == 1

    run(main())


def test_the_environment_is_empty(run, load):
    """Nothing of the host's: neither variables nor arguments, nor a person's name."""

    async def main():
        body = "    def ask(self):\n        import os, sys\n        return [dict(os.environ), sys.argv]\n"
        async with load(body) as probe:
            assert await probe.call("ask") == [{}, ["probe"]]

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
