"""Dependencies and wheels against a local file of advisories."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import AdvisoryDatabase, ScanStatus, SecurityService, write_advisories

RECORDS = [
    {
        "id": "PLAT-1",
        "summary": "reads too much",
        "affected": [
            {
                "package": {"ecosystem": "plataforma", "name": "base"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.4.0"}]}],
            }
        ],
    },
    {
        "id": "PYSEC-1",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "Some_Lib"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10"}]}],
            }
        ],
    },
    {
        "id": "MAL-2024-1",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}, "versions": ["1.0"]}],
    },
    {
        "id": "PLAT-2",
        "withdrawn": "2024-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "plataforma", "name": "base"}, "versions": ["1.5.0"]}],
    },
]


@pytest.fixture(params=["json", "zip", "sqlite"])
def advisories(request, tmp_path):
    """The same advisories in each of the three forms."""
    as_json = tmp_path / "osv.json"
    as_json.write_text(json.dumps({"vulns": RECORDS}))
    if request.param == "json":
        return as_json
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "osv.zip", "w") as archive:
            for record in RECORDS:
                archive.writestr(f"{record['id']}.json", json.dumps(record))
        return tmp_path / "osv.zip"
    assert write_advisories(as_json, tmp_path / "osv.sqlite") == len(RECORDS)
    return tmp_path / "osv.sqlite"


def audit(path, *, dependency=None, wheel=None):
    text = 'id = "shop"\nversion = "1.0.0"\nentry = "shop"\nlicence = "MIT"\n'
    files = {"shop.py": b"x = 1\n"}
    if dependency:
        text += f'[dependencies]\nbase = "{dependency}"\n'
    if wheel:
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as archive:
            archive.writestr("lib.py", "x = 1")
        files[wheel] = raw.getvalue()
        text += f'[wheels]\n"{wheel}" = "sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}"\n'
    package = ModulePackage.from_files({**files, "module.toml": text.encode()})
    service = SecurityService(trial=False, tools=False, advisories=path)
    return asyncio.run(service.scan(package)).result("dependency-audit")


@pytest.mark.parametrize(
    ("dependency", "rules"),
    [
        ("~1.2.0", ["vulnerable-dependency"]),
        (">1.1.0 <1.3.0", ["vulnerable-dependency"]),
        ("~0.9.0", []),
        ("1.0.0", ["vulnerable-dependency"]),
        ("^1.0.0", ["vulnerable-range"]),
        ("^1.4.0", []),
        ("^2.0.0", []),
    ],
)
def test_a_range_is_held_against_the_versions_that_an_advisory_names(advisories, dependency, rules):
    result = audit(advisories, dependency=dependency)
    assert [issue.rule for issue in result.issues] == rules
    assert all("1.4.0 or later" in issue.remedy for issue in result.issues)


@pytest.mark.parametrize(
    ("wheel", "rules"),
    [
        ("wheels/some_lib-2.9-py3-none-any.whl", ["vulnerable-dependency"]),
        ("wheels/some_lib-2.10-py3-none-any.whl", []),
        ("wheels/some_lib-2.10rc1-py3-none-any.whl", ["vulnerable-dependency"]),
        ("wheels/evil-1.0-py3-none-any.whl", ["malicious-dependency"]),
        ("wheels/evil-1.1-py3-none-any.whl", []),
    ],
)
def test_a_wheel_is_held_against_its_version(advisories, wheel, rules):
    result = audit(advisories, wheel=wheel)
    assert [issue.rule for issue in result.issues] == rules
    assert result.passed == (not rules)


def test_advisories_that_cannot_be_read_are_a_failed_scan(tmp_path):
    (tmp_path / "osv.json").write_text("[1]")
    assert audit(tmp_path / "osv.json").status is ScanStatus.FAILED
    assert audit(tmp_path / "absent.json").status is ScanStatus.FAILED


def test_a_written_index_is_not_written_over(tmp_path):
    (tmp_path / "osv.json").write_text(json.dumps(RECORDS))
    (tmp_path / "osv.sqlite").write_text("mine")
    with pytest.raises(FileExistsError, match="remove it first"):
        write_advisories(tmp_path / "osv.json", tmp_path / "osv.sqlite")


def test_names_are_compared_as_their_ecosystem_does(advisories):
    database = AdvisoryDatabase.open(advisories)
    assert [record["id"] for record in database.about("PyPI", "some.LIB")] == ["PYSEC-1"]
    assert database.about("plataforma", "Base") == []
