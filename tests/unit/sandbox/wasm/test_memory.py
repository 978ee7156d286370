"""Where guests' memories lie is told apart also when several appear or vanish at once."""

from __future__ import annotations

import mmap
import sys

import pytest

from plataforma_sdk.sandbox.wasm import _memory
from plataforma_sdk.sandbox.wasm._memory import LinearMemory

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the map that Linux keeps")


@pytest.fixture
def image(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "_TAKEN", set())
    monkeypatch.setattr(_memory, "_UNCLEAR", {})
    path = tmp_path / "image"
    path.write_bytes(bytes(65_536))
    return path


GUARDS = []


def mapped(image):
    """Map the image privately between guards, as wasmtime maps the beginning of an instance's memory."""
    GUARDS.append(mmap.mmap(-1, 65_536, prot=mmap.PROT_READ))
    with image.open("r+b") as file:
        return mmap.mmap(file.fileno(), 65_536, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)


def test_a_memory_is_found_when_it_appears_and_its_address_is_free_when_it_is_gone(image):
    first, second = LinearMemory(), LinearMemory()
    with first.appearing(image):
        one = mapped(image)
    with second.appearing(image):
        two = mapped(image)
    assert first.base
    assert second.base not in {0, first.base}
    with first.vanishing():
        one.close()
        assert first.base == 0
        assert len(_memory._TAKEN) == 2  # not another's before it is gone
    assert {second.base} == _memory._TAKEN
    two.close()


def test_memories_that_appeared_at_once_do_not_hide_the_next(image):
    """One race once left every later guest of the process without a size, and unfit to be parked."""
    one, two = mapped(image), mapped(image)
    unclear, next_one = LinearMemory(), LinearMemory()
    unclear.locate(image)
    assert unclear.base == 0
    with next_one.appearing(image):
        three = mapped(image)
    assert next_one.base
    for memory in (one, two, three):
        memory.close()
