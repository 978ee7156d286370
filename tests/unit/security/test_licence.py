"""Licences are SPDX expressions, and a policy admits some."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import ScanPolicy, SecurityService
from plataforma_sdk.security._spdx import licences_of

TOML = 'id = "shop"\nversion = "1.0.0"\nentry = "shop"\n'


def issues(licence, **policy):
    text = TOML + (f'licence = "{licence}"\n' if licence is not None else "")
    package = ModulePackage.from_files({"module.toml": text.encode(), "shop.py": b"x = 1\n"})
    service = SecurityService(trial=False, tools=False, policy=ScanPolicy(**policy))
    result = asyncio.run(service.scan(package)).result("licence")
    return [issue.rule for issue in result.issues], result.passed


@pytest.mark.parametrize(
    ("expression", "alternatives"),
    [
        ("MIT", [["MIT"]]),
        ("mit", [["MIT"]]),
        ("Apache-2.0 OR MIT", [["Apache-2.0"], ["MIT"]]),
        ("MIT AND (ISC OR 0BSD)", [["MIT", "ISC"], ["MIT", "0BSD"]]),
        ("MIT OR ISC AND 0BSD", [["MIT"], ["ISC", "0BSD"]]),
        ("GPL-2.0-only WITH Classpath-exception-2.0", [["GPL-2.0-only"]]),
        ("LicenseRef-Acme", [["LicenseRef-Acme"]]),
    ],
)
def test_an_expression_is_read_into_its_alternatives(expression, alternatives):
    assert licences_of(expression) == alternatives


@pytest.mark.parametrize(
    "text", ["", "Proprietary!", "MIT OR", "(MIT", "MIT)", "MIT ISC", "GPL-2.0-only WITH", "x" * 600]
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        licences_of(text)


@pytest.mark.parametrize(
    ("licence", "policy", "expected"),
    [
        ("MIT", {}, ([], True)),
        (None, {}, (["licence-missing"], True)),
        ("NotALicence-9", {}, (["licence-unknown"], True)),
        ("MIT OR GPL-3.0-only", {"licences": {"MIT"}}, ([], True)),
        ("MIT AND GPL-3.0-only", {"licences": {"MIT"}}, (["licence-refused"], False)),
        (None, {"licences": {"MIT"}}, (["licence-refused"], False)),
        ("NotALicence-9", {"licences": {"MIT"}}, (["licence-refused"], False)),
    ],
)
def test_a_licence_is_held_against_the_policy(licence, policy, expected):
    assert issues(licence, **policy) == expected
