"""The pytest plugin, run on small projects of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap

import pytest

from plataforma_sdk import testing

MODULE = """
from plataforma_sdk import ModuleFramework, ui

class Counter(ModuleFramework):
    async def on_load(self):
        self.count = 0
        self.create_window(title="Counter")

    def render(self):
        return ui.column(ui.text(str(self.count)), ui.button("More", on_press=self.more))

    async def more(self):
        self.count += 1

    async def save(self):
        await self.storage.set("count", self.count)

    async def ask(self):
        return await self.permissions.request("system.clipboard", "to copy")

    async def fetch(self):
        return await self.api_call("/shop/rows")
"""

MANIFEST = """
id = "counter"
version = "1.0.0"
entry = "counter"

[permissions.required]
"window.create" = "Shows the count"

[permissions.optional]
"system.storage" = "Keeps the count"
"""

PRESSES = """
def test_more(plataforma_run):
    async def body(environment):
        await environment.pilot.press("More")
        assert environment.pilot.find("text").text == "1"
    plataforma_run(body)
"""
SAVES = """
def test_saves(plataforma_run):
    async def body(environment):
        await environment.pilot.call("save")
    plataforma_run(body)
"""


QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:faulthandler")
"""The last, since a run inside this process would put the signal handlers back that were there before wasmtime's: the
next trap of a guest would then end the process."""


@pytest.fixture(scope="session")
def warm_cache():
    """The user's cache with the compiled guest in it; `pytester` has another home."""
    from plataforma_sdk.sandbox._private import private_directory
    from plataforma_sdk.sandbox.wasm import compiled_runner

    compiled_runner()
    return private_directory().parent


@pytest.fixture
def project(warm_cache, pytester, monkeypatch):
    """A project with one module, and a way to run tests of it."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(warm_cache))
    folder = pytester.mkdir("counter")
    (folder / "counter.py").write_text(MODULE)
    (folder / "module.toml").write_text(MANIFEST)

    def run(tests, *options, ini=""):
        pytester.makepyfile(test_counter=textwrap.dedent(tests))
        pytester.makeini(f"[pytest]\n{ini}")
        plugin = () if _is_installed() else ("-p", "plataforma_sdk.testing.plugin")
        plugin += () if "asyncio" in ini else ("-p", "no:asyncio")
        start = pytester.runpytest_subprocess if "-n" in options else pytester.runpytest_inprocess
        return start(*plugin, *QUIET, *options)

    return run


def _is_installed():
    from importlib.metadata import entry_points

    return any(point.name == "plataforma" for point in entry_points(group="pytest11"))


def test_the_module_near_the_tests_is_found_and_all_it_declares_must_be_used(project):
    result = project(PRESSES)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*permissions that no test used*", "counter: system.storage: remove the line from*"])


def test_the_union_of_all_tests_counts(project):
    result = project(PRESSES + SAVES)
    assert result.ret == 0
    result.assert_outcomes(passed=2)


TICKS = """
import pytest

@pytest.mark.plataforma(tier="trusted")
def test_more(plataforma_run, plataforma_clock):
    async def body(environment):
        await environment.pilot.press("More")
        await environment.pilot.call("save")
        assert environment.clock is plataforma_clock
    plataforma_run(body)
"""


def test_the_clock_that_a_test_asks_for_is_the_environments(project):
    assert project(TICKS).ret == 0


@pytest.mark.parametrize(
    "options",
    [
        ("-k", "more"),
        ("test_counter.py::test_more",),
        ("test_counter.py",),
        ("--deselect", "test_counter.py::test_saves"),
        ("--ignore=elsewhere",),
    ],
    ids=" ".join,
)
def test_of_a_part_nothing_is_said(project, options):
    assert project(PRESSES, *options).ret == 0


def test_a_file_that_the_settings_name_is_the_whole(project):
    assert project(PRESSES, ini="testpaths = test_counter.py").ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("option", ["lf", "stepwise"])
def test_a_run_that_goes_on_where_the_last_one_failed_is_a_part(option):
    from plataforma_sdk.testing.plugin import _is_resumed

    assert _is_resumed(argparse.Namespace(**{option: True}))
    assert not _is_resumed(argparse.Namespace(**{option: False}))


@pytest.mark.parametrize(("tests", "code"), [(PRESSES + SAVES, 0), (PRESSES + PRESSES.replace("more", "two"), 1)])
def test_workers_of_xdist_are_merged(project, tests, code):
    pytest.importorskip("xdist")
    assert project(tests, "-n", "2").ret == code


def test_grants_that_the_marker_names_must_be_used_by_that_test(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["window.create", "system.storage"])
        def test_more(plataforma_run):
            async def body(environment):
                await environment.pilot.press("More")
            plataforma_run(body)
        """
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*granted, and not used: system.storage; leave them out of grants=*"])


