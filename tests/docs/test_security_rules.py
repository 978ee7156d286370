"""The page of the rules says what the table says, and cannot go stale: ``python -m tests.docs.test_security_rules``
writes it anew."""

from __future__ import annotations

from pathlib import Path

from plataforma_sdk.security import SCAN_RULES, ScanRule

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "security-rules.md"
HEAD = """# Security rules

What `SecurityService` looks for, why, where that is known from, and what to do about it.
Each issue has a risk: `high` and `critical` fail a scan by default, `medium` and `low` are remarks that
count for the grades.

To use them see [scan a module](../how-to/scan-a-module.md).
This page is written from the tables in `security/_rules*.py`, and a test holds them together.
"""


def write_page() -> str:
    """Return the page that the table makes."""
    parts = [HEAD]
    scans = dict.fromkeys(rule.scan for rule in SCAN_RULES.values())
    for scan in scans:
        title = {"extra": "Other tools, and scanners that fail"}.get(scan, f"The scan `{scan}`")
        parts.append(f"## {title}\n")
        parts += [_section(rule) for rule in SCAN_RULES.values() if rule.scan == scan]
    return "\n".join(parts)


def _section(rule: ScanRule) -> str:
    return (
        f"### `{rule.name}`\n\n*{rule.risk}, {rule.dimension}.* It fires where {rule.what}.\n\n"
        f"Why: {rule.why}\n\nSource: {rule.source}.\n\nRemedy: {rule.remedy}.\n"
    )


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text("utf-8") == write_page()


def test_each_rule_says_everything():
    for rule in SCAN_RULES.values():
        assert all((rule.what, rule.why, rule.source, rule.remedy))
        assert not rule.what.endswith(".")
        assert rule.why.endswith(".")


if __name__ == "__main__":
    PAGE.write_text(write_page(), "utf-8")
