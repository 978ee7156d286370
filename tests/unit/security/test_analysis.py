"""What an analysis finds without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import RULES, Severity, analyse, used_permissions

VENDAS = Path(__file__).parents[3] / "examples" / "vendas"
HEAD = """
from plataforma_sdk import ModuleFramework, ui

class Module(ModuleFramework):
    def render(self):
        return ui.text("")

    async def on_load(self):
        self.name = "x"
"""


def package(body, *, permissions=(), optional=(), **settings):
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return ModulePackage.from_source(HEAD + lines, id="shop", permissions=permissions, optional=optional, **settings)


def rules(body, **settings):
    return [finding.rule for finding in analyse(package(body, **settings))]


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        ("await self.api_call('/vendas/clientes')", "api.vendas[GET]"),
        ("await self.api_call('/vendas/clientes', method='POST', json={})", "api.vendas[POST]"),
        ("await self.api_call('https://api.example.com/v1')", "api.external[api.example.com]"),
        ("await self.api_call(f'/vendas/clientes/{self.name}')", "api.vendas[GET]"),
        ("await self.api_call(f'https://api.example.com/{self.name}')", "api.external[api.example.com]"),
        ("self.emit('saved', 1)", "events.emit[module.shop.saved]"),
        ("self.subscribe('user.login', print)", "events.subscribe[user.login]"),
        ("self.create_window(title='Shop')", "window.create"),
        ("self.create_window(title='Shop', modal=True)", "window.modal"),
        ("await self.storage.get('k')", "system.storage"),
        ("await self.clipboard.write('k')", "system.clipboard"),
        ("await self.notify('a', 'b')", "system.notifications"),
        ("await self.query('SELECT 1')", "database.read"),
        ("await self.execute('DELETE FROM a')", "database.write"),
        ("self.permissions.require('system.storage')", "system.storage"),
        ("await self.request('module.other.sum', 1, timeout_s=1)", "events.emit[module.other.sum]"),
    ],
)
def test_a_use_needs_its_declaration(call, permission):
    """The table that the host obeys decides; a permission that is used is not dead."""
    (found,) = [finding for finding in analyse(package(call)) if finding.rule == "undeclared-permission"]
    assert repr(permission) in found.message
    assert f'"{permission}" = ' in found.advice
    assert found.line == 10
    settings = {"permissions": (permission,)} if permission != "window.modal" else {"permissions": ("window.*",)}
    assert rules(call, **settings) == []
    assert used_permissions(package(call)) == (permission,)


@pytest.mark.parametrize(
    ("call", "declared"),
    [
        ("await self.api_call(self.name)", "api.vendas[GET]"),
        ("self.emit(self.name)", "events.emit[module.shop.saved]"),
        ("self.permissions.has(self.name)", "system.storage"),
        ("await self.query(self.name)", "database.read[Customer]"),
    ],
)
def test_what_is_computed_is_neither_undeclared_nor_dead(call, declared):
    assert rules(call, permissions=(declared,)) == []


def test_what_nothing_needs_is_dead_scope_by_scope():
    findings = analyse(package("await self.api_call('/a/b')", permissions=("api.a[GET,POST]", "system.storage")))
    assert [(finding.rule, finding.severity) for finding in findings] == [("dead-grant", Severity.WARNING)] * 2
    assert "'api.a[POST]'" in findings[0].message
    assert "'system.storage'" in findings[1].message


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("ui.txet('a')", "unknown-element"),
        ("self.emit('module.other.saved')", "foreign-topic"),
        ("async def", "syntax"),
        ("exec('1')", "policy"),
    ],
)
def test_other_faults(body, rule):
    found = [finding for finding in analyse(package(body)) if finding.rule == rule]
    assert found
    assert found[0].rule in RULES
    assert str(found[0]).startswith("module.py:1")


def test_the_nearest_element_is_named():
    (found,) = analyse(package("ui.txet('a')"))
    assert found.advice == "did you mean ui.text?"


def test_a_tier_that_is_excluded_is_not_asked():
    assert rules("exec('1')", exclude=("restricted",)) == []


def test_the_example_uses_one_permission_that_it_does_not_declare():
    """On purpose: it shows that a refusal is no fault."""
    (found,) = analyse(ModulePackage.from_directory(VENDAS))
    assert (found.rule, found.path) == ("undeclared-permission", "vendas.py")
    assert "'system.clipboard'" in found.message


@pytest.mark.parametrize("call", ["await self.request('GET', {}, timeout_s=1)", "self.permissions.has('No Such!')"])
def test_a_name_that_no_permission_can_have_is_a_finding(call):
    """It is said where it stands, and does not end the analysis."""
    (found,) = analyse(package(call))
    assert (found.line, found.severity) == (10, Severity.ERROR)
    assert "Invalid permission" in found.message


def test_an_address_whose_host_is_computed_is_passed_over():
    assert rules("await self.api_call(f'https://{self.name}/v1')") == []
