"""``module.toml``: every fault at once, each with its place and what to write instead."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from plataforma_sdk.errors import Fault, ManifestError
from plataforma_sdk.manifest import LIMIT_NAMES, MAX_MANIFEST_CHARS, Manifest, VersionRange

MINIMAL = 'id = "vendas"\nversion = "1.0.0"\nentry = "vendas:VendasModule"\n'


def faults(text: str, **options: Any) -> list[Fault]:
    with pytest.raises(ManifestError) as caught:
        Manifest.parse(text, **options)
    return list(caught.value.faults)


def fault(addition: str, **options: Any) -> Fault:
    """Return the one fault that these lines bring to a manifest without any."""
    found = faults(MINIMAL + addition, **options)
    assert len(found) == 1, found
    return found[0]


def test_every_key_is_read(full_text: str) -> None:
    manifest = Manifest.parse(full_text)
    assert (manifest.id, manifest.version, manifest.name) == ("acme/vendas", "1.0.0-rc.1", "Vendas")
    assert manifest.authors == ("Ana <ana@example.com>", "Bia")
    assert (manifest.entry_file, manifest.entry_class, manifest.is_component) == ("vendas.py", "VendasModule", False)
    assert manifest.sdk.matches("0.5.0")
    assert manifest.excluded_tiers == ("trusted",)
    assert manifest.restart is False
    assert manifest.permissions.required == {"api.vendas[GET]": "Lê clientes, produtos e vendas"}
    assert manifest.permissions.declared == ("api.vendas[GET]", "system.notifications")
    assert manifest.events.published == ("module.acme--vendas.*",)
    assert manifest.events.consumed == ("user.login", "data.vendas.updated")
    assert manifest.endpoints == {"/acme--vendas/resumo": ("GET",), "/acme--vendas/dados/*": ("GET", "POST")}
    assert manifest.config_values() == {"moeda": "BRL"}
    assert manifest.limits == {"max_memory_bytes": 67_108_864}
    assert manifest.dependencies == {"acme/base": VersionRange.parse("^1.2")}
    assert manifest.assets == ("assets/*",)


def test_three_keys_are_enough() -> None:
    manifest = Manifest.parse(MINIMAL)
    assert (manifest.name, manifest.licence, manifest.restart, manifest.sdk.text) == ("vendas", "", True, "*")
    assert manifest.permissions.declared == ()


def test_five_faults_are_five() -> None:
    text = """\
id = "Vendas"
version = "1.0"
entry = "vendas:VendasModule"
licens = "MIT"

[permissions.required]
"*" = "everything"

