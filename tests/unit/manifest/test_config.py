"""``[config]``: typed settings with defaults."""

from __future__ import annotations

from typing import Any

import pytest

from plataforma_sdk.errors import ManifestError
from plataforma_sdk.manifest import ConfigEntry, Manifest

HEAD = 'id = "vendas"\nversion = "1.0.0"\nentry = "vendas"\n'
CONFIG = """
[config.moeda]
type = "string"
default = "BRL"
options = ["BRL", "EUR"]
[config.dias]
type = "integer"
default = 30
minimum = 1
maximum = 365
[config.taxa]
type = "number"
default = 1
[config.ativo]
type = "boolean"
default = false
"""
DEFAULTS = {"moeda": "BRL", "dias": 30, "taxa": 1.0, "ativo": False}


def test_defaults_are_typed() -> None:
    values = Manifest.parse(HEAD + CONFIG).config_values()
    assert values == DEFAULTS
    assert [type(value) for value in values.values()] == [str, int, float, bool]


def test_a_host_overrides_defaults() -> None:
    values = Manifest.parse(HEAD + CONFIG).config_values({"moeda": "EUR", "taxa": 2, "ativo": True})
    assert values == {"moeda": "EUR", "dias": 30, "taxa": 2.0, "ativo": True}


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"moeda": "USD"}, "write one of 'BRL', 'EUR'"),
        ({"moeda": 7}, "type 'string'"),
        ({"dias": 0}, "it lies in 1..365"),
        ({"dias": True}, "type 'integer'"),
        ({"dias": 1.0}, "type 'integer'"),
        ({"taxa": "1"}, "type 'number'"),
        ({"taxa": float("inf")}, "finite"),
        ({"taxa": 10**400}, "finite"),
        ({"ativo": 1}, "type 'boolean'"),
        ({"moedas": "BRL"}, "did you mean 'moeda'?"),
    ],
)
def test_what_a_host_sets_is_checked(overrides: dict[str, Any], problem: str) -> None:
    with pytest.raises(ManifestError, match="the configuration of 'vendas' has 1 fault") as caught:
        Manifest.parse(HEAD + CONFIG).config_values(overrides)
    assert problem in str(caught.value)


def test_all_faults_of_a_configuration_come_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        Manifest.parse(HEAD + CONFIG).config_values({"moeda": 1, "dias": 0, "x": 1})
    assert len(caught.value.faults) == 3


def test_a_setting_without_default_must_be_set() -> None:
    manifest = Manifest.parse(HEAD + '[config.url]\ntype = "string"\ndescription = "Where the server is"')
    with pytest.raises(ManifestError, match="url: must be set; Where the server is"):
        manifest.config_values()
    assert manifest.config_values({"url": "x"}) == {"url": "x"}


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "senha", "token", "api_token", "API_KEY", "apikey", "client_secret", "credentials"],
)
def test_a_secret_is_refused_with_advice(name: str) -> None:
    with pytest.raises(ManifestError, match="api_auth"):
        Manifest.parse(HEAD + f'[config.{name}]\ntype = "string"\ndefault = "x"')


def test_the_type_secret_is_refused_with_advice() -> None:
    with pytest.raises(ManifestError, match="api_auth"):
        Manifest.parse(HEAD + '[config.x]\ntype = "secret"')


@pytest.mark.parametrize("name", ["max_tokens", "keyboard", "tokenizer", "chave"])
def test_a_name_that_only_resembles_a_secret_is_none(name: str) -> None:
    assert name in Manifest.parse(HEAD + f'[config.{name}]\ntype = "integer"\ndefault = 1').config


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[config]\nx = 1", "config.x"),
        ("[config.x]", "config.x.type"),
        ('[config.x]\ntype = "text"', "config.x.type"),
        ('[config.x]\ntype = ["string"]', "config.x.type"),
        ('[config."a b"]\ntype = "string"', 'config."a b"'),
        ('[config.x]\ntype = "string"\ndefault = 1', "config.x.default"),
        ('[config.x]\ntype = "integer"\ndefault = 5\nmaximum = 4', "config.x.default"),
        ('[config.x]\ntype = "string"\ndefault = "c"\noptions = ["a"]', "config.x.default"),
        ('[config.x]\ntype = "string"\noptions = "a"', "config.x.options"),
        ('[config.x]\ntype = "string"\noptions = [1]', "config.x.options"),
        ('[config.x]\ntype = "string"\nminimum = 1', "config.x.minimum"),
        ('[config.x]\ntype = "integer"\nminimum = "1"', "config.x.minimum"),
        ('[config.x]\ntype = "number"\ndefault = nan', "config.x.default"),
        ('[config.x]\ntype = "string"\ndescription = 1', "config.x.description"),
    ],
)
def test_settings_are_checked(text: str, where: str) -> None:
    with pytest.raises(ManifestError) as caught:
        Manifest.parse(HEAD + text)
    assert [fault.where.partition(": ")[2] for fault in caught.value.faults] == [where]


def test_an_entry_can_be_made_in_code() -> None:
    assert ConfigEntry(type="number", default=1.5).check(2) == 2.0
