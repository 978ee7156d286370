"""The version of the policy: nobody raises it, and nothing that writes code is left out of it."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.restricted import CodeStore, CompileCache, _code_version
from plataforma_sdk.sandbox.restricted._code_version import code_version, policy_sources
from tests.unit.sandbox.restricted.cache_kit import FILE, LIBRARY, OTHER, SOURCE, finish, start

POLICY = Path("plataforma_sdk", "sandbox", "restricted", "_policy_flow.py")
TELL = "from plataforma_sdk.sandbox.restricted._code_version import code_version\nprint(code_version().hex())"
TELL_AFTER_A_CHANGE = """
import time
from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.restricted import _code_version, _policy_flow
time.sleep(0.05)
with open(_policy_flow.__file__, "a") as file:
    file.write("# changed\\n")
try:
    _code_version.code_version()
except SandboxError as error:
    print(error)
"""

TELL_AFTER_A_LINK = """
import os
from plataforma_sdk.sandbox.restricted import _code_version, _policy_flow
before = os.stat(_policy_flow.__file__).st_ctime_ns
while os.stat(_policy_flow.__file__).st_ctime_ns == before:
    os.link(_policy_flow.__file__, "linked")
    os.unlink("linked")
print(_code_version.code_version().hex())
"""
TELL_AFTER_A_SECRET_CHANGE = """
import os
from plataforma_sdk.errors import SandboxError
from plataforma_sdk.sandbox.restricted import _code_version, _policy_flow
status = os.stat(_policy_flow.__file__)
with open(_policy_flow.__file__, "r+b") as file:
    file.write(b"#")
os.utime(_policy_flow.__file__, ns=(status.st_atime_ns, status.st_mtime_ns))
try:
    _code_version.code_version()
except SandboxError as error:
    print(error)
"""


@pytest.fixture
def fresh():
    """The version, computed and not remembered; the remembered one is there before a test changes anything."""
    code_version()
    return code_version.__wrapped__


@pytest.fixture
def library(tmp_path) -> Path:
    """A copy of this library that may be changed."""
    shutil.copytree(LIBRARY / "plataforma_sdk", tmp_path / "plataforma_sdk", ignore=shutil.ignore_patterns("_examples"))
    return tmp_path


def imports_of(source: bytes) -> set[str]:
    """Every module of this library that a file imports, in whatever form, as its syntax tree says."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import would not be followed"
            found.add(node.module or "")
            found.update(name for alias in node.names if is_module(name := f"{node.module}.{alias.name}"))
    return {name for name in found if name.startswith("plataforma_sdk")}


def is_module(name: str) -> bool:
    return LIBRARY.joinpath(*name.split(".")).with_suffix(".py").is_file()


def test_all_that_compiles_is_in_the_version():
    """The files that are digested import no other file of this library."""
    sources = policy_sources()
    ours = [source for name, source in sources.items() if name.startswith("plataforma_sdk")]
    imported = set().union(*map(imports_of, ours))

    assert imported <= set(sources)
    assert {"_compile", "_policy_base", "_policy_classes", "_policy_flow", "_policy_operators", "_names"} <= {
        name.rpartition(".")[2] for name in sources
    }


def test_the_transformer_that_the_policy_extends_is_in_the_version():
    """It is one file, that imports nothing of RestrictedPython but types."""
    source = policy_sources()["RestrictedPython.transformer"]
    own = {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("RestrictedPython"))
    }

    assert own <= {"RestrictedPython._types", "_compat", "RestrictedPython._compat"}


def test_the_version_is_the_same_each_time(fresh):
    assert (fresh(), len(fresh())) == (code_version(), 32)


@pytest.mark.parametrize("name", sorted(policy_sources()))
def test_any_change_of_a_policy_file_changes_the_version(fresh, monkeypatch, name):
    """A comment is enough: what it costs is one compilation."""
    changed = {**policy_sources(), name: policy_sources()[name] + b"#"}
    monkeypatch.setattr(_code_version, "policy_sources", lambda: changed)

    assert fresh() != code_version()