[limits]
max_memory_bytes = -1
"""
    assert [found.where for found in faults(text)] == [
        "module.toml:1: id",
        "module.toml:2: version",
        "module.toml:4: licens",
        'module.toml:7: permissions.required."*"',
        "module.toml:10: limits.max_memory_bytes",
    ]
    assert all(found.problem and found.advice for found in faults(text))


def test_the_message_lists_every_fault() -> None:
    with pytest.raises(ManifestError, match="has 3 faults") as caught:
        Manifest.parse("", source="vendas/module.toml")
    assert [found.where for found in caught.value.faults] == [
        "vendas/module.toml: id",
        "vendas/module.toml: version",
        "vendas/module.toml: entry",
    ]
    assert 'add the line id = "vendas"' in str(caught.value)


def test_the_error_names_the_module_where_its_id_is_readable() -> None:
    with pytest.raises(ManifestError) as caught:
        Manifest.parse('id = "vendas"')
    assert caught.value.module == "vendas"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('id = "vendas"\nversion = 1.0.0', "module.toml:2"),
        ('id = "vendas\n', "module.toml:1"),
        ("[permissions", "module.toml"),
        ('id = "a"\nid = "b"', "module.toml"),
        ("x = " + "[" * 5_000 + "]" * 5_000, "module.toml"),
        ("x = 1" + "0" * 5_000, "module.toml"),
    ],
    ids=["value", "quote", "bracket", "twice", "deep", "number"],
)
def test_a_text_that_is_no_toml_is_one_fault(text: str, where: str) -> None:
    found = faults(text)
    assert len(found) == 1
    assert found[0].where.startswith(where)


def test_a_manifest_too_large_is_one_fault() -> None:
    assert "characters" in faults("#" * (MAX_MANIFEST_CHARS + 1))[0].problem


@pytest.mark.parametrize(
    "line", ["a" + ".a" * 15_000 + " = 1", "[" + "a . " * 8_000 + "a]", "['a'" + ".'a'" * 7_000 + "]"]
)
def test_a_key_of_thousands_of_parts_is_refused_before_it_costs_anything(line: str) -> None:
    """Source: the parser of the standard library is quadratic in the parts of a key; 64 kB took 38 s."""
    started = time.process_time()
    assert "parts" in faults(line)[0].problem
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("addition", "where", "advice"),
    [
        ('descripton = "x"', "module.toml:4: descripton", "did you mean 'description'?"),
        ('license = "MIT"', "module.toml:4: license", "did you mean 'licence'?"),
        ("[events]\nconsume = []", "module.toml:5: events.consume", "did you mean 'consumed'?"),
        ("[limits]\nmax_memory = 1", "module.toml:5: limits.max_memory", "did you mean 'max_memory_bytes'?"),
        ('[permissions]\n"api.x" = "why"', 'module.toml:5: permissions."api.x"', "move it to [permissions.required]"),
        ('[config.x]\ntype = "string"\ndefualt = "a"', "module.toml:6: config.x.defualt", "did you mean 'default'?"),
        ("[assets]\nfiles = []", "module.toml:5: assets.files", "known keys are 'include'"),
    ],
)
def test_an_unknown_key_is_told_the_nearest(addition: str, where: str, advice: str) -> None:
    found = fault(addition)
    assert (found.where, found.problem) == (where, "unknown key")
    assert found.advice.startswith(advice)


@pytest.mark.parametrize("value", ['"Vendas"', '"a--b"', '"a/b/c"', '"../x"', '"' + "a" * 65 + '"', "7", '""'])
def test_an_id_is_checked(value: str) -> None:
    found = faults(MINIMAL.replace('"vendas"', value, 1))
    assert [one.where for one in found] == ["module.toml:1: id"]


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ('name = ""', None),
        ('name = "a\\u202Eb"', "cannot be printed"),
        ('name = "' + "x" * 81 + '"', "81 characters"),
        ("name = 7", "is a whole number, not a text"),
        ('description = "two\\nlines"', None),
        ('description = "\\u001b[2J"', "cannot be printed"),
        ('icon = "bar-chart"', None),
        ('icon = "Bar chart"', "is no name of an icon"),
        ('icon = "' + "x" * 41 + '"', "is no name of an icon"),
        ('icon = ["cart"]', "is a list, not a text"),
        ('authors = "Ana"', "is a text, not a list of texts"),
        ('authors = ["Ana", 7]', "not a list of texts"),
        ('authors = ["Ana", "Ana"]', "twice"),
        ('restart = "no"', "is a text"),
        ('exclude = ["docker"]', "is no tier"),
        ('exclude = ["trusted", "restricted", "wasm"]', "excludes every tier"),
        ('exclude = ["restricted", "wasm"]', None),
        ('sdk = "one"', "no version of a range"),
        ("sdk = 1", "not a text"),
        ('licence = "MIT"', None),
        ('licence = "LicenseRef-Proprietary"', None),
        ('licence = "MIT OR"', "no licence"),
        ('licence = "MIT Apache-2.0"', "no licence"),
        ('licence = "(MIT"', "no licence"),
        ('licence = "MIT; rm"', "no licence"),
        ('licence = "()"', "no licence"),
        ('licence = "' + "(" * 200 + '"', "no licence"),
    ],
)
def test_plain_keys_are_checked(addition: str, problem: str | None) -> None:
    if problem is None:
        Manifest.parse(MINIMAL + addition)
    else:
        assert problem in fault(addition).problem


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "vendas.VendasModule:",
        ":X",
        "../vendas:X",
        "/vendas.py",
        "a b:X",
        "vendas:class",
        "x.wasm:X",
        "a-b:X",
        "vendas:X.Y",
    ],
)
def test_an_entry_is_checked(entry: str) -> None:
    assert faults(MINIMAL.replace("vendas:VendasModule", entry))[0].where == "module.toml:3: entry"


def test_a_component_cannot_exclude_its_only_tier() -> None:
    text = MINIMAL.replace("vendas:VendasModule", "vendas.wasm") + 'exclude = ["wasm"]'
    assert "only tier" in faults(text)[0].problem


# --- permissions ---


@pytest.mark.parametrize(
    "text",
    [
        '[permissions]\nrequired = ["api.x", "events.emit"]',
        '[permissions]\nrequired = [{ name = "api.x" }, { name = "events.emit", reason = "" }]',
        '[permissions.required]\n"api.x" = ""\n"events.emit" = ""',
        '[permissions]\nrequired = { "api.x" = "", "events.emit" = "" }',
    ],
    ids=["names", "tables", "reasons", "inline"],
)
def test_permissions_may_be_written_in_several_ways(text: str) -> None:
    assert Manifest.parse(MINIMAL + text).permissions.required == {"api.x": "", "events.emit": ""}


def test_a_permission_is_kept_in_its_canonical_form() -> None:
    manifest = Manifest.parse(MINIMAL + '[permissions]\nrequired = ["api.x[POST,GET]"]')
    assert manifest.permissions.declared == ("api.x[GET,POST]",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[permissions]\nrequired = ["*"]', "no permission"),
        ('[permissions]\nrequired = ["*.read"]', "no permission"),
        ('[permissions]\nrequired = ["Api.X"]', "no permission"),
        ('[permissions]\nrequired = [""]', "no permission"),
        ('[permissions]\nrequired = ["api.x", "api.x"]', "twice"),
        ('[permissions]\nrequired = ["api.x[GET,POST]", "api.x[POST,GET]"]', "twice"),
        ('[permissions]\nrequired = ["api.x"]\noptional = ["api.x"]', "under required as well"),
        ("[permissions]\nrequired = [7]", "holds a whole number"),
        ('[permissions]\nrequired = [{ name = "api.x", why = "y" }]', "holds a table"),
        ("[permissions]\nrequired = [{ name = 7 }]", "no permission"),
        ("[permissions]\nrequired = 7", "not a table"),
        ("permissions = 7", "not a table"),
        ('[permissions.required]\n"api.x" = 7', "its reason is a whole number"),
        ('[permissions.required]\n"api.x" = "a\\u202Eb"', "cannot be printed"),
        ('[permissions.required]\n"api.x" = "' + "x" * 201 + '"', "201 characters"),
    ],
)
def test_permissions_are_checked(text: str, problem: str) -> None:
    assert problem in fault(text).problem


# --- the other tables ---


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[events]\nconsumed = ["User.Login"]', "no topic"),
        ('[events]\nconsumed = ["a..b"]', "no topic"),
        ('[events]\nconsumed = ["data*"]', "no topic"),
        ('[events]\nconsumed = ["' + ".".join("a" * 17) + '"]', "no topic"),
        ('[events]\nconsumed = "user.login"', "not a list"),
        ('[events]\npublished = ["data.vendas.updated"]', "outside the module's own topics"),
        ('[events]\npublished = ["module.vendasx.saved"]', "outside the module's own topics"),
        ('[events]\npublished = ["module.*.saved"]', "outside the module's own topics"),
        ('[endpoints]\n"/other/x" = ["GET"]', "outside the module's own paths"),
        ('[endpoints]\n"/vendas/../x" = ["GET"]', "is no path"),
        ('[endpoints]\n"/vendas/x?y" = ["GET"]', "is no path"),
        ('[endpoints]\n"/vendas/*/x" = ["GET"]', "is no path"),
        ('[endpoints]\n"/*" = ["GET"]', "is no path"),
        ('[endpoints]\n"vendas/x" = ["GET"]', "is no path"),
        ('[endpoints]\n"/vendas/x" = "GET"', "no list of methods"),
        ('[endpoints]\n"/vendas/x" = []', "no list of methods"),
        ('[endpoints]\n"/vendas/x" = ["get"]', "method 'get'"),
        ('[endpoints]\n"/vendas/x" = ["GET", "GET"]', "method twice"),
        ('[endpoints]\n"/vendas/x" = [["GET"]]', "method"),
        ("[limits]\nmax_call_ms = 0", "is 0"),
        ("[limits]\nmax_call_ms = true", "is a boolean"),
        ("[limits]\nmax_call_ms = 1.5", "is a number"),
        ("[limits]\nmax_call_ms = 99999999999999999999", "is 99999999999999999999"),
        ('[dependencies]\n"Base" = "^1"', "no module id"),
        ('[dependencies]\nvendas = "^1"', "is the module itself"),
        ('[dependencies]\nbase = "one"', "no version of a range"),
        ("[dependencies]\nbase = 1", "not a text"),
        ('[assets]\ninclude = ["../*"]', "no path inside"),
        ('[assets]\ninclude = ["/etc/*"]', "no path inside"),
        ("[[limits]]\nmax_call_ms = 1", "not a table"),
    ],
)
def test_tables_are_checked(text: str, problem: str) -> None:
    assert problem in fault(text).problem


def test_a_table_too_long_is_one_fault() -> None:
    text = "[dependencies]\n" + "\n".join(f'm{n} = "*"' for n in range(257))
    assert "257 keys" in fault(text).problem


@pytest.mark.parametrize("name", LIMIT_NAMES)
def test_every_limit_may_be_lowered(name: str) -> None:
    assert Manifest.parse(MINIMAL + f"[limits]\n{name} = 7").limits == {name: 7}


def test_the_names_of_the_limits_are_those_of_resource_limits() -> None:
    import attrs

    from plataforma_sdk.sandbox import ResourceLimits

    assert tuple(attrs.fields_dict(ResourceLimits)) == LIMIT_NAMES


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/acme--vendas/resumo", "GET", True),
        ("/acme--vendas/resumo", "POST", False),
        ("/acme--vendas/resumo/x", "GET", False),
        ("/acme--vendas/dados/x", "POST", True),
        ("/acme--vendas/dados/x/y", "GET", True),
        ("/acme--vendas/dados", "GET", False),
        ("/acme--vendas/dadosx", "GET", False),
    ],
)
def test_endpoints_open_what_they_name(full_text: str, path: str, method: str, expected: bool) -> None:
    assert Manifest.parse(full_text).allows_endpoint(path, method) is expected


# --- with the package's files ---


@pytest.mark.parametrize(
    ("entry", "files"),
    [
        ("vendas:X", ["vendas.py"]),
        ("vendas", ["vendas/__init__.py"]),
        ("pkg.vendas:X", ["pkg/vendas.py"]),
        ("pkg/vendas.py:X", ["pkg/vendas.py"]),
        ("bin/vendas.wasm", ["bin/vendas.wasm"]),
    ],
)
def test_an_entry_is_found_in_the_package(entry: str, files: list[str]) -> None:
    assert Manifest.parse(MINIMAL.replace("vendas:VendasModule", entry), package_files=files).entry == entry


def test_an_entry_that_is_not_in_the_package_is_a_fault() -> None:
    found = fault("", package_files=["venda.py", "module.toml"])
    assert found == (
        "module.toml:3: entry",
        "the package has no vendas.py or vendas/__init__.py",
        "did you mean 'venda.py'?",
    )


def test_an_asset_pattern_that_matches_nothing_is_a_fault() -> None:
    assert "matches no file" in fault('[assets]\ninclude = ["img/*"]', package_files=["vendas.py"]).problem


# --- where ---


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[permissions]\nrequired = [\n  "*",\n]', 'module.toml:5: permissions.required."*"'),
        ('[permissions]\n\n[permissions.optional]\n"*" = ""', 'module.toml:7: permissions.optional."*"'),
        ("limits.max_call_ms = 0", "module.toml:4: limits.max_call_ms"),
        ("limits = { max_call_ms = 0 }", "module.toml:4: limits.max_call_ms"),
        ('description = """\nrestart = 1\n"""\nrestart = 1', "module.toml:7: restart"),
        ("[ 'limits' ]\n  \"max_call_ms\"  =  0", "module.toml:5: limits.max_call_ms"),
    ],
    ids=["list", "table", "dotted", "inline", "multi-line", "quoted"],
)
def test_a_fault_names_its_line(text: str, where: str) -> None:
    assert fault(text).where == where


def test_the_example_of_the_documentation_is_a_manifest(tmp_path: Path) -> None:
    """The example of the module that everything shows: `examples/vendas`."""
    example = Path(__file__).parents[3] / "examples" / "vendas" / "module.toml"
    if not example.exists():
        pytest.skip("no examples beside these tests")
    assert Manifest.parse(example.read_text(encoding="utf-8")).id == "vendas"
