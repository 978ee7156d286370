"""The one door to every check: ``nox`` runs lint, typecheck, docs and tests; the rest by name, ``nox -s bench``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml("pyproject.toml")
PIN = ("-c", "constraints/dev.txt")
ALL_PYTHONS = [
    text.rpartition(" ")[2]
    for text in PROJECT["project"]["classifiers"]
    if text.startswith("Programming Language :: Python :: 3.")
]
ESCAPES = "tests/security/test_restricted_escapes.py"
BROKEN = tuple(f"tests/conformance/registry/test_{name}.py" for name in ("faults", "kill", "tuf_faults"))
SCANS = "tests/security/test_scan_corpus.py"
ONCE = (
    "tests/conformance/registry",  # backends speak HTTP, SQL and files; what they read of Python is in unit/registry
    "tests/security/test_wasm_attacks.py",  # the attacker runs in the guest, which is one CPython for every host
    SCANS,  # rules over an `ast`, whose differences unit/security keeps
    "tests/unit/examples",  # the plugin that runs them is tested in unit/testing, the tiers in conformance
    "tests/unit/cli/test_new.py",  # likewise: each starts a pytest of its own
    "tests/unit/cli/test_run_tests.py",
)
"""What does not depend on the version of the host's Python: run on the newest alone."""
NPM_SEMVER = "semver@7.8.6"
BROWSER = "tests/e2e/desktop"
NPM_AXE = "axe-core@4.14.1"
SIGSTORE_CONFORMANCE = "https://github.com/sigstore/sigstore-conformance"
WARM_UP = "from plataforma_sdk.sandbox.wasm._compiled import compiled_runner; compiled_runner()"
"""Builds and compiles the guest before the tests, whose time-outs would otherwise begin with that."""

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "typecheck", "docs", "tests"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"


def _is_present(version: str) -> bool:
    """Ask the interpreter itself: a pyenv shim is on the PATH also for Pythons that are not active."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return True
    path = shutil.which(f"python{version}")
    return path is not None and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0


PYTHONS = [version for version in ALL_PYTHONS if _is_present(version)]


def _group(*names: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, *names))


def _install_project(session: nox.Session, *groups: str) -> None:
    """Install the project editable with its groups; the guest runner comes from the build hook's cache."""
    session.install(*PIN, "-e", ".[charts,cli,http,s3,trust,web]", *_group(*groups))


def _pytest(session: nox.Session, *args: str, workers: int = 2) -> None:
    """Run tests. Bytecode is kept with the environment: a test that starts an interpreter would compile all of it."""
    parallel = ["-n", str(workers), "--dist", "worksteal"] if workers else []
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{session.virtualenv.location}/bytecode"}
    session.run("pytest", *parallel, *args, *session.posargs, env=bytecode)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, layers and dependencies."""
    session.install(*PIN, *_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", env={"PYTHONPATH": "src"})
    session.run("deptry", "src")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Strict types: the package, the example's host side, and a file that uses the public names."""
    extras = _extras("cli", "http", "postgres", "s3", "trust", "web")
    session.install(*PIN, *PROJECT["project"]["dependencies"], *extras, *_group("typing"))
    session.run("mypy", "src", "examples", "tests/typing")


def _extras(*names: str) -> list[str]:
    return [requirement for name in names for requirement in PROJECT["project"]["optional-dependencies"][name]]


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings as errors, and run every snippet of it."""
    _install_project(session, "docs", "test")
    session.run("python", "-c", WARM_UP)
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")
    _pytest(session, "tests/docs")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python that is present; on the newest alone what does not depend on it, see `ONCE`.

    The snippets of the documentation are run by `docs`, the escape corpora by `security`, and the conformance suite
    once more in threads by `integration`.
    """
    _install_project(session, "test")
    session.run("python", "-c", WARM_UP)
    apart = ["tests/integration", "tests/docs", BROWSER, ESCAPES, *(() if session.python == PYTHONS[-1] else ONCE)]
    everything = ("tests", *(f"--ignore={path}" for path in apart), "-k", "not wasm-threads-")
    _pytest(session, *(() if session.posargs else everything))


@nox.session(python=PYTHONS)
def security(session: nox.Session) -> None:
    """Attack the restricted engine: the default corpora and the other security tests, or ``-- --corpus FILE ...``."""
    _install_project(session, "test")
    session.run("python", "-m", "tests.security.judge", "--cwd", session.invoked_from, *session.posargs)
    if not session.posargs:
        session.run("python", "-c", WARM_UP)
        _pytest(session, "tests/security", "--ignore", ESCAPES)


@nox.session(python=PYTHONS)
def attacks(session: nox.Session) -> None:
    """Attack the wasm engine a thousand times at random, deep recursion included, neighbours answering."""
    _install_project(session, "test")
    session.run("python", "-c", WARM_UP)
    thousand = {"PLATAFORMA_ATTACKS": "1000"}
    session.run("pytest", "tests/security/test_wasm_attacks.py", *session.posargs, env=thousand)


