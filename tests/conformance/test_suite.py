"""The suite about itself: how many cases there are, and that no part of the authoring API is without one."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from plataforma_sdk.module import FRAMEWORK_NAMES, ModuleClipboard, ModulePermissions, ModuleStorage, ModuleWindow
from plataforma_sdk.sandbox import TIERS

from ._suite import CASES, METERED

MINIMUM = 60
"""Modules-with-expectations that every tier passes."""


@pytest.fixture(scope="module")
def cases():
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    return CASES


def test_enough_cases_run_in_every_tier(cases):
    everywhere = [name for name, case in cases.items() if case.tiers == TIERS]
    assert len(everywhere) >= MINIMUM
    assert {case.tiers for case in cases.values()} <= {
        TIERS,
        METERED,
        ("trusted", "wasm"),
        ("trusted", "restricted"),
        *((tier,) for tier in TIERS),
    }


@pytest.mark.parametrize("name", sorted(FRAMEWORK_NAMES))
def test_every_public_name_of_the_framework_has_a_case(cases, name):
    pattern = re.compile(rf"\bself\.{name}\b|def {name}\(")
    assert [case.name for case in cases.values() if pattern.search(case.source)]


PARTS = {
    "permissions": ModulePermissions,
    "storage": ModuleStorage,
    "clipboard": ModuleClipboard,
}


@pytest.mark.parametrize(
    "name", sorted(f"{part}.{name}" for part, cls in PARTS.items() for name in vars(cls) if not name.startswith("_"))
)
def test_every_method_of_its_parts_has_a_case(cases, name):
    assert [case.name for case in cases.values() if f"self.{name}(" in case.source]


@pytest.mark.parametrize("name", sorted(name for name in ("update", "close", "is_open", "title", "id")))
def test_every_member_of_a_window_has_a_case(cases, name):
    assert hasattr(ModuleWindow("w", "t"), name)
    assert [case.name for case in cases.values() if re.search(rf"\.{name}\b", case.source)]


REFUSED = {"emit", "subscribe", "create_window", "api_call", "query", "execute", "notify", "storage", "clipboard"}
"""What needs a permission; `request` has a case of its own in the events."""


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_whatever_needs_a_permission_is_refused_and_allowed(cases, name):
    pattern = re.compile(rf"\bself\.{name}\b")
    used = [case.name for case in cases.values() if pattern.search(case.source)]
    assert [case for case in used if case.startswith("undeclared_")]
    assert [case for case in used if case.startswith("granted_later_")]
