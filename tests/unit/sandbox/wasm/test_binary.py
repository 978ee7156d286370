"""The shape of a binary is read before a compiler sees it, and whatever is no shape is an error of ours."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wasmtime import wat2wasm

from plataforma_sdk.errors import ModuleLoadError
from plataforma_sdk.sandbox.wasm._binary import MAX_FUNCTION_BYTES, MAX_FUNCTIONS, BinaryShape, read_shape
from plataforma_sdk.sandbox.wasm._runner import locate_runner

CORE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"


def leb(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb(len(content)) + content


def code(*bodies: bytes) -> bytes:
    return section(10, leb(len(bodies)) + b"".join(leb(len(body)) + body for body in bodies))


def test_functions_and_memories_of_a_core_module_are_counted() -> None:
    binary = bytes(wat2wasm("(module (memory 1) (func) (func (drop (i32.const 1))))"))
    assert read_shape(binary, module="m") == BinaryShape(
        is_component=False, functions=2, largest_function_bytes=5, memories=1
    )


def test_those_of_nested_modules_and_components_are_counted_too() -> None:
    text = "(component (core module (func) (memory 1)) (component (core module (func) (func))))"
    shape = read_shape(bytes(wat2wasm(text)), module="m")
    assert (shape.is_component, shape.functions, shape.memories) == (True, 3, 1)


DAMAGED = {
    "empty": b"",
    "text": b"(module)",
    "version": b"\0asm\x02\0\0\0",
    "cut_section": CORE + b"\x0a\x7f",
    "cut_length": CORE + b"\x0a\x80",
    "endless_length": CORE + b"\x0a" + b"\x80" * 9 + b"\x01",
    "body_past_the_end": CORE + section(10, leb(1) + leb(100) + b"\x00"),
    "more_bodies_than_bytes": CORE + section(10, leb(1_000)),
    "nested_without_preamble": COMPONENT + section(1, b"nothing."),
    "many_sections": CORE + section(0, b"") * 20_000,
}


@pytest.mark.parametrize("binary", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_binary_is_refused(binary: bytes) -> None:
    with pytest.raises(ModuleLoadError, match="damaged"):
        read_shape(binary, module="m")


def test_components_that_nest_without_end_are_refused() -> None:
    """CWE-674: a reader that recurses as deep as its input says."""
    binary = COMPONENT
    for _ in range(50):
        binary = COMPONENT + section(4, binary)
    with pytest.raises(ModuleLoadError, match="nest deeper"):
        read_shape(binary, module="m")


CAPS = {
    "functions": (CORE + code(*[b"\x00\x0b"] * (MAX_FUNCTIONS + 1)), "functions"),
    "large": (CORE + code(b"\x00" * (MAX_FUNCTION_BYTES + 1)), "bytes in one function"),
    "memories": (COMPONENT + section(1, CORE + section(5, b"\x01\x00\x00")) * 5, "memories"),
}


@pytest.mark.parametrize(("binary", "what"), CAPS.values(), ids=CAPS)
def test_more_than_is_compiled_is_refused(binary: bytes, what: str) -> None:
    with pytest.raises(ModuleLoadError, match=f"{what}, and at most"):
        read_shape(binary, module="m")


def test_the_guest_of_this_library_fits_the_caps_by_far() -> None:
    """CPython is about the largest thing that anybody ships."""
    shape = read_shape(locate_runner().path.read_bytes(), module="m")
    assert shape.functions * 3 < MAX_FUNCTIONS
    assert shape.largest_function_bytes * 2 < MAX_FUNCTION_BYTES
    assert shape.memories == 1


@given(st.binary(max_size=300))
@example(b"")
def test_any_bytes_are_a_shape_or_an_error_of_ours(tail: bytes) -> None:
    for head in (CORE, COMPONENT):
        try:
            shape = read_shape(head + tail, module="m")
        except ModuleLoadError:
            continue
        assert shape.functions <= len(tail)
