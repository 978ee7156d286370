"""What a reader of a source does not see is found; the same characters where they belong are not."""

from __future__ import annotations

import asyncio

import pytest


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("reversed-text", "x = 'user\u202e \u2066# admin'"),
        ("invisible-text", "x = '|" + "\U000e0160" * 12 + "|'"),
        ("invisible-text", "x = 'a\u200b\u200c\u200d\u200bb'"),
        ("invisible-text", "x = 'help\U000e0069\U000e0067'"),
        ("invisible-text", "\u3164 = 1"),
        ("look-alike-name", "def \u0441heck(): pass"),
        ("look-alike-name", "x = \U0001d626\U0001d637\U0001d622\U0001d62d"),
        ("code-out-of-sight", "import json" + " " * 200 + ";import os"),
        ("code-out-of-sight", "import json" + "\u2003" * 200 + ";exec('1')"),
    ],
)
def test_what_nobody_sees_is_found_at_its_line(scan, rule, source):
    """CVE-2021-42574, CVE-2021-42694, GlassWorm, W4SP."""
    result = asyncio.run(scan(source))
    assert (rule, 2) in {(issue.rule, issue.line) for issue in result.issues}
    assert not result.passed


@pytest.mark.parametrize(
    "source",
    [
        "x = '\u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467'",
        "x = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'",
        "x = '\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f'",
        "x = '\u845b\U000e0100'",
        "\u03c3 = 1; \u0394t = 2; pre\u00e7o = 3",
        "class \u041a\u043b\u0438\u0435\u043d\u0442\u044b: pass",
        "x = '\\u202e'",
        "x = {'a':" + " " * 120 + "'b'}",
        "x = 1" + " " * 300 + "# a comment",
    ],
)
def test_characters_where_they_belong_pass(scan, source):
    result = asyncio.run(scan(source))
    assert result.passed, result.reasons


def test_a_file_of_spaces_is_passed_over_at_once(scan):
    """A pattern that goes back for each of 400,000 spaces takes hours, and meets the time-out of the tests."""
    result = asyncio.run(scan("x = 1" + " " * 200_000 + "\ny = 2" + "\t" * 200_000 + "\n"))
    assert "code-out-of-sight" not in {issue.rule for issue in result.issues}
