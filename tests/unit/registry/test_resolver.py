"""The resolver: what it chooses, what it never chooses, and that it finds an answer exactly where there is one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import IntegrityError, PackageNotFoundError, ResolutionError
from plataforma_sdk.manifest import VersionRange
from plataforma_sdk.registry import Lock, ModuleIndex
from plataforma_sdk.registry._candidates import Candidates, Conditions, version_of
from plataforma_sdk.registry._greedy import is_valid, resolve_greedily
from plataforma_sdk.registry._solver import Contradiction, Solver
from tests.unit.registry._indexes import (
    FakeSource,
    Graph,
    chosen,
    index,
    refused,
    release,
    resolve,
    source_of,
    versions,
)


def test_the_newest_in_every_range_is_chosen() -> None:
    graph: Graph = {
        "vendas": {"1.0.0": {}, "1.2.0": {"clientes": "^1"}, "2.0.0": {}},
        "clientes": {"1.0.0": {}, "1.10.0": {}, "1.9.0": {}, "2.0.0": {}},
    }
    assert chosen(graph, vendas="^1") == {"vendas": "1.2.0", "clientes": "1.10.0"}


def test_a_range_that_comes_later_narrows_what_was_chosen() -> None:
    graph: Graph = {
        "vendas": {"1.0.0": {"clientes": "*", "relatorios": "*"}},
        "relatorios": {"1.0.0": {"clientes": "~1.2"}},
        "clientes": {"1.2.5": {}, "1.3.0": {"enderecos": "*"}},
        "enderecos": {"1.0.0": {}},
    }
    assert chosen(graph, vendas="*") == {"vendas": "1.0.0", "relatorios": "1.0.0", "clientes": "1.2.5"}


def test_what_only_a_replaced_choice_had_asked_for_does_not_narrow() -> None:
    graph: Graph = {
        "vendas": {"1.0.0": {"clientes": "*", "enderecos": "*", "relatorios": "*"}},
        "relatorios": {"1.0.0": {"clientes": "^1"}},
        "clientes": {"1.0.0": {}, "2.0.0": {"enderecos": "^1"}},
        "enderecos": {"1.0.0": {}, "2.0.0": {}},
    }
    assert chosen(graph, vendas="*")["enderecos"] == "2.0.0"


def test_an_older_version_is_taken_where_the_newest_fits_nobody() -> None:
    graph: Graph = {
        "vendas": {"1.0.0": {"clientes": "^1"}, "2.0.0": {"clientes": "^2"}},
        "relatorios": {"1.0.0": {"clientes": "^1"}},
        "clientes": {"1.0.0": {}, "2.0.0": {}},
    }
    assert chosen(graph, vendas="*", relatorios="*")["vendas"] == "1.0.0"


def test_a_cycle_resolves_and_loads_in_a_stable_order() -> None:
    graph: Graph = {"a": {"1.0.0": {"b": "*"}}, "b": {"1.0.0": {"c": "*"}}, "c": {"1.0.0": {"a": "^1"}}}
    found = resolve(source_of(graph), {"a": "*"})
    assert found.load_order == ("c", "b", "a")


def test_a_module_that_asks_for_another_version_of_itself_is_not_chosen() -> None:
    graph: Graph = {"a": {"1.0.0": {}, "2.0.0": {"a": "^1"}}}
    assert chosen(graph, a="*") == {"a": "1.0.0"}


def test_dependencies_load_before_those_that_ask_for_them() -> None:
    graph: Graph = {"a": {"1.0.0": {"b": "*", "c": "*"}}, "b": {"1.0.0": {"c": "*"}}, "c": {"1.0.0": {}}}
    found = resolve(source_of(graph), {"a": "*", "c": "*"})
    assert found.load_order == ("c", "b", "a")
    assert found.asked_by("c") == {"": "*", "a": "*", "b": "*"}


def test_a_prerelease_is_chosen_only_where_it_is_asked_for() -> None:
    graph: Graph = {"a": {"1.0.0": {}, "1.1.0-rc.1": {}}}
    assert chosen(graph, a="*") == {"a": "1.0.0"}
    assert chosen(graph, a=">=1.1.0-rc.0") == {"a": "1.1.0-rc.1"}


def test_a_yanked_release_is_passed_over() -> None:
    source = FakeSource(index(release("a", "1.0.0"), release("a", "1.1.0", yanked="wrong sums")))
    assert versions(resolve(source, {"a": "*"})) == {"a": "1.0.0"}


def test_a_release_for_another_sdk_is_passed_over() -> None:
    source = FakeSource(index(release("a", "1.0.0", sdk=">=0.1,<1"), release("a", "1.1.0", sdk=">=2")))
    assert versions(resolve(source, {"a": "*"})) == {"a": "1.0.0"}
    assert versions(resolve(source, {"a": "*"}, sdk="2.0.0")) == {"a": "1.1.0"}


def test_a_release_that_excludes_the_tier_is_passed_over() -> None:
    source = FakeSource(index(release("a", "1.0.0"), release("a", "1.1.0", excluded_tiers=("restricted",))))
    assert versions(resolve(source, {"a": "*"}, tier="restricted")) == {"a": "1.0.0"}
    assert versions(resolve(source, {"a": "*"}, tier="wasm")) == {"a": "1.1.0"}


@pytest.mark.parametrize("dependencies", [{"b": "no range"}, {"../b": "*"}, {"": "*"}], ids=["range", "path", "empty"])
def test_a_release_whose_dependencies_cannot_be_read_is_passed_over(dependencies: dict[str, str]) -> None:
    source = FakeSource(index(release("a", "1.0.0"), release("a", "1.1.0", dependencies)))
    assert versions(resolve(source, {"a": "*"})) == {"a": "1.0.0"}


def test_the_order_in_which_a_registry_lists_versions_does_not_count() -> None:
    source = FakeSource(index(release("a", "2.0.0"), release("a", "1.0.0")))
    assert versions(resolve(source, {"a": "*"})) == {"a": "2.0.0"}


def test_a_range_of_the_caller_that_is_none_is_refused() -> None:
    error = refused(source_of({}), {"a": "newest"})
    assert isinstance(error, ResolutionError)
    assert "a: 'newest' is no version of a range" in str(error)


def test_an_id_that_is_none_is_refused() -> None:
    assert isinstance(refused(source_of({}), {"../a": "*"}), IntegrityError)


def test_each_index_is_asked_for_once() -> None:
    graph: Graph = {
        "vendas": {"1.0.0": {"clientes": "^1"}, "2.0.0": {"clientes": "^2"}},
        "relatorios": {"1.0.0": {"clientes": "^1"}},
        "clientes": {"1.0.0": {}, "2.0.0": {}},
    }
    source = source_of(graph)
    resolve(source, {"vendas": "*", "relatorios": "*"})
    assert sorted(source.asked) == ["clientes", "relatorios", "vendas"]


def test_a_registry_that_fails_is_told_as_its_own_error() -> None:
    class Broken(FakeSource):
        async def versions(self, module_id: str) -> ModuleIndex:
            raise IntegrityError("damaged")

    error = refused(Broken(), {"a": "*"})
    assert (type(error), str(error)) == (IntegrityError, "damaged")


# --- against a search that tries everything ---

IDS = ["a", "b", "c", "d"]
NUMBERS = ["1.0.0", "1.1.0", "2.0.0"]
RANGES = ["*", "^1", "^2", "1.0.0", ">=1.1", "<2", "~1.1", "^1 || ^2", ">2", "1.1.0"]
needs = st.dictionaries(st.sampled_from([*IDS, "gone"]), st.sampled_from(RANGES), max_size=3)
modules = st.dictionaries(st.sampled_from(NUMBERS), needs, max_size=3)
graphs = st.fixed_dictionaries(dict.fromkeys(IDS, modules))
wishes = st.dictionaries(st.sampled_from(IDS), st.sampled_from(RANGES), min_size=1, max_size=2)


def has_answer(graph: Graph, wanted: Mapping[str, str]) -> bool:
    """Try every combination, each module left out among them."""
    for picks in itertools.product(*([None, *graph[module_id]] for module_id in IDS)):
        picked = {module_id: pick for module_id, pick in zip(IDS, picks, strict=True) if pick is not None}
        asked = [wanted, *(graph[module_id][pick] for module_id, pick in picked.items())]
        if all(
            name in picked and VersionRange.parse(text).matches(picked[name])
            for ranges in asked
            for name, text in ranges.items()
        ):
            return True
    return False


def drive(steps: Any, graph: Graph) -> Any:
    """Run one search over a graph."""
    source, conditions = source_of(graph), Conditions(sdk=version_of("0.1.0"))
    known: dict[str, Candidates] = {}
    try:
        asked = next(steps)
        while True:
            for module_id in asked:
                known[module_id] = Candidates(source.indexes.get(module_id) or ModuleIndex(id=module_id), conditions)
            asked = steps.send(known)
    except StopIteration as end:
        return end.value


@given(graphs, wishes)
def test_the_search_finds_an_answer_exactly_where_there_is_one(graph: Graph, wanted: dict[str, str]) -> None:
    found = drive(Solver(wanted).run(), graph)
    assert isinstance(found, Contradiction) is not has_answer(graph, wanted)
    if not isinstance(found, Contradiction):
        assert is_valid(wanted, found)


@given(graphs, wishes)
def test_whatever_the_fast_path_answers_is_valid(graph: Graph, wanted: dict[str, str]) -> None:
    found = drive(resolve_greedily(wanted), graph)
    assert found is None or is_valid(wanted, found)


@given(graphs, wishes)
def test_the_facts_of_a_contradiction_suffice_for_it(graph: Graph, wanted: dict[str, str]) -> None:
    found = drive(Solver(wanted).run(), graph)
    if isinstance(found, Contradiction):
        kept = {
            module_id: {
                version: {
                    fact.id: fact.range for fact in found.facts if fact.by == module_id and version in fact.versions
                }
                for version in releases
            }
            for module_id, releases in graph.items()
        }
        assert not has_answer(kept, {fact.id: fact.range for fact in found.facts if not fact.by})


@given(graphs, wishes)
def test_whatever_is_answered_is_locked_and_read_again(graph: Graph, wanted: dict[str, str]) -> None:
    if not has_answer(graph, wanted):
        assert isinstance(refused(source_of(graph), wanted), (PackageNotFoundError, ResolutionError))
        return
    found = resolve(source_of(graph), wanted)
    lock = Lock.from_text(Lock.of(found).to_text())
    again = resolve(FakeSource(), wanted, lock=lock)
    assert versions(again) == versions(found)
    assert again.load_order == found.load_order


@given(graphs, wishes)
def test_what_resolvelib_finds_is_found(graph: Graph, wanted: dict[str, str]) -> None:
    """Not the other way round: it misses answers in small dense graphs with cycles, where trying everything has one."""
    resolvelib = pytest.importorskip("resolvelib")
    from tests.bench.resolve_peer import resolve_with_resolvelib

    try:
        resolve_with_resolvelib(graph, wanted)
    except (resolvelib.ResolutionImpossible, RecursionError):  # the latter is its own, on a module that needs itself
        return
    assert not isinstance(drive(Solver(wanted).run(), graph), Contradiction)
