"""The page of the restricted tier's library says what there is, and cannot go stale."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from plataforma_sdk.sandbox.restricted import ATTESTED
from plataforma_sdk.sandbox.restricted._fuel import Account
from plataforma_sdk.sandbox.restricted._sandbox import Sandbox
from plataforma_sdk.sandbox.restricted._vetted import LIBRARIES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "restricted-library.md"


def _documented() -> dict[str, set[str]]:
    text = PAGE.read_text("utf-8")
    sections = re.findall(r"^## `([\w.]+)`\n\nThere is: (.*?)\.\n\nLeft out: (.+?)\n", text, re.MULTILINE)
    assert all(left_out.strip() for _, _, left_out in sections)
    return {name: set(re.findall(r"`(\w+)`", items)) for name, items, _ in sections}


@pytest.mark.skipif(sys.version_info[:2] != ATTESTED[-1], reason="the page tells of the newest Python")
def test_the_page_lists_what_a_module_finds():
    """Every vetted module has a section, which names everything in it and says what is left out."""
    sandbox = Sandbox(1 << 26, libraries=LIBRARIES)
    sandbox.meter.enter(Account(10**9, 10**9))
    found = {}
    for name in LIBRARIES:
        slots = [cls.__dict__.get("__slots__", ()) for cls in type(sandbox.library(name)).__mro__]
        found[name] = {item for slot in slots for item in ([slot] if isinstance(slot, str) else slot)}

    assert _documented() == {name: {item for item in items if item[:1] != "_"} for name, items in found.items()}