@nox.session(python=PYTHONS)
def differential(session: nox.Session) -> None:
    """Compare plain and restricted by a thousand programs and well-known packages; and scan those packages."""
    _install_project(session, "test", "differential")
    programs = {"PLATAFORMA_EXAMPLES": "1000"}
    session.run("pytest", "-rP", "tests/security/differential", SCANS, *session.posargs, env=programs)


@nox.session(python=PYTHONS[-1:])
def integration(session: nox.Session) -> None:
    """Use real parts: compilers of other languages, packages of the index inside the guest with their own tests, and
    registries; break and kill those that are built in; and the conformance suite with the stock binding, in threads."""
    _install_project(session, "test", "integration")
    session.install(*PIN, *_extras("postgres"))
    session.run("python", "-c", WARM_UP)
    session.install("pip")
    with tempfile.TemporaryDirectory() as wheels:
        for kind in ("--only-binary", "--no-binary"):
            options = ("-q", "--no-deps", "-d", wheels, kind, ":all:", "-r", "constraints/guest.txt")
            session.run("python", "-m", "pip", "download", *options, success_codes=[0, 1, 2])  # absent: skipped
        if shutil.which("npm"):  # npm's own ranges, which ours are compared with; absent: skipped
            command = ("npm", "install", "--silent", "--prefix", wheels, NPM_SEMVER)
            session.run(*command, external=True, success_codes=[0, 1])
        suite = f"{wheels}/sigstore"  # bundles of the public sigstore, right ones and wrong ones; absent: skipped
        clone = ("git", "clone", "--quiet", "--depth", "1", SIGSTORE_CONFORMANCE, suite)
        session.run(*clone, external=True, success_codes=[0, 128])
        many = {"PLATAFORMA_FAULTS": "2500", "PLATAFORMA_KILLS": "200"}
        parts = {"PLATAFORMA_WHEELS": wheels, "NODE_PATH": f"{wheels}/node_modules"}
        if (Path(suite) / "test").is_dir():
            parts["PLATAFORMA_SIGSTORE"] = suite
        session.run("pytest", *(session.posargs or ("tests/integration", *BROKEN)), env=many | parts)
        if not session.posargs:
            _pytest(session, "tests/conformance", "-k", "wasm-threads-")


@nox.session(python=PYTHONS[-1:])
def e2e(session: nox.Session) -> None:
    """Use the desktop as a person does, in a real browser (Debian's chromium); skips with a reason without one."""
    _install_project(session, "test", "e2e")
    session.run("python", "-c", WARM_UP)
    with tempfile.TemporaryDirectory() as npm:
        if shutil.which("npm"):  # what finds faults of accessibility; absent: that test skips
            command = ("npm", "install", "--silent", "--prefix", npm, NPM_AXE)
            session.run(*command, external=True, success_codes=[0, 1])
        axe = {"PLATAFORMA_AXE": f"{npm}/node_modules/axe-core/axe.min.js"}
        session.run("pytest", *(session.posargs or (BROWSER,)), env=axe)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which lines the tests reach, in one process."""
    _install_project(session, "test")
    session.run("python", "-c", WARM_UP)
    session.run("coverage", "run", "-m", "pytest", "tests", *session.posargs)
    session.run("coverage", "report")


@nox.session
def bench(session: nox.Session) -> None:
    """Print the figures: permissions, events and engines beside their peers, as far as there are wheels of them."""
    _install_project(session, "test")
    for peer in _group("peers"):
        session.install(*PIN, "--only-binary", ":all:", peer, success_codes=[0, 1, 2], silent=True)
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Call, call back, cancel and reload until a leak would show, about 10 minutes; ``-- soak_reload`` one alone."""
    _install_project(session, "test")
    names = [name for name in session.posargs if name.startswith("soak_")] or ["soak_wasm", "soak_reload"]
    for name in names:
        session.run("python", "-m", f"tests.soak.{name}", *(item for item in session.posargs if item not in names))


@nox.session
def minimums(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that pyproject.toml admits."""
    session.install(*PIN, *_group("test"))
    session.install("--resolution", "lowest-direct", "-e", ".[charts,cli,http,s3,trust,web]")
    session.run("python", "-c", WARM_UP)
    _pytest(session, "tests", "--ignore=tests/docs", "--ignore", ESCAPES, "-W", "ignore:'click:DeprecationWarning")


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel, install it alone elsewhere, run the demo from it, and make, test and pack a module with it."""
    session.install("uv")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("uv", "build", "--out-dir", "dist")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    session.install("--force-reinstall", f"{wheel}[cli]", "pytest>=9")
    with tempfile.TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
        session.run("plataforma", "--version")
        session.run("plataforma", "demo", "--engine", "all", "--yes", "--json", silent=True)
        for template in ("python", "window", "javascript", "c"):
            session.run("plataforma", "new", f"novo-{template}", "--template", template, "--yes")
            session.run("plataforma", "test", f"novo-{template}")
        session.run("plataforma", "pack", "novo-window")
        session.run("plataforma", "inspect", "novo-window/dist/novo-window-0.1.0.zip")
