"""Hostile paths and URLs: none is sent, none names a permission. Each carries the source of the attack."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plataforma_sdk.api import (
    ApiClient,
    ExternalTransport,
    MockTransport,
    check_path,
    is_public_address,
    needed_permission,
)
from plataforma_sdk.errors import PlataformaError, TransportError

PATHS: list[tuple[str, str]] = [
    # traversal
    ("/vendas/../internal/users", "OWASP path traversal: plain dot segments"),
    ("/vendas/..", "RFC 3986 5.2.4: dot segment at the end"),
    ("/vendas/./clientes", "RFC 3986 5.2.4: single dot"),
    ("/../etc/passwd", "CVE-2021-41773 family: dot segment first"),
    ("/vendas/%2e%2e/internal", "CVE-2021-41773 Apache: encoded dots"),
    ("/vendas/.%2e/internal", "CVE-2021-41773 Apache: half-encoded dots"),
    ("/vendas/%2E./internal", "CVE-2021-41773 Apache: upper case hex"),
    ("/vendas/%%32%65%%32%65/internal", "CVE-2021-42013 Apache: double-encoded dots"),
    ("/vendas/%252e%252e/internal", "CWE-174: double decoding"),
    ("/vendas/%25252e%25252e/internal", "CWE-174: triple encoding"),
    ("/vendas/..%2finternal", "OWASP path traversal: encoded slash"),
    ("/vendas%2f..%2finternal", "PortSwigger file path traversal: all slashes encoded"),
    ("/vendas/..%252finternal", "CVE-2018-1271 Spring: double-encoded slash"),
    ("/vendas/..%5cinternal", "CVE-2018-1271 Spring: encoded backslash"),
    ("/vendas/..\\internal", "OWASP path traversal: backslash"),
    ("/vendas\\clientes", "WHATWG URL 4.4: backslash read as a slash"),
    ("/vendas/%5c%5chost%5cshare", "CWE-40: encoded UNC path"),
    ("/vendas/..;/manager/html", "CVE-2020-5902 F5, Orange Tsai 2018: path parameter"),
    ("/vendas;/clientes", "Orange Tsai 2018: path parameter in the first segment"),
    ("/vendas/clientes;jsessionid=1", "RFC 3986 3.3: path parameter at the end"),
    ("/vendas/%3b/clientes", "CVE-2020-13933 Shiro: encoded semicolon"),
    ("/vendas/.../clientes", "CWE-32: triple dot"),
    ("/vendas/.. /internal", "CWE-46: trailing blank behind dots"),
    ("/vendas/..%20/internal", "CWE-46: trailing blank behind dots, encoded"),
    ("/vendas/%20/clientes", "CWE-46: blank segment"),
    ("/vendas/. ./internal", "CWE-46: dots and blanks"),
    ("/vendas/%c0%ae%c0%ae/internal", "CVE-2008-2938 Tomcat: overlong UTF-8 dots"),
    ("/vendas/..%c0%afinternal", "CVE-2000-0884 IIS Unicode: overlong slash"),
    ("/vendas/..%c1%9cinternal", "CVE-2000-0884 IIS Unicode: overlong backslash"),
    ("/vendas/%e0%80%ae%e0%80%ae/internal", "RFC 3629 10: three-byte overlong"),
    ("/vendas/%u002e%u002e/internal", "CWE-173: %u encoding of IIS"),
    ("/vendas/\uff0e\uff0e/internal", "CVE-2019-9636 family: fullwidth dots"),
    ("/vendas/\u2025/internal", "CVE-2019-9636 family: two dot leader folds to '..'"),
    ("/vendas/..\uff0finternal", "CVE-2019-9636 family: fullwidth slash"),
    ("/vendas/a%ef%bc%8f..%ef%bc%8finternal", "CVE-2019-9636 family: encoded fullwidth slash"),
    ("/vendas/a\uff3c..\uff3cinternal", "CVE-2019-9636 family: fullwidth backslash"),
    ("/vendas/\uff05\uff12\uff45", "CVE-2019-9636 family: fullwidth percent"),
    ("/vendas/a\u2100b", "CVE-2019-9636: account-of sign folds to a/c"),
    # first segment and shape
    ("//evil.example/clientes", "RFC 3986 4.2: network-path reference"),
    ("///evil.example", "CWE-601: three slashes"),
    ("/\\evil.example", "WHATWG URL: slash and backslash make an authority"),
    ("/%2fevil.example", "CWE-601: encoded second slash"),
    ("/%5cevil.example", "CWE-601: encoded backslash"),
    ("\\\\evil.example\\x", "CWE-40: UNC path"),
    ("vendas/clientes", "RFC 3986 4.2: path without a root"),
    ("@evil.example/x", "PortSwigger SSRF: base glued to a user"),
    (".evil.example/x", "PortSwigger SSRF: suffix glued to the base host"),
    (":8080/x", "PortSwigger SSRF: port glued to the base host"),
    ("", "empty path"),
    ("/", "root names no permission"),
    ("?x=1", "query without a path"),
    ("/vendas//clientes", "CVE-2021-29425 commons-io: empty segment"),
    ("/vendas/", "trailing slash: empty segment"),
    ("/Vendas/clientes", "CWE-178: letter case of the first segment"),
    ("/vend\u0430s/clientes", "UTS 39: Cyrillic a in the first segment"),
    ("/%76endas%00/clientes", "CWE-158: NUL in the first segment"),
    ("/*/clientes", "wildcard as a permission segment"),
    ("/vendas[GET]/clientes", "scope syntax as a permission segment"),
    ("/vendas.clientes", "second permission segment"),
    ("/vendas,internal/x", "list syntax as a permission segment"),
    ("/internal/users", "reserved segment: names the permission api.internal"),
    ("/external/evil.example", "reserved segment: names the permission api.external"),
    ("/module/vendas", "reserved segment"),
    ("/%69nternal/users", "reserved segment, encoded once"),
    ("/%2569nternal/users", "reserved segment, encoded twice"),
    # controls, normal forms, leftovers
    ("/vendas/clientes%00.json", "CWE-158: NUL truncation"),
    ("/vendas/clientes\x00", "CWE-158: raw NUL"),
    ("/vendas/x%0d%0aX-Admin:%201", "CVE-2019-9740 urllib: CR LF injection"),
    ("/vendas/x\r\nX-Admin: 1", "CVE-2019-9947 urllib: raw CR LF"),
    ("/vendas/x HTTP/1.1\r\nHost: evil", "CVE-2019-9947 urllib: request splitting"),
    ("/ve\tndas/clientes", "CVE-2022-0391 urllib: tab removed by parsers"),
    ("/ve\nndas/clientes", "CVE-2022-0391 urllib: newline removed by parsers"),
    ("\x01/vendas", "CVE-2023-24329 urllib: leading control"),
    (" /vendas", "CVE-2023-24329 urllib: leading blank"),
    ("/vendas/%7f", "RFC 9110 5.5: DEL"),
    ("/vendas/%c2%85", "C1 control NEL"),
    ("/vendas/a\u202egnp.exe", "CVE-2021-42574 Trojan Source: bidi override"),
    ("/vendas/a%e2%80%8bb", "UTS 39: zero width space"),
    ("/vendas/a\u2028b", "line separator splits logs: CWE-117"),
    ("/vendas/cafe\u0301", "UAX 15: not NFC"),
    ("/vendas/cafe%cc%81", "UAX 15: not NFC, encoded"),
    ("/vendas/\ud800", "CESU: lone surrogate"),
    ("/vendas/%ed%a0%80", "RFC 3629 3: encoded surrogate"),
    ("/vendas/%ff", "RFC 3629: byte that is never UTF-8"),
    ("/vendas/%", "CWE-172: lone percent sign"),
    ("/vendas/%zz", "CWE-172: percent without hex"),
    ("/vendas/%2", "CWE-172: cut percent triplet"),
    ("/vendas/100%25", "percent left after one decoding"),
    ("/vendas/#/internal", "RFC 3986 3.5: fragment"),
    ("/vendas/%23/internal", "RFC 3986 3.5: encoded number sign"),
    ("/vendas?a=1#b", "fragment behind a query"),
    ("/vendas?a=%00", "CWE-158: NUL in the query"),
    ("/vendas?a=x%0d%0aX-Admin:1", "CVE-2019-9740: CR LF in the query"),
    ("/vendas?a=%", "lone percent sign in the query"),
    ("/vendas?a=%ff", "RFC 3629: query that is not UTF-8"),
    ("/vendas?" + "&".join(f"a{n}=1" for n in range(201)), "CVE-2011-3414 family: many parameters"),
    ("/vendas/" + "a" * 2_048, "CWE-400: length"),
    ("/vendas/" + "%41" * 800, "CWE-400: length before decoding"),
]

URLS: list[tuple[str, str]] = [
    ("http://api.example.com/", "cleartext: RFC 9110 4.2.1"),
    ("ftp://api.example.com/x", "OWASP SSRF: other scheme"),
    ("file:///etc/passwd", "OWASP SSRF: file scheme"),
    ("gopher://api.example.com:70/_x", "OWASP SSRF: gopher"),
    ("data:text/plain,hello", "OWASP SSRF: data scheme"),
    ("javascript:alert(1)", "CWE-79: script scheme"),
    ("unix:/var/run/docker.sock", "CVE-2021-40438 Apache: unix socket"),
    ("https:api.example.com/x", "WHATWG URL: missing slashes repaired"),
    ("https:/api.example.com/x", "WHATWG URL: one slash repaired"),
    ("https:\\\\api.example.com/x", "CVE-2021-27516 URI.js: backslashes repaired"),
    ("https:///api.example.com/x", "WHATWG URL: third slash ignored"),
    ("https://", "no host"),
    ("https://user@api.example.com/", "RFC 3986 3.2.1: user"),
    ("https://user:secret@api.example.com/", "RFC 3986 7.5: credentials"),
    ("https://api.example.com@evil.example/", "CWE-601: the user looks like the host"),
    ("https://api.example.com:443@evil.example/", "Orange Tsai 2017: port and user"),
    ("https://evil.example\\@api.example.com/", "CVE-2020-26291 URI.js: backslash before @"),
    ("https://api.example.com\\.evil.example/", "CVE-2020-26291 URI.js: backslash in the host"),
    ("https://api.example.com#@evil.example/", "Orange Tsai 2017: fragment and user"),
    ("https://api.example.com?@evil.example/#", "Orange Tsai 2017: query and user"),
    ("https://api.example.com%2eevil.example/", "RFC 3986 3.2.2: encoded host"),
    ("https://api.example.com%40evil.example/", "CVE-2026-6322 fast-uri: encoded @"),
    ("https://api.example.com%00.evil.example/", "CVE-2009-2408 family: NUL in the host"),
    ("https://api.example.com%0d%0aX:1/", "CVE-2019-9740: CR LF in the host"),
    ("https://api.exa\tmple.com/", "CVE-2022-0391: tab removed by parsers"),
    (" https://api.example.com/", "CVE-2023-24329: leading blank"),
    ("https://api.example.com /", "blank in the host"),
    ("https://api..example.com/", "empty label"),
    ("https://api.example.com./", "RFC 1034 3.1: trailing dot escapes name checks: CVE-2022-30115"),
    ("https://-api.example.com/", "RFC 952: leading hyphen"),
    ("https://api_x.example.com/", "RFC 952: underscore"),
    ("https://ex\u00e4mple.com/", "UTS 46: not in its xn-- form"),
    ("https://\u24d4xample.com/", "CVE-2019-9636: circled letter"),
    ("https://api\u3002example.com/", "CVE-2022-43551 curl: ideographic full stop"),
    ("https://" + "a" * 64 + ".example.com/", "RFC 1035: label over 63"),
    ("https://" + "a." * 127 + "example.com/", "RFC 1035: name over 253"),
    ("https://127.0.0.1/", "OWASP SSRF: loopback"),
    ("https://127.1/", "OWASP SSRF: short address"),
    ("https://2130706433/", "PortSwigger SSRF: decimal address"),
    ("https://0x7f000001/", "PortSwigger SSRF: hexadecimal address"),
    ("https://0x7f.0.0.1/", "WHATWG URL 3.5: hexadecimal part"),
    ("https://0177.0.0.1/", "CVE-2021-29921 ipaddress: octal address"),
    ("https://127.0.0.1.0x1/", "WHATWG URL 3.5: ends in a number"),
    ("https://169.254.169.254/latest/meta-data/", "Capital One 2019: cloud metadata"),
    ("https://[::1]/", "OWASP SSRF: IPv6 loopback"),
    ("https://[::ffff:127.0.0.1]/", "CVE-2024-29415 node-ip: mapped address"),
    ("https://[::ffff:a9fe:a9fe]/", "OWASP SSRF: mapped metadata address"),
    ("https://[fe80::1%25eth0]/", "RFC 6874: zone"),
    ("https://localhost/", "OWASP SSRF: local name"),
    ("https://metadata/", "single label resolved by the search list"),
    ("https://foo.localhost/", "RFC 6761 6.3"),
    ("https://printer.local/", "RFC 6762: multicast DNS"),
    ("https://metadata.google.internal/", "OWASP SSRF: Google metadata"),
    ("https://x.onion/", "RFC 7686"),
    ("https://api.example.com:/", "RFC 3986 3.2.3: empty port"),
    ("https://api.example.com:0/", "port 0"),
    ("https://api.example.com:65536/", "port over 65535"),
    ("https://api.example.com:443443443/", "port wraps around"),
    ("https://api.example.com:-443/", "negative port"),
    ("https://api.example.com:\u0664\u0664\u0663/", "Arabic digits in the port"),
    ("https://api.example.com/../x", "RFC 3986 5.2.4: dot segment"),
    ("https://api.example.com/%2e%2e/x", "CVE-2021-41773: encoded dots"),
    ("https://api.example.com//x", "empty segment"),
    ("https://api.example.com/x;y", "path parameter"),
    ("https://api.example.com/%0d%0a", "CVE-2019-9740: CR LF in the path"),
]

ADDRESSES: list[tuple[str, str]] = [
    ("0.0.0.0", "RFC 1122: this host, 0.0.0.0-day 2024"),
    ("10.0.0.5", "RFC 1918"),
    ("172.16.0.1", "RFC 1918"),
    ("172.31.255.255", "RFC 1918"),
    ("192.168.1.1", "RFC 1918"),
    ("100.64.0.1", "RFC 6598 carrier-grade NAT"),
    ("100.100.100.200", "Alibaba metadata"),
    ("127.0.0.1", "RFC 1122 loopback"),
    ("127.255.255.254", "RFC 1122 loopback"),
    ("168.63.129.16", "Azure wire server"),
    ("169.254.169.254", "RFC 3927 link local, cloud metadata"),
    ("192.0.0.192", "Oracle metadata, RFC 6890"),
    ("192.0.2.1", "RFC 5737"),
    ("192.88.99.1", "RFC 7526 6to4 relay"),
    ("198.18.0.1", "RFC 2544"),
    ("203.0.113.9", "RFC 5737"),
    ("224.0.0.1", "RFC 5771 multicast"),
    ("239.255.255.250", "SSDP"),
    ("240.0.0.1", "RFC 1112 reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::127.0.0.1", "RFC 4291 2.5.5.1 IPv4-compatible"),
    ("::ffff:127.0.0.1", "RFC 4291 2.5.5.2 IPv4-mapped, CVE-2024-29415"),
    ("::ffff:8.8.8.8", "IPv4-mapped"),
    ("::ffff:0:127.0.0.1", "RFC 2765 IPv4-translated"),
    ("64:ff9b::7f00:1", "RFC 6052 NAT64 of loopback"),
    ("64:ff9b::808:808", "RFC 6052 NAT64"),
    ("64:ff9b:1::a00:1", "RFC 8215 local NAT64"),
    ("100::1", "RFC 6666 discard"),
    ("2001::1", "RFC 4380 Teredo"),
    ("2001:db8::1", "RFC 3849"),
    ("2002:7f00:1::", "RFC 3056 6to4 of loopback"),
    ("2002:808:808::", "RFC 3056 6to4"),
    ("3fff::1", "RFC 9637"),
    ("fc00::1", "RFC 4193"),
    ("fd00:ec2::254", "AWS metadata over IPv6"),
    ("fe80::1", "RFC 4291 link local"),
    ("fe80::1%eth0", "RFC 4007 zone"),
    ("2606:4700:4700::1111%eth0", "RFC 4007 zone on a public address"),
    ("fec0::1", "RFC 3879 site local"),
    ("ff02::1", "RFC 4291 multicast"),
    ("0177.0.0.1", "CVE-2021-29921: octal"),
    ("2130706433", "decimal"),
    ("not-an-address", "garbage from a resolver"),
]

ACCEPTED: list[tuple[str, bytes]] = [
    ("/vendas", b"/vendas"),
    ("/vendas/clientes", b"/vendas/clientes"),
    ("/vendas/clientes/42", b"/vendas/clientes/42"),
    ("/acme--vendas/resumo", b"/acme--vendas/resumo"),
    ("/v_1/x.y~z-w", b"/v_1/x.y~z-w"),
    ("/%76endas/clientes", b"/vendas/clientes"),
    ("/vendas%2Fclientes", b"/vendas/clientes"),
    ("/vendas/caf\u00e9", b"/vendas/caf%C3%A9"),
    ("/vendas/caf%c3%a9", b"/vendas/caf%C3%A9"),
    ("/vendas/Jo\u00e3o Silva", b"/vendas/Jo%C3%A3o%20Silva"),
    ("/vendas/what%3F", b"/vendas/what%3F"),
    ("/vendas/.hidden", b"/vendas/.hidden"),
    ("/vendas/internal", b"/vendas/internal"),
    ("/vendas/\u65e5\u672c", b"/vendas/%E6%97%A5%E6%9C%AC"),
]


def named(table: list[tuple[str, str]]) -> list[Any]:
    return [pytest.param(text, id=f"{n:02}: {source}") for n, (text, source) in enumerate(table)]


def test_the_table_is_as_long_as_promised() -> None:
    assert len({*dict(PATHS), *dict(URLS)}) >= 160


@pytest.mark.parametrize("text", [*named(PATHS), *named(URLS)])
def test_hostile_target_names_no_permission(text: str) -> None:
    with pytest.raises(TransportError):
        needed_permission(text)


@pytest.mark.parametrize("text", [*named(PATHS), *named(URLS)])
def test_hostile_target_is_never_sent(text: str, run: Callable[[Any], Any]) -> None:
    transport = MockTransport(lambda _: "sent")
    with pytest.raises(TransportError):
        run(ApiClient(transport, module_id="vendas").request(text))
    assert transport.requests == []


@pytest.mark.parametrize("text", [*named(PATHS), *named(URLS)])
def test_refusal_is_printable_and_bounded(text: str) -> None:
    with pytest.raises(TransportError) as caught:
        needed_permission(text)
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("text", "raw"), ACCEPTED, ids=[text for text, _ in ACCEPTED])
def test_honest_path_is_sent_in_its_canonical_form(text: str, raw: bytes) -> None:
    assert check_path(text).raw_path == raw


@pytest.mark.parametrize("address", named(ADDRESSES))
def test_hostile_address_is_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:830::200e"])
def test_public_address_is_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("address", named(ADDRESSES))
def test_external_call_never_connects_to_a_hostile_address(address: str, run: Callable[[Any], Any]) -> None:
    connected: list[str] = []

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", address]  # one good answer does not excuse the other

    client = ApiClient(ExternalTransport(resolver=resolve, connect=connected.append))  # type: ignore[arg-type]
    with pytest.raises(TransportError, match="not public"):
        run(client.request("https://api.example.com/v1"))
    assert connected == []


@given(
    st.text(max_size=60) | st.text(alphabet="/.%2e5cfF;\\ ?#ainterl\u2025\uff0f", max_size=24).map("/vendas/".__add__)
)
def test_whatever_is_accepted_decodes_to_what_was_judged(text: str) -> None:
    """The property behind the table: a reader that decodes once more sees the same segments, and no dot segment."""
    try:
        checked = check_path(text)
    except PlataformaError:
        return
    raw = checked.raw_path.decode("ascii")
    assert unquote(raw) == checked.path == "/" + "/".join(checked.segments)
    assert unquote(unquote(raw)) == checked.path
    folded = unicodedata.normalize("NFKC", checked.path)
    assert not {".", "..", ""} & set(folded[1:].split("/"))
    assert not set("\\%;#") & set(folded)
    assert check_path(raw) == attrs.evolve(checked, query="")
