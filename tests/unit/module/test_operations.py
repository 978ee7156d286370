"""The table of host functions: which permission each call needs, read off its arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.errors import PermissionDeniedError, TransportError
from plataforma_sdk.module import OPERATIONS, RENDER_SAFE, own_topic


def needs(method, *args):
    return [need.alternatives for need in OPERATIONS[method].needs("acme/vendas", list(args))]


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/vendas/clientes", "GET", [("api.vendas[GET]", "api.internal[GET]")]),
        ("/vendas", "DELETE", [("api.vendas[DELETE]", "api.internal[DELETE]")]),
        ("/vendas?x=1", "GET", [("api.vendas[GET]", "api.internal[GET]")]),
        ("https://api.example.com/v1", "POST", [("api.external[api.example.com]",)]),
        ("https://api.example.com:443", "GET", [("api.external[api.example.com]",)]),
    ],
)
def test_an_api_call_needs_its_segment_or_host(path, method, expected):
    assert needs("api.call", path, {"method": method}) == expected


@pytest.mark.parametrize(
    "path",
    [
        "", "vendas", "//evil.example", "/Vendas", "/ve%6edas/x", "/vendas%2f..", "/../x", "/./x",
        "/vendas;x/y", "/\x00", "/vendas\n", "https://api.example.com\n",
        "http://api.example.com/", "https://API.example.com/", "https://u:p@api.example.com/", "https://api.example.com:8443/",
        "https://api.example.com\\@evil/", "HTTPS://api.example.com/", "file:///etc/passwd", 7, None,
    ],
)  # fmt: skip
def test_a_path_whose_permission_could_not_be_read_off_is_refused(path):
    """CVE-2021-41773: what is checked and what is sent must not differ by an encoding."""
    with pytest.raises(TransportError):
        needs("api.call", path, {"method": "GET"})


@pytest.mark.parametrize("method", ["get", "", "G T", "GET\r\n", 7, "X" * 17])
def test_a_method_is_a_word_in_capitals(method):
    with pytest.raises(TransportError):
        needs("api.call", "/vendas", {"method": method})


@given(st.text(max_size=40))
def test_the_permission_of_a_path_is_its_own_first_segment(path):
    try:
        found = needs("api.call", "/" + path, {})[0][0]
    except TransportError:
        return
    segment = found.removeprefix("api.").removesuffix("[GET]")
    assert ("/" + path).startswith("/" + segment)
    assert (path + "/")[len(segment)] in "/?"


def test_topics_stand_in_the_scope():
    assert needs("events.emit", "saved", None) == [("events.emit[module.acme--vendas.saved]",)]
    assert needs("events.subscribe", 1, "data.*") == [("events.subscribe[data.*]",)]
    assert needs("events.request", "module.other.sum", None, 1) == [("events.emit[module.other.sum]",)]


def test_a_modal_needs_both():
    assert needs("windows.create", {"modal": False}) == [("window.create",)]
    assert needs("windows.create", {"modal": True}) == [("window.create",), ("window.modal",)]


def test_a_service_that_checks_scopes_itself_takes_any():
    assert [need.any_scope for need in OPERATIONS["database.query"].needs("vendas", ["SELECT 1", []])] == [True]


def test_own_topic_keeps_what_is_its_own_already():
    assert own_topic("acme/vendas", "module.acme--vendas.saved") == "module.acme--vendas.saved"


@pytest.mark.parametrize(
    "topic", ["module.other.saved", "module.acme--vendasx.a", "module.", "plataforma.module.error"]
)
def test_a_foreign_namespace_is_refused_whatever_is_granted(topic):
    with pytest.raises(PermissionDeniedError) as caught:
        own_topic("acme/vendas", topic)
    assert (caught.value.reason, caught.value.module) == ("not its namespace", "acme/vendas")


def test_names_arity_and_kind_are_consistent():
    assert all(name == operation.method for name, operation in OPERATIONS.items())
    assert {name for name, operation in OPERATIONS.items() if operation.is_network} == {"api.call"}
    assert set(OPERATIONS) >= RENDER_SAFE
    assert all(OPERATIONS[name].immediate for name in RENDER_SAFE)