def test_a_grant_that_the_manifest_does_not_declare_is_unused(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["window.*", "system.clipboard"])
        def test_more(plataforma_run):
            async def body(environment):
                await environment.pilot.press("More")
            plataforma_run(body)
        """
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*not used: system.clipboard;*module.toml does not declare system.clipboard"])


def test_a_test_that_fails_is_told_once(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["window.create", "system.storage"])
        def test_more(plataforma_run):
            async def body(environment):
                await environment.permissions.request("system.clipboard", "to copy")
                assert environment.pilot.find("text").text == "1"
            plataforma_run(body)
        """
    )
    result.assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("def test_it(plataforma_environment):\n    plataforma_environment.pilot", "no pilot before*async with*"),
        ("def test_it(plataforma_run):\n    plataforma_run(lambda environment: None)", "*async def body(environment)*"),
        ("async def test_it(plataforma_run):\n    plataforma_run(None)", "plataforma_run is for a test that is no co*"),
    ],
    ids=["not entered", "no coroutine", "within a loop"],
)
def test_a_fixture_used_wrongly_says_how(project, test, problem):
    result = project(test + "\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{problem}"])


def test_an_unexpected_request_fails_the_test(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["window.create"])
        def test_asks(plataforma_run):
            async def body(environment):
                assert await environment.pilot.call("ask") is False
            plataforma_run(body)
        """,
        ini="",
    )
    result.stdout.fnmatch_lines(["*PermissionDeniedError*system.clipboard*"])
    assert result.ret == 1


def test_an_unexpected_call_fails_the_test_even_where_the_module_hides_it(project):
    result = project(
        """
        import contextlib
        import pytest

        @pytest.mark.plataforma(grants=["window.create"])
        def test_fetches(plataforma_run):
            async def body(environment):
                environment.permissions.redeclare(["api.shop[GET]", "window.create"])
                environment.permissions.grant("api.shop[GET]")
                with contextlib.suppress(Exception):
                    await environment.pilot.call("fetch")
            plataforma_run(body)
        """
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*UnexpectedCallError: the module called GET /shop/rows*"])


def test_one_parameter_runs_a_test_in_every_tier(project):
    result = project('import pytest\npytestmark = pytest.mark.plataforma(tier="all")\n' + PRESSES + SAVES, "-v")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*test_more*trusted*", "*test_more*restricted*", "*test_more*wasm*"])


def test_the_command_line_has_the_last_word_on_the_tier(project):
    result = project(PRESSES + SAVES, "-v", "--plataforma-tier", "restricted")
    result.stdout.fnmatch_lines(["*test_more*restricted*PASSED*"])
    assert project(PRESSES, "--plataforma-tier", "warp").ret != 0


@pytest.mark.parametrize(
    ("setting", "problem"),
    [("grant=[]", "has no *grant*"), ('tier="warp"', "*'warp' is no tier*")],
)
def test_a_marker_that_is_wrong_says_so(project, setting, problem):
    result = project(f"import pytest\n@pytest.mark.plataforma({setting})\n{PRESSES.strip()}\n")
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*{problem}*"])


def test_trees_that_differ_are_explained(project):
    result = project(
        """
        from plataforma_sdk import ui

        def test_trees():
            assert ui.to_data(ui.column(ui.text("a"))) == ui.to_data(ui.column(ui.text("b")))
        """
    )
    result.stdout.fnmatch_lines(["*the trees differ:*", "*0.0 ui.text: value is 'a', expected 'b'*"])


SNAPSHOT = """
import pytest

@pytest.mark.plataforma(tier="all")
def test_shows(plataforma_run, plataforma_snapshot):
    async def body(environment):
        await environment.pilot.call("save")
        plataforma_snapshot(environment.pilot.tree)
    plataforma_run(body)
"""


def test_a_snapshot_is_written_once_and_compared_in_every_tier(project, pytester):
    assert project(SNAPSHOT).ret == 0
    (snapshot,) = (pytester.path / "snapshots").iterdir()
    assert snapshot.read_text().splitlines() == [
        "column 0",
        "  text 0.0 value='0'",
        "  button 0.1 label='More' on_press=more()",
    ]
    snapshot.write_text(snapshot.read_text().replace("More", "Less"))
    result = project(SNAPSHOT)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*-  button 0.1 label='Less' on_press=more()", "*+  button 0.1 label='More'*"])
    assert project(SNAPSHOT, "--plataforma-update-snapshots").ret == 0


def test_a_run_that_may_not_write_fails_where_there_is_no_snapshot(project, monkeypatch):
    def run():
        monkeypatch.setenv("CI", "true")
        return project(SNAPSHOT)

    run().stdout.fnmatch_lines(["*there is no snapshot*"])


ASYNC = """
import pytest

