"""Permissions of honest calls; the hostile ones stand in tests/security/test_hostile_paths.py."""

from __future__ import annotations

import pytest

from plataforma_sdk.api import CheckedPath, CheckedUrl, check_path, check_url, needed_permission
from plataforma_sdk.errors import TransportError


@pytest.mark.parametrize(
    ("target", "method", "names"),
    [
        ("/vendas/clientes", "GET", ("api.vendas[GET]", "api.internal[GET]")),
        ("/vendas", "post", ("api.vendas[POST]", "api.internal[POST]")),
        ("/acme--vendas/x?y=/internal", "DELETE", ("api.acme--vendas[DELETE]", "api.internal[DELETE]")),
        ("/%76endas/x", "GET", ("api.vendas[GET]", "api.internal[GET]")),
        ("https://API.example.com:443/v1", "PUT", ("api.external[api.example.com]",)),
        ("HTTPS://api.example.com", "GET", ("api.external[api.example.com]",)),
    ],
)
def test_permission_names_the_segment_or_the_host(target: str, method: str, names: tuple[str, ...]) -> None:
    assert needed_permission(target, method) == names


def test_path_is_split_and_decoded() -> None:
    checked = check_path("/vendas/Jo%c3%a3o?x=%31&y")
    assert checked == CheckedPath(path="/vendas/João", segments=("vendas", "João"), query="x=1&y")


@pytest.mark.parametrize(
    ("url", "port", "raw", "query"),
    [
        ("https://api.example.com", 443, b"/", ""),
        ("https://api.example.com/", 443, b"/", ""),
        ("https://api.example.com?a=b", 443, b"/", "a=b"),
        ("https://api.example.com:8443/V1/x?a=b", 8443, b"/V1/x", "a=b"),
    ],
)
def test_url_is_split(url: str, port: int, raw: bytes, query: str) -> None:
    checked = check_url(url)
    assert isinstance(checked, CheckedUrl)
    assert (checked.host, checked.port, checked.path.raw_path, checked.path.query) == (
        "api.example.com", port, raw, query
    )  # fmt: skip


def test_international_host_in_its_ascii_form_passes() -> None:
    assert check_url("https://xn--exmple-cua.com/x").host == "xn--exmple-cua.com"


@pytest.mark.parametrize("value", [None, 7, b"/vendas", ["/vendas"]], ids=repr)
def test_path_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(TransportError):
        needed_permission(value)  # type: ignore[arg-type]
