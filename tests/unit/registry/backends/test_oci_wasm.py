"""The names that a component imports and exports, read from its binary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import wat2wasm

from plataforma_sdk.registry.backends._oci_wasm import component_world

COMPONENT = wat2wasm("""
(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
  (import "log" (func $log (param "text" string)))
  (import "thing" (type $thing (sub resource)))
  (core module $inner (func (export "run")))
  (core instance $made (instantiate $inner))
  (func $run (canon lift (core func $made "run")))
  (export "run" (func $run))
  (export "again" (func $run) (func))
  (export "inner" (core module $inner)))
""")


def test_a_world_is_read():
    assert component_world(bytes(COMPONENT)) == (["wasi:io/poll@0.2.0", "log", "thing"], ["run", "again", "inner"])


def test_an_empty_component_has_an_empty_world():
    assert component_world(bytes(wat2wasm("(component)"))) == ([], [])


@pytest.mark.parametrize("data", [b"", b"\0asm\x01\0\0\0", bytes(COMPONENT[:40])], ids=["nothing", "core", "cut"])
def test_anything_else_has_none(data):
    assert component_world(data) is None


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data):
    component_world(bytes(COMPONENT[:8]) + data)


@given(st.integers(8, len(COMPONENT) - 1), st.integers(1, 255))
def test_no_damage_breaks_the_reader(place, mask):
    data = bytearray(COMPONENT)
    data[place] ^= mask
    component_world(bytes(data))
