"""What is a permission and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import InvalidPermissionError
from plataforma_sdk.permissions import Permission, PermissionManager, check_declarable, parse_permission

from .strategies import permissions

SIXTEEN = ".".join("a" * 16)

ACCEPTED = [
    ("api", "api", None),
    ("database.read", "database.read", None),
    ("a-b_c.0", "a-b_c.0", None),
    (SIXTEEN, SIXTEEN, None),
    ("a" * 256, "a" * 256, None),
    ("*", "*", None),
    ("api.*", "api.*", None),
    ("api.*.read", "api.*.read", None),
    ("api.vendas[GET]", "api.vendas", ("GET",)),
    ("api.vendas[POST,GET,POST]", "api.vendas", ("GET", "POST")),
    ("api.*[GET]", "api.*", ("GET",)),
    ("api.external[api.example.com]", "api.external", ("api.example.com",)),
    ("api.external[xn--caf-dma.example]", "api.external", ("xn--caf-dma.example",)),
    ("database.read[Customer,Invoice]", "database.read", ("Customer", "Invoice")),
    ("events.subscribe[data.vendas.*,user.login]", "events.subscribe", ("data.vendas.*", "user.login")),
    ("events.emit[*]", "events.emit", ("*",)),
    ("window.create[a:b/c@d$e#f]", "window.create", ("a:b/c@d$e#f",)),
]


@pytest.mark.parametrize(("text", "name", "scopes"), ACCEPTED)
def test_accepted(text, name, scopes):
    assert parse_permission(text) == Permission(name, scopes)


REFUSED = [
    ("", "empty"),
    ("[GET]", "empty"),
    ("a" * 257, "256 bytes"),
    (SIXTEEN + ".a", "17 segments"),
    ("api..x", "empty segment"),
    (".api", "empty segment"),
    ("api.", "empty segment"),
    ("api*", "whole segment"),
    ("api.v*", "whole segment"),
    ("api.**", "whole segment"),
    ("Api", "lower case"),
    ("api vendas", "segments are"),
    ("api/vendas", "segments are"),
    ("api.vendas\n", "control"),
    ("api.caf\u00e9", "LATIN SMALL LETTER E WITH ACUTE"),
    ("api.\u0430", "CYRILLIC SMALL LETTER A"),
    ("api.x[", "brackets"),
    ("api.x[GET", "brackets"),
    ("api.x[GET]]", "no scope"),
    ("api.x[GET]y", "brackets"),
    ("api.x[GET][POST]", "no scope"),
    ("api.x[]", "no scope"),
    ("api.x[GET,]", "no scope"),
    ("api.x[GET, POST]", "no scope"),
    ("api.x[get]", "upper case"),
    ("api.x[*]", "method"),
    ("*[GET]", "first segment"),
    ("*.x[GET]", "first segment"),
    (
        f"api.x[{','.join('A' * number for number in range(1, 17))},{','.join('B' * n for n in range(1, 18))}]",
        "256 bytes",
    ),
    (f"a[{','.join(map(str, range(33)))}]", "32 scopes"),
    ("api.external.example.com", "in brackets"),
    ("api.external.*", "in brackets"),
    ("api.external[*]", "wildcard"),
    ("api.external[*.example.com]", "wildcard"),
    ("api.external[Example.com]", "lower case"),
    ("api.external[example.com:443]", "port"),
    ("api.external[example.com.]", "host"),
    ("api.external[-a.com]", "host"),
    ("api.external[example.com/x]", "path"),
    ("api.external[user@example.com]", "host"),
    ("api.external[caf\u00e9.com]", "host"),
    ("events.emit[Data.x]", "topic"),
    ("events.emit[data.x*]", "topic"),
    ("events.emit[data..x]", "topic"),
    ("database.read[*]", "'\\*'"),
    ('database.read[a"b]', "printable"),
    ("database.read[a\\b]", "printable"),
    ("database.read[a b]", "printable"),
    ("database.read[tab\u00e9]", "printable"),
    ("database.read[a\0]", "printable"),
    (7, "not int"),
    (None, "not NoneType"),
    (b"api", "not bytes"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_refused_with_what_to_write_instead(text, says):
    with pytest.raises(InvalidPermissionError, match=says):
        parse_permission(text)


@given(text=permissions)
def test_the_canonical_text_reads_back(text):
    permission = parse_permission(text)
    assert parse_permission(str(permission)) == permission


@given(text=st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        canonical = str(parse_permission(text))
    except InvalidPermissionError as error:
        canonical = error.problem
    assert len(canonical.encode()) <= 256


@pytest.mark.parametrize("text", ["*", "*.read", "*.*"])
def test_a_manifest_may_not_ask_for_everything(text):
    parse_permission(text)
    with pytest.raises(InvalidPermissionError, match="may not ask for everything"):
        check_declarable(text)


@pytest.mark.parametrize("text", ["api.*", "api.external", "events.subscribe[*]", "api.vendas[GET]"])
def test_a_manifest_may_ask_for_what_has_a_family(text):
    assert str(check_declarable(text)) == text


def test_parts_are_what_must_be_held():
    assert parse_permission("api.x[POST,GET]").parts == ("GET", "POST")
    assert parse_permission("api.x").parts == (None,)


@pytest.mark.parametrize("argument", ["grants", "declared", "denies"])
def test_a_lone_text_in_place_of_several_is_a_fault(argument):
    with pytest.raises(TypeError, match=r"write \['api'\]"):
        PermissionManager(**{argument: "api"})
