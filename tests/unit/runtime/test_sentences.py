"""What a permission lets a module do, for the person who is asked."""

from __future__ import annotations

import pytest

from plataforma_sdk.permissions import PERMISSIONS
from plataforma_sdk.runtime import sentence_of
from plataforma_sdk.runtime._sentences import LOCALES


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", list(PERMISSIONS))
def test_every_name_of_the_platform_has_a_sentence(name, locale):
    assert sentence_of(name, locale) != sentence_of("acme.thing", locale)
    assert name not in sentence_of(name, locale)


def test_each_language_has_its_own_sentences():
    english, portuguese = ({sentence_of(name, locale) for name in PERMISSIONS} for locale in LOCALES)
    assert english & portuguese == set()


@pytest.mark.parametrize(
    ("permission", "locale", "sentence"),
    [
        ("database.read[Customer,Invoice]", "en", "Read Customer, Invoice in the application's database"),
        ("database.read[Customer]", "pt-BR", "Ler Customer no banco de dados da aplicação"),
        ("api.vendas[GET]", "en", "Read from the application's service “vendas”"),
        ("api.vendas[GET,POST]", "en", "Use the application's service “vendas” by GET, POST"),
        ("api.vendas", "en", "Read from the application's service “vendas”, and change what is there"),
        ("api.external[api.example.com]", "pt", "Trocar dados com api.example.com na internet"),
        ("window.*", "en", "Open windows; Open windows that you must close before you go on"),
        ("acme.thing", "en", "Use “acme.thing”, which an extension of this application defines"),
        ("api.*.x", "en", "Use “api.*.x”, which an extension of this application defines"),
        ("no permission\u202e", "en", "Use “no permission”, which an extension of this application defines"),
        ("window.create", "ja", "Open windows"),
    ],
)
def test_the_sentence_names_the_scopes(permission, locale, sentence):
    assert sentence_of(permission, locale) == sentence


def test_a_wildcard_over_the_api_does_not_promise_the_internet():
    assert "internet" not in sentence_of("api.*")