@pytest.mark.parametrize(
    ("owner", "fact", "value"),
    [
        (sys.implementation, "cache_tag", "cpython-399"),
        (sys, "hexversion", sys.hexversion + 1),
        (importlib.util, "MAGIC_NUMBER", b"\0\0\r\n"),
    ],
    ids=["implementation", "version", "magic number"],
)
def test_another_python_has_another_version(fresh, monkeypatch, owner, fact, value):
    monkeypatch.setattr(owner, fact, value)

    assert fresh() != code_version()


def test_a_changed_file_on_disk_changes_the_version(library):
    """The same files elsewhere are the same version; one line more is another."""
    before = finish(start(TELL, library=library))
    with (library / POLICY).open("a") as file:
        file.write("# changed\n")
    after = finish(start(TELL, library=library))

    assert (before == code_version().hex(), before == after, len(after)) == (True, False, 64)


@pytest.mark.parametrize(
    "script", [TELL_AFTER_A_CHANGE, TELL_AFTER_A_SECRET_CHANGE], ids=["", "of the same size and time"]
)
def test_a_file_changed_under_a_running_process_has_no_version(library, script):
    """What runs is the old policy: its work must not be stored under the name of the new one."""
    assert "_policy_flow was changed after this process imported it" in finish(start(script, library=library))


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a link changes no time")
def test_a_file_linked_into_another_environment_keeps_its_version(library, monkeypatch):
    """As uv does with the same version of a library: the time of change is another, the content is not."""
    monkeypatch.chdir(library)

    assert finish(start(TELL_AFTER_A_LINK, library=library)) == code_version().hex()


def test_what_is_compared_was_read_before_it_was_imported(library):
    """No file of the policy runs before its source has been read."""
    script = """
import importlib.machinery, sys
order = []
get_data, exec_module = (getattr(importlib.machinery.SourceFileLoader, name) for name in ("get_data", "exec_module"))
def note(what, function):
    def noting(self, *rest):
        order.append((what, self.name, str(rest[0]).endswith(".py")))
        return function(self, *rest)
    return noting
importlib.machinery.SourceFileLoader.get_data = note("read", get_data)
importlib.machinery.SourceFileLoader.exec_module = note("run", exec_module)
from plataforma_sdk.sandbox.restricted._code_version import policy_sources
names = [name for name in policy_sources() if "restricted" in name.lower()]
runs = {name: order.index(("run", name, False)) for name in names}
reads = {name: order.index(("read", name, True)) for name in names}
print([name for name in names if reads[name] > runs[name]])
"""

    assert finish(start(script, library=library)) == "[]"


def test_a_library_in_an_archive_has_the_version_of_its_files(library, tmp_path):
    """Sources are asked of the loader, not of the file system."""
    archive = tmp_path / "library.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (library / "plataforma_sdk").rglob("*"):
            if path.suffix in {".py", ".wit"}:
                file.write(path, path.relative_to(library))

    assert finish(start(TELL, library=archive)) == code_version().hex()


@pytest.mark.parametrize(
    "spec",
    [
        None,
        importlib.machinery.ModuleSpec("policy", None, origin="policy.py"),
        importlib.machinery.ModuleSpec(
            "policy", importlib.machinery.SourcelessFileLoader("policy", "policy.pyc"), origin="policy.pyc"
        ),
        importlib.machinery.ModuleSpec(
            "policy", importlib.machinery.SourceFileLoader("policy", "/absent/policy.py"), origin="/absent/policy.py"
        ),
    ],
    ids=["absent", "without a loader", "without source", "unreadable"],
)
def test_a_policy_without_source_has_no_version(fresh, monkeypatch, tmp_path, caplog, spec):
    """Its code is kept in memory alone, and the log says why, once."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(SandboxError, match="the version of the policy is unknown"):
        fresh()
    cache = CompileCache(store=CodeStore(tmp_path / "compiled", version=fresh))
    assert cache.compile(SOURCE, FILE) is cache.compile(SOURCE, FILE)
    cache.compile(OTHER, FILE)

    assert list(tmp_path.iterdir()) == []
    assert len(caplog.records) == 1
