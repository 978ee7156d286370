"""The manager decides as the naive matcher does: names, wildcards, scopes, declarations, denials, revocations."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions import PermissionManager, is_within

from .naive import NaiveManager, points
from .strategies import names, permissions, some

OPERATIONS = st.lists(st.tuples(st.sampled_from(("grant", "revoke", "deny", "lift")), permissions), max_size=8)


def build(declared: list[str] | None, grants: list[str], denies: list[str]) -> tuple[PermissionManager, NaiveManager]:
    """Make both managers with the same rules."""
    naive = NaiveManager(declared)
    for text in grants:
        naive.grant(text)
    for text in denies:
        naive.deny(text)
    return PermissionManager(grants, declared=declared, denies=denies), naive


@settings(max_examples=400)
@given(grants=some, need=permissions)
def test_grants_match_as_the_naive_matcher_says(grants, need):
    real, naive = build(None, grants, [])
    assert real.has(need) == naive.has(need)


@settings(max_examples=400)
@given(declared=st.none() | some, grants=some, denies=some, need=permissions)
def test_declared_and_granted_and_not_denied(declared, grants, denies, need):
    real, naive = build(declared, grants, denies)
    assert real.has(need) == naive.has(need)
    assert real.explain(need).allowed == real.has(need)


@settings(max_examples=300)
@given(operations=OPERATIONS, needs=some)
def test_changes_are_seen_by_the_next_check(operations, needs):
    real, naive = build(None, ["api.*", "a.*", "*.a"], [])
    for verb, text in operations:
        getattr(real, verb)(text)
        getattr(naive, verb)(text)
        for need in needs:
            held = naive.has(need)
            # A wide need whose parts were revoked and granted again one by one stays refused, never the opposite.
            assert real.has(need) <= held
            if len(points(need)) == 1:
                assert real.has(need) == held


@given(declared=st.none() | some, grants=some, denies=some, need=permissions)
def test_granted_and_denied_list_all_that_decides(declared, grants, denies, need):
    real, _ = build(declared, grants, denies)
    again = PermissionManager(real.granted, denies=real.denied)
    assert again.has(need) == real.has(need)


@given(held=some, names=some, denies=some, need=permissions)
def test_an_attenuated_manager_holds_what_both_hold(held, names, denies, need):
    parent = PermissionManager(held, denies=denies)
    assert parent.attenuate(names).has(need) == (parent.has(need) and PermissionManager(names).has(need))


@given(declared=some, grants=some, denies=some, name=names)
def test_has_any_says_whether_some_scope_is_held(declared, grants, denies, name):
    real, naive = build(declared, grants, denies)
    if "*" not in name:
        assert real.has_any(name) == any(naive.holds(point) for point in points(name))


@given(narrower=some, wider=some)
def test_is_within_compares_languages(narrower, wider):
    _, naive = build(None, wider, [])
    assert is_within(narrower, wider) == all(naive.has(text) for text in narrower)


TRAPS = [
    pytest.param("api.*", "api.vendas.read", True, id="trailing star: many segments"),
    pytest.param("api.*", "apix", False, id="startswith: api* (specification, matchesPermission)"),
    pytest.param("api.*", "apix.read", False, id="startswith: apix.read (specification, matchesPermission)"),
    pytest.param("api.*", "api", False, id="the name itself is not below itself"),
    pytest.param("*", "anything", True, id="star alone"),
    pytest.param("*.read", "api.vendas.read", False, id="inner star is one segment (fnmatch: True)"),
    pytest.param("*.read", "api.write", False, id="cut at the first star (casbin keyMatch: True)"),
    pytest.param("api.*.read", "api.vendas.read", True, id="inner star"),
    pytest.param("api.*.read", "api.vendas.write", False, id="text after the star counts (casbin keyMatch: True)"),
    pytest.param("api.*.read", "api.a.b.read", False, id="inner star is not two segments (fnmatch: True)"),
    pytest.param("api.*", "api.*", True, id="a pattern covers itself"),
    pytest.param("api.vendas.*", "api.*", False, id="a narrower pattern does not cover a wider one"),
    pytest.param("*", "api.external", False, id="no wildcard grants api.external"),
    pytest.param("*", "api.external[example.com]", False, id="no wildcard grants a host"),
    pytest.param("api.*", "api.external[example.com]", False, id="api.* is no host either"),
    pytest.param("api.external", "api.external[example.com]", True, id="the exact grant covers every host"),
    pytest.param(
        "api.external[example.com]", "api.external[evil.example.com]", False, id="a host is not its subdomains"
    ),
    pytest.param("api.external[example.com]", "api.external", False, id="one host is not all"),
    pytest.param("api.vendas", "api.vendas[GET,POST]", True, id="unscoped covers every scope"),
    pytest.param("api.vendas[GET]", "api.vendas", False, id="scoped never covers unscoped"),
    pytest.param("api.vendas[GET]", "api.vendas[GET,POST]", False, id="every scope is needed"),
    pytest.param("events.subscribe[data.*]", "events.subscribe[data.vendas.*]", True, id="topic pattern inside"),
    pytest.param("events.subscribe[data.vendas]", "events.subscribe[data.*]", False, id="topic pattern wider"),
    pytest.param("events.subscribe[data.*.x]", "events.subscribe[data.*]", False, id="topic pattern beside"),
    pytest.param("events.emit[*]", "events.emit", False, id="scoped never covers unscoped, not even by a star"),
    pytest.param("database.read[Customer]", "database.read[customer]", False, id="words are compared byte by byte"),
]


@pytest.mark.parametrize(("grant", "need", "held"), TRAPS)
def test_traps_of_other_matchers(grant, need, held):
    assert PermissionManager([grant]).has(need) is held


def test_the_traps_are_traps():
    assert fnmatch.fnmatchcase("api.vendas.read", "*.read")


LOOKALIKES = [
    pytest.param("api.\u0430dmin", id="Cyrillic a (UTS #39)"),
    pytest.param("api.caf\u00e9", id="composed e acute"),
    pytest.param("api.cafe\u0301", id="decomposed e acute"),
    pytest.param("api.vendas\n", id="line end ($ in a regular expression lets it pass)"),
    pytest.param("api.\nx", id="line end inside"),
    pytest.param("API.vendas", id="upper case"),
    pytest.param("api.v\u200bendas", id="zero width space"),
    pytest.param("api.\uff56endas", id="full width letter (NFKC)"),
    pytest.param("api.", id="empty segment"),
    pytest.param("api.vendas\0", id="NUL"),
]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_names_that_look_alike_are_refused_and_never_kept(name):
    permissions = PermissionManager(["*"])
    for _ in range(2):
        with pytest.raises(InvalidPermissionError):
            permissions.has(name)


def test_many_shapes_of_wildcards_stay_correct():
    masks = [f"{'.'.join('*' if number >> place & 1 else 'x' for place in range(9))}.end" for number in range(512)]
    permissions = PermissionManager(masks[1:])
    assert permissions.has("x.x.x.x.y.x.x.x.x.end")
    assert not permissions.has("x.x.x.x.y.x.x.x.x.other")
    assert not PermissionManager([masks[1]]).has("x.x.x.x.y.x.x.x.x.end")
