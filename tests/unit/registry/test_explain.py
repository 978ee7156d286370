"""Why no versions fit together, as a person reads it."""

from __future__ import annotations

from plataforma_sdk.errors import PackageNotFoundError, ResolutionError, error_from_data, error_to_data
from tests.unit.registry._indexes import FakeSource, Graph, index, refused, release, source_of

CONFLICT: Graph = {
    "relatorios": {"1.9.0": {"clientes": "^2"}, "2.0.0": {"clientes": "^3"}, "2.1.0": {"clientes": "^3"}},
    "vendas": {"1.0.0": {"clientes": "^2"}},
    "clientes": {"2.0.0": {}, "3.0.0": {}},
}
WANTED = {"relatorios": "^2", "vendas": "^1"}


def test_a_conflict_says_who_asks_for_what_and_what_to_change() -> None:
    assert (
        str(refused(source_of(CONFLICT), WANTED))
        == """No versions in https://registry.example fit together:
  - you ask for relatorios ^2
  - you ask for vendas ^1
  - relatorios 2.1.0, 2.0.0 ask for clientes ^3
  - vendas 1.0.0 asks for clientes ^2
  so no version of clientes lies in ^3 and in ^2; there are 3.0.0, 2.0.0
To change that, ask for relatorios 1.9.0 in place of ^2"""
    )


def test_a_conflict_carries_its_requirements() -> None:
    error = refused(source_of(CONFLICT), WANTED)
    assert isinstance(error, ResolutionError)
    assert error.requirements == (
        ("", "relatorios", "^2"),
        ("", "vendas", "^1"),
        ("relatorios 2.1.0, 2.0.0", "clientes", "^3"),
        ("vendas 1.0.0", "clientes", "^2"),
    )
    assert error.suggestions == ("ask for relatorios 1.9.0 in place of ^2",)


def test_a_conflict_crosses_a_boundary_with_its_data() -> None:
    error = refused(source_of(CONFLICT), WANTED)
    again = error_from_data(error_to_data(error))
    assert isinstance(again, ResolutionError)
    assert list(again.suggestions) == ["ask for relatorios 1.9.0 in place of ^2"]


def test_modules_that_have_no_part_in_a_conflict_are_not_named() -> None:
    graph = {**CONFLICT, "enderecos": {"1.0.0": {"clientes": "*"}}}
    assert "enderecos" not in str(refused(source_of(graph), {**WANTED, "enderecos": "*"}))


def test_a_missing_dependency_says_who_asked() -> None:
    error = refused(source_of({"a": {"1.0.0": {"gone": "^1"}}}), {"a": "*"})
    assert isinstance(error, ResolutionError)
    assert "a 1.0.0 asks for gone ^1" in str(error)
    assert "there is no module 'gone'" in str(error)


def test_a_missing_module_is_not_found() -> None:
    error = refused(source_of({}), {"gone": "^1"})
    assert isinstance(error, PackageNotFoundError)
    assert str(error).startswith("https://registry.example has no module 'gone'")


def test_a_range_in_which_nothing_lies_names_what_there_is() -> None:
    error = refused(source_of({"a": {"1.0.0": {}, "2.0.0": {}}}), {"a": "^7"})
    assert isinstance(error, PackageNotFoundError)
    assert str(error) == "a: no version lies in '^7'; there are 2.0.0, 1.0.0: ask for one of those"


def test_a_release_that_may_not_be_chosen_says_why() -> None:
    source = FakeSource(
        index(
            release("a", "1.0.0", sdk=">=2"),
            release("a", "1.1.0", yanked="wrong sums"),
            release("a", "1.2.0", excluded_tiers=("wasm",)),
        )
    )
    error = refused(source, {"a": "*"}, tier="wasm")
    assert isinstance(error, ResolutionError)
    assert (
        "nothing of a in * may be chosen: 1.2.0 excludes the tier 'wasm'; 1.1.0 is yanked: wrong sums; "
        "1.0.0 needs plataforma-sdk >=2, and this is 0.1.0"
    ) in str(error)


def test_long_lists_of_versions_are_cut() -> None:
    error = refused(source_of({"a": {f"1.0.{number}": {} for number in range(9)}}), {"a": "^2"})
    assert "1.0.8, 1.0.7, 1.0.6, 1.0.5, 1.0.4, 1.0.3 and 3 more" in str(error)
