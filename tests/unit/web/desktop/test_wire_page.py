"""The page that describes the wire names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from plataforma_sdk.web.desktop._protocol import _FIELDS, WireLimits

PAGE = (Path(__file__).parents[4] / "docs/reference/desktop-wire.md").read_text("utf-8")


def _rows(heading: str) -> dict[str, str]:
    section = PAGE.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", section, re.MULTILINE))


def test_every_message_of_a_page_is_described_with_its_fields() -> None:
    rows = _rows("From the page")

    assert rows.keys() == _FIELDS.keys()
    for kind, fields in _FIELDS.items():
        assert fields.keys() <= set(re.findall(r"`(\w+)`", rows[kind])), kind


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    limits = WireLimits()

    assert f"{limits.max_message_bytes >> 10} kB" in PAGE
    assert f"{limits.max_messages_per_s:.0f} messages a second for long, or {limits.max_burst_messages} at once" in PAGE
    assert f"up to {limits.max_waiting_bytes >> 20} MB" in PAGE
    assert f"within {limits.send_timeout_s:.0f} seconds" in PAGE
    assert f"For {limits.grace_s:.0f} seconds" in PAGE
    assert f"has {limits.max_sessions} pages" in PAGE
    assert f"At most {limits.max_running} messages" in PAGE


def test_every_reason_of_an_end_is_described() -> None:
    source = Path(__file__).parents[4] / "src/plataforma_sdk/web/desktop"
    code = "".join(path.read_text("utf-8") for path in source.glob("_*.py"))
    reasons = set(re.findall(r'(?:Bye|\.end)\("([a-z]+)"\)', code))

    assert _rows("The end").keys() - {"reason"} == reasons
