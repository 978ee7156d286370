"""The lock: it answers alone, it is written alike, and it notices what changed behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, RegistryError
from plataforma_sdk.manifest import Version
from plataforma_sdk.registry import EVERYTHING, Lock, Release
from tests.unit.registry._indexes import FakeSource, Graph, index, refused, release, resolve, source_of, versions

GRAPH: Graph = {"vendas": {"1.0.0": {"clientes": "^1"}}, "clientes": {"1.0.0": {}}}
NEWER: Graph = {
    **GRAPH,
    "vendas": {"1.0.0": {"clientes": "^1"}, "1.1.0": {"clientes": "^1"}},
    "clientes": {"1.0.0": {}, "1.1.0": {}},
}
SDK = Version.parse("0.1.0")


@pytest.fixture
def lock() -> Lock:
    return Lock.of(resolve(source_of(GRAPH), {"vendas": "^1"}))


def test_a_lock_that_answers_asks_no_registry(lock: Lock) -> None:
    source = source_of(NEWER)
    assert versions(resolve(source, {"vendas": "^1"}, lock=lock)) == {"vendas": "1.0.0", "clientes": "1.0.0"}
    assert source.asked == []


def test_only_what_must_change_changes(lock: Lock) -> None:
    found = resolve(source_of(NEWER), {"vendas": "^1.1"}, lock=lock)
    assert versions(found) == {"vendas": "1.1.0", "clientes": "1.0.0"}


def test_an_update_chooses_anew_what_it_names(lock: Lock) -> None:
    source = source_of(NEWER)
    assert versions(resolve(source, {"vendas": "^1"}, lock=lock, update={"clientes"})) == {
        "vendas": "1.0.0",
        "clientes": "1.1.0",
    }
    assert versions(resolve(source, {"vendas": "^1"}, lock=lock, update={EVERYTHING})) == {
        "vendas": "1.1.0",
        "clientes": "1.1.0",
    }


def test_a_locked_release_that_was_yanked_since_is_still_chosen(lock: Lock) -> None:
    yanked = release("clientes", "1.0.0", yanked="wrong sums")
    vendas = source_of(NEWER).indexes["vendas"]
    found = resolve(FakeSource(vendas, index(yanked, revision=2)), {"vendas": "^1.1"}, lock=lock)
    assert versions(found)["clientes"] == "1.0.0"


def test_a_lock_does_not_answer_for_what_it_lacks(lock: Lock) -> None:
    assert lock.find({"vendas": "^1", "enderecos": "*"}, sdk=SDK) is None
    assert lock.find({"vendas": "^2"}, sdk=SDK) is None
    assert lock.find({"clientes": "*"}, sdk=SDK) is not None


def test_a_lock_does_not_answer_for_another_tier_or_sdk() -> None:
    only = FakeSource(index(release("a", "1.0.0", sdk="<1", excluded_tiers=("wasm",))))
    lock = Lock.of(resolve(only, {"a": "*"}))
    assert lock.find({"a": "*"}, sdk=SDK, tier="restricted") is not None
    assert lock.find({"a": "*"}, sdk=SDK, tier="wasm") is None
    assert lock.find({"a": "*"}, sdk=Version.parse("1.0.0")) is None


# --- what a registry may not do behind a lock ---


def test_an_older_index_is_refused(lock: Lock) -> None:
    newer = Lock.of(resolve(source_of(NEWER), {"vendas": "^1"}, lock=lock, update={EVERYTHING}))
    error = refused(source_of(GRAPH), {"vendas": "^1"}, lock=newer, update={EVERYTHING})
    assert isinstance(error, IntegrityError)
    assert "answered revision 1, and module.lock has seen 2" in str(error)


CHANGES: dict[str, dict[str, Any]] = {
    "digest": {"digest": "sha256:" + "0" * 64},
    "archive": {"archive": attrs.evolve(release("clientes", "1.0.0").archive, size=2)},
    "publisher": {"publisher": "ed25519:" + "a1" * 32},
    "dependencies": {"dependencies": {"vendas": "*"}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_locked_release_that_changed_is_refused(lock: Lock, change: str) -> None:
    forged: Release = attrs.evolve(release("clientes", "1.0.0"), **CHANGES[change])
    source = FakeSource(source_of(NEWER).indexes["vendas"], index(forged, revision=5))
    error = refused(source, {"vendas": "^1.1"}, lock=lock)
    assert isinstance(error, IntegrityError)
    assert "changed the release that module.lock names" in str(error)


def test_a_locked_release_that_is_gone_is_refused(lock: Lock) -> None:
    source = FakeSource(source_of(NEWER).indexes["vendas"], index(release("clientes", "1.1.0"), revision=5))
    assert "lost the release" in str(refused(source, {"vendas": "^1.1"}, lock=lock))


def test_a_module_does_not_move_to_another_registry_by_itself(lock: Lock) -> None:
    other = FakeSource(*source_of(GRAPH).indexes.values(), url="https://other.example")
    error = refused(other, {"vendas": "^1"}, lock=lock)
    assert isinstance(error, IntegrityError)
    assert "is locked to https://registry.example, and this is https://other.example" in str(error)


# --- the file ---


def test_a_lock_is_written_and_read_alike(lock: Lock, tmp_path: Path) -> None:
    path = tmp_path / "module.lock"
    assert lock.write(path) is True
    assert Lock.read(path) == lock
    assert lock.write(path) is False
    assert [item.name for item in tmp_path.iterdir()] == ["module.lock"]


def test_a_lock_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"nowhere.module\.lock cannot be written \(No such file or directory\)"):
        Lock().write(tmp_path / "nowhere" / "module.lock")


def test_the_order_of_resolution_does_not_show_in_the_text() -> None:
    one = resolve(source_of(GRAPH), {"vendas": "^1", "clientes": "*"})
    two = resolve(source_of(dict(reversed(GRAPH.items()))), {"clientes": "*", "vendas": "^1"})
    assert Lock.of(one).to_text() == Lock.of(two).to_text()


def test_all_that_a_publisher_signs_is_locked_and_what_a_registry_adds_is_not() -> None:
    described = FakeSource(index(release("a", "1.0.0", description="Vendas", published_at="2026-01-02T03:04:05Z")))
    text = Lock.of(resolve(described, {"a": "*"})).to_text()
    assert ("Vendas" in text, "2026-01-02" in text) == (True, False)


def test_a_lock_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(PackageNotFoundError, match="resolve once with the registry"):
        Lock.read(tmp_path / "module.lock")


def changed(lock: Lock, *path: str, value: Any) -> str:
    """Return the text of a lock with one value changed."""
    data = json.loads(lock.to_text())
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("lock",), 2),
        (("more",), 1),
        (("requirements",), []),
        (("requirements", "vendas"), 1),
        (("requirements", "../vendas"), "*"),
        (("requirements", "vendas"), "no range"),
        (("modules",), []),
        (("modules", "../vendas"), {}),
        (("modules", "vendas"), []),
        (("modules", "vendas", "digest"), "sha256:00"),
        (("modules", "vendas", "id"), "clientes"),
        (("modules", "vendas", "revision"), True),
        (("modules", "vendas", "revision"), -1),
        (("modules", "vendas", "registry"), None),
        (("modules", "vendas", "version"), "1"),
        (("modules", "vendas", "dependencies"), {"clientes": "no range"}),
        (("modules", "vendas", "archive"), None),
        (("modules", "vendas", "excluded_tiers"), None),
    ],
    ids=str,
)
def test_a_damaged_lock_is_refused(lock: Lock, path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(IntegrityError):
        Lock.from_text(changed(lock, *path, value=value))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", "[" * 100_000], ids=["empty", "{", "[]", "null", "{}", "deep"]
)
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        Lock.from_text(text)