{marker}
async def test_more(plataforma_environment):
    async with plataforma_environment as environment:
        await environment.pilot.press("More")
        await environment.pilot.call("save")
        assert environment.pilot.find("text").text == "1"
"""


@pytest.mark.parametrize(
    ("plugin", "marker"), [("anyio", "@pytest.mark.anyio"), ("pytest_asyncio", "@pytest.mark.asyncio")]
)
def test_async_tests_run_by_whatever_runs_them(project, plugin, marker):
    pytest.importorskip(plugin)
    fixture = "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n" if plugin == "anyio" else ""
    ini = "asyncio_default_fixture_loop_scope = function" if plugin == "pytest_asyncio" else ""
    result = project(ASYNC.format(marker=marker) + fixture, ini=ini)
    result.assert_outcomes(passed=1)


def test_permissions_alone(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["api.vendas[GET,POST]"])
        def test_reads(plataforma_permissions):
            plataforma_permissions.require("api.vendas[GET]")
        """
    )
    result.stdout.fnmatch_lines(["*granted, and not used: api.vendas?POST?*"])


def test_the_plugin_costs_other_people_s_runs_next_to_nothing():
    """Every pytest run imports it wherever the library is installed; it took 220 modules along once."""
    script = (
        "import pytest, sys\nbefore = set(sys.modules)\nimport plataforma_sdk.testing.plugin\n"
        "print(*sorted(set(sys.modules) - before), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "plataforma_sdk",
        "plataforma_sdk.testing",
        "plataforma_sdk.testing._account",
        "plataforma_sdk.testing.plugin",
    ]


def test_every_public_name_of_the_kit_is_found_where_it_is_looked_for():
    names = {name: getattr(testing, name) for name in testing.__all__}
    assert {value.__name__ for value in names.values()} == set(names)
    with pytest.raises(AttributeError, match="no attribute 'Pilot'"):
        testing.Pilot  # noqa: B018 - asking for it is the test


def test_an_async_test_needs_no_other_plugin(project):
    project(ASYNC.format(marker=""), "-p", "no:anyio", "-p", "no:asyncio").assert_outcomes(passed=1)


def test_an_async_test_that_fails_is_told_as_any_other(project):
    result = project(ASYNC.format(marker="").replace('"1"', '"2"'), "-p", "no:anyio", "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: assert '1' == '2'*"])


def test_an_async_test_without_a_module_is_left_to_others(project):
    result = project("async def test_nothing():\n    pass\n", "-p", "no:anyio", "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])


def test_the_module_around_the_tests_is_found(project, pytester):
    inner = pytester.mkdir("deep") / "counter"
    (pytester.path / "counter").rename(inner)
    (inner / "tests").mkdir()
    (inner / "tests" / "test_inner.py").write_text(textwrap.dedent(PRESSES + SAVES))
    result = project("", "deep/counter/tests")
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_the_module_is_found_from_a_folder_below_it(project, pytester, monkeypatch):
    tests = pytester.path / "counter" / "tests"
    tests.mkdir()
    (tests / "test_inner.py").write_text(textwrap.dedent(PRESSES + SAVES))
    monkeypatch.chdir(tests)
    result = project("", "--rootdir", str(tests), str(tests))
    result.assert_outcomes(passed=2)


def test_no_module_is_told_without_the_inside_of_the_plugin(project, pytester):
    (pytester.path / "counter" / "module.toml").unlink()
    result = project(PRESSES, ini="")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no module to test: there is no module.toml around *"])
    result.stdout.no_fnmatch_line("*def _configured*")


def test_an_unexpected_request_fails_the_test_even_where_the_module_takes_no_for_an_answer(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(grants=["window.create"])
        def test_asks(plataforma_run):
            async def body(environment):
                environment.permissions.redeclare(["system.clipboard", "window.create"])
                assert await environment.pilot.call("ask") is False
            plataforma_run(body)
        """
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*module 'counter' asked for 'system.clipboard', and no answer was given*"])


def test_the_language_of_the_person_is_the_markers(project):
    result = project(
        """
        import pytest

        @pytest.mark.plataforma(locale="pt-BR")
        async def test_language(plataforma_environment):
            async with plataforma_environment as environment:
                assert environment.host.locale == "pt-BR"
        """,
        "-k",
        "language",
    )
    result.assert_outcomes(passed=1)
