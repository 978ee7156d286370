"""A manifest that is written reads back equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.manifest import METHODS, ConfigEntry, Manifest, ManifestEvents, ManifestPermissions, VersionRange

MINIMAL = 'id = "vendas"\nversion = "1.0.0"\nentry = "vendas:VendasModule"\n'


def test_a_manifest_reads_back_equal(full_text: str) -> None:
    manifest = Manifest.parse(full_text)
    assert Manifest.parse(manifest.to_toml()) == manifest


def test_what_is_by_default_is_left_out() -> None:
    assert Manifest.parse(MINIMAL).to_toml() == MINIMAL


def test_a_manifest_from_data_is_checked_alike() -> None:
    data = {"id": "vendas", "version": "1.0.0", "entry": "vendas:VendasModule"}
    assert Manifest.from_data(data) == Manifest.parse(MINIMAL)


printable = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=' "\\'), max_size=20)
words = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
settings = st.one_of(
    st.builds(ConfigEntry, type=st.just("string"), default=st.none() | printable, description=printable),
    st.builds(
        ConfigEntry,
        type=st.just("integer"),
        default=st.none() | st.integers(-9, 9),
        minimum=st.just(-9),
        maximum=st.just(9),
    ),
    st.builds(ConfigEntry, type=st.just("number"), default=st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(ConfigEntry, type=st.just("boolean"), default=st.booleans(), options=st.just((True, False))),
)
manifests = st.builds(
    Manifest,
    id=st.just("acme/vendas"),
    version=st.sampled_from(["0.0.0", "1.2.3-rc.1+b"]),
    entry=st.sampled_from(["module", "a.b:C", "a/b.py:C", "x.wasm"]),
    name=printable.map(lambda text: text or "acme/vendas"),
    description=st.text(st.characters(categories=["L", "P"], include_characters="\n"), max_size=20),
    icon=st.sampled_from(["", "cart", "bar-chart"]),
    licence=st.sampled_from(["", "MIT", "MIT OR Apache-2.0"]),
    authors=st.lists(printable, unique=True, max_size=3).map(tuple),
    sdk=st.sampled_from(["*", "^1.2"]).map(VersionRange.parse),
    permissions=st.builds(
        ManifestPermissions,
        required=st.dictionaries(words.map("api.{}".format), printable, max_size=3),
        optional=st.dictionaries(words.map("data.{}".format), printable, max_size=3),
    ),
    dependencies=st.dictionaries(
        words.map(lambda word: word.replace("_", "x")), st.just(VersionRange.parse("~1")), max_size=2
    ),
    limits=st.dictionaries(st.sampled_from(["max_fuel", "max_call_ms"]), st.integers(1, 2**53)),
    events=st.builds(
        ManifestEvents,
        published=st.lists(words.map("module.acme--vendas.{}".format), unique=True, max_size=2).map(tuple),
        consumed=st.lists(words, unique=True, max_size=2).map(tuple),
    ),
    endpoints=st.dictionaries(
        words.map("/acme--vendas/{}".format) | st.just("/acme--vendas/*"), st.just(tuple(METHODS)), max_size=2
    ),
    config=st.dictionaries(words.filter(lambda word: "t" not in word and "s" not in word), settings, max_size=3),
    excluded_tiers=st.sampled_from([(), ("trusted",), ("trusted", "restricted")]),
    restart=st.booleans(),
    assets=st.sampled_from([(), ("assets/*", "logo.png")]),
)


@given(manifests)
def test_any_manifest_reads_back_equal(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.to_toml()) == manifest


@given(st.text(max_size=60) | st.text(alphabet='id="[]{}.\n x1,', max_size=60))
def test_any_text_is_a_manifest_or_our_error(text: str) -> None:
    from plataforma_sdk.errors import ManifestError

    with pytest.raises(ManifestError):
        Manifest.parse(text)
