"""What a ``.wasm`` imports and names is held against what there is and what is declared."""

from __future__ import annotations

import asyncio

import pytest
from wasmtime import wat2wasm

from plataforma_sdk import ModulePackage
from plataforma_sdk.security import SecurityService


def issues(wat, *, permissions="", cut=None):
    toml = f'id = "shop"\nversion = "1.0.0"\nentry = "shop.wasm"\n{permissions}'
    data = bytes(wat2wasm(wat))[:cut]
    package = ModulePackage.from_files({"module.toml": toml.encode(), "shop.wasm": data})
    result = asyncio.run(SecurityService(trial=False, tools=False).scan(package))
    return [(issue.rule, issue.path) for issue in result.result("static-analysis").issues]


@pytest.mark.parametrize(
    "imported",
    [
        '(import "env" "system" (func (param i32)))',
        '(import "env" "memory" (memory 1 2))',
        '(import "env" "table" (table 1 funcref))',
        '(import "env" "clock" (global i32))',
    ],
)
def test_an_import_that_no_host_provides_is_named(imported):
    after = '(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'
    assert ("wasm-import", "shop.wasm") in issues(f"(module {imported} {after})")


def test_imports_of_the_host_are_none():
    assert issues('(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))') == []


def test_a_component_is_read_as_well():
    component = '(component (import "wasi:sockets/tcp@0.2.0" (instance)) (import "wasi:io/poll@0.2.0" (instance)))'
    assert issues(component) == [("wasm-import", "shop.wasm")]


def test_a_function_of_the_host_needs_its_permission_declared():
    wat = '(module (memory 1) (data (i32.const 0) "clipboard.read"))'
    assert issues(wat) == [("wasm-undeclared", "shop.wasm")]
    declared = '[permissions.required]\n"system.clipboard" = "copies"\n'
    undeclared = [rule for rule, _ in issues(wat, permissions=declared) if rule == "wasm-undeclared"]
    assert undeclared == []


def test_a_section_that_is_cut_off_is_unreadable():
    assert issues('(module (import "env" "f" (func)))', cut=22) == [("unreadable", "shop.wasm")]
