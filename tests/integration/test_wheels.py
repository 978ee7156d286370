"""Well-known packages of the index inside the guest, with part of their own tests.

``PLATAFORMA_WHEELS`` names a directory with their wheels and source archives, as ``nox -s integration`` fills it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.sandbox import ResourceLimits

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "with-wheels"
FOLDER = os.environ.get("PLATAFORMA_WHEELS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="PLATAFORMA_WHEELS names no directory: run nox -s integration")
SHIM = Path(__file__).with_name("mini_pytest.py")
LIMITS = ResourceLimits(max_step_ms=20_000, max_call_ms=120_000, max_memory_bytes=512 * 2**20, max_fuel=10**12)

SUITES = {
    "attrs": (
        ["attrs"],
        "tests",
        """test_abc test_annotations test_cmp test_config test_converters test_filters test_hooks test_next_gen
        test_pattern_matching test_slots test_version_info""",
    ),
    "more-itertools": (["more_itertools"], "tests", "test_more test_recipes"),
    "python-slugify": (
        ["python_slugify", "text_unidecode"],
        "tests",
        "test_legacy test_modern_combining_marks test_modern_word_boundary",
    ),
    "tabulate": (["tabulate"], "", "test_api test_input test_internal test_output test_regression test_textwrapper"),
    "jinja2": (
        ["jinja2", "markupsafe"],
        "",
        """test_core_tags test_ext test_filters test_idtracking test_imports test_inheritance test_lexnparse
        test_nativetypes test_nodes test_regression test_runtime test_security test_tests""",
    ),
}
"""Package -> the wheels that it needs, the package that its tests are, and which of their files."""

CONFTESTS = {
    "jinja2": "import conftest",
    "attrs": """
import types
conftest = types.SimpleNamespace(__name__="conftest")
for name in ("slots", "frozen"):
    def values(request): return request.param
    values.__module__ = "conftest"
    pytest.fixture(values, name=name, params=(True, False))
""",
}
"""What makes the fixtures that all files share; attrs' own ``conftest`` needs Hypothesis."""

UNFIT = {
    "jinja2": ("test_elif_deep",),
    "more-itertools": (
        "TimeLimitedTests",
        "CallbackIterTests",
        "test_concurrent_calls",
        "test_concurrent_consumers",
        "test_repeated_zero_cache_peek_has_bounded_memory",
    ),
}
"""Tests that need what no guest has: ``time.sleep``, threads, `tracemalloc`, a stack of more than a megabyte."""

SKIPPED_AT_MOST = 0.15

MODULE = """
import importlib, traceback
import pytest
from plataforma_sdk import ModuleFramework, ui

SUITE = {suite!r}
exec(SUITE["conftest"])
MODULES = [importlib.import_module(name) for name in SUITE["modules"]]

class Tests(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("")

    async def run(self):
        return {{module.__name__: await pytest.run(module, SUITE["unfit"]) for module in MODULES}}
"""


def find(name: str, ending: str) -> Path:
    for path in sorted(Path(FOLDER).iterdir()):
        if path.name.startswith(f"{name}-") and path.name.endswith(ending):
            return path
    pytest.skip(f"{FOLDER} holds no {name}-*{ending}: the index did not answer")


def pure_wheel(name: str) -> tuple[str, bytes]:
    """Return a wheel as it is, or, where it brings an optional native part, without that."""
    path = find(name, ".whl")
    if path.name.endswith("-none-any.whl"):
        return path.name, path.read_bytes()
    project, version, *_ = path.name.split("-")
    data = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            if not item.endswith((".so", ".pyd")):
                new.writestr(item, old.read(item))
    return f"{project}-{version}-py3-none-any.whl", data.getvalue()


def suite_wheel(name: str, package: str) -> bytes:
    """Pack the tests of a source archive, and our shim for pytest, into a wheel."""
    data = io.BytesIO()
    with tarfile.open(find(name.replace("-", "_"), ".tar.gz")) as archive, zipfile.ZipFile(data, "w") as wheel:
        wheel.writestr("pytest.py", SHIM.read_text(encoding="utf-8"))
        for member in archive:
            _, _, inner = member.name.partition("/")
            folder, _, rest = inner.partition("/")
            content = archive.extractfile(member) if member.isfile() and folder in ("test", "tests") else None
            if content is not None:
                wheel.writestr(f"{package}/{rest}" if package else rest, content.read())
    return data.getvalue()


def make_package(name: str) -> tuple[ModulePackage, list[str]]:
    needed, package, files = SUITES[name]
    wheels = dict(map(pure_wheel, needed))
    wheels["suite-1.0-py3-none-any.whl"] = suite_wheel(name, package)
    carried = {f"wheels/{file}": content for file, content in wheels.items()}
    modules = [f"{package}.{file}" if package else file for file in files.split()]
    suite = {"modules": modules, "conftest": CONFTESTS.get(name, ""), "unfit": UNFIT.get(name, ())}
    return ModulePackage.from_source(
        MODULE.format(suite=suite),
        id="tests",
        files=carried,
        wheels={path: f"sha256:{hashlib.sha256(content).hexdigest()}" for path, content in carried.items()},
    ), modules


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SUITES)
def test_the_own_tests_of_a_package_pass_inside_the_guest(name, record_property):
    """Part of them: what needs files, processes or Hypothesis is left out by name."""

    async def run():
        package, modules = make_package(name)
        async with ModuleHost(engine="wasm", limits=LIMITS) as host:
            module = await host.load(package)
            results = await module.call("run")
            assert list(results) == modules
            return results

    results = asyncio.run(run())
    passed = sum(result["passed"] for result in results.values())
    skipped = sum(result["skipped"] for result in results.values())
    failed = {f"{file}.{test}": text for file, result in results.items() for test, text in result["failed"].items()}
    record_property("passed", passed)
    sys.stdout.write(f"{name}: {passed} passed, {skipped} skipped\n")
    assert failed == {}, "\n".join(f"{test}: {text}" for test, text in failed.items())
    assert passed > 0
    assert skipped <= SKIPPED_AT_MOST * (passed + skipped)


@pytest.mark.timeout(300)
def test_the_example_with_wheels_runs_with_the_one_that_its_readme_fetches():
    """Under the digest that its manifest names."""
    name, content = pure_wheel("tabulate")
    files = {path.name: path.read_bytes() for path in EXAMPLE.iterdir() if path.is_file()}
    package = ModulePackage.from_files({**files, f"wheels/{name}": content})

    async def run():
        async with ModuleHost() as host:
            relatorio = await host.load(package)
            return await relatorio.call("escrever", [{"produto": "Café", "total": 3}])

    header, _rule, row = asyncio.run(run()).splitlines()
    assert (header.split(), row.split()) == (["|", "produto", "|", "total", "|"], ["|", "Café", "|", "3", "|"])
