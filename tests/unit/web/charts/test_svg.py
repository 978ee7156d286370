"""A drawing is shown only if it holds shapes and texts, and refers to nothing outside itself."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import ChartError
from plataforma_sdk.web.charts._svg import MAX_SVG_BYTES, checked_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" width="9">'


def svg(inside: str, head: str = HEAD) -> bytes:
    return f"{head}{inside}</svg>".encode()


@pytest.mark.parametrize(
    "inside",
    [
        '<g transform="translate(0,0)"><path d="M0,0L1,1" fill="none" stroke="#888"/></g>',
        '<text font-family="system-ui, \'Segoe UI\', sans-serif" font-size="11px">R$ 1.000 &lt;script&gt; url(</text>',
        '<defs><clipPath id="clip0"><rect width="1" height="1"/></clipPath></defs><g clip-path="url(#clip0)"/>',
        '<rect fill="url(#gradient_0)" style="mix-blend-mode: normal;"/>',
        '<g aria-label="a: 1; b: http://example.org"/>',
    ],
)
def test_shapes_and_texts_pass(inside: str) -> None:
    assert checked_svg(svg(inside)) == svg(inside)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("<script>alert(1)</script>", "script"),
        ("<foreignObject><p/></foreignObject>", "foreignObject"),
        ('<image href="https://example.org/a.png"/>', "image"),
        ('<a href="https://example.org"/>', "the element 'a'"),
        ('<use href="#a"/>', "use"),
        ("<style>@import url(x)</style>", "style"),
        ('<animate attributeName="href"/>', "animate"),
        ('<rect onload="alert(1)"/>', "onload"),
        ('<rect href="#a"/>', "href"),
        ('<rect xlink:href="#a"/>', "xlink:href"),
        ('<rect fill="url(https://example.org/#a)"/>', "fill"),
        ('<rect fill="URL( //example.org )"/>', "fill"),
        ('<rect fill="url(#a) url(//example.org)"/>', "fill"),
        ('<rect fill="u\\72l(//example.org)"/>', "fill"),
        ('<rect style="background: url(//example.org)"/>', "style"),
        ('<rect style="a: b" xml:base="http://example.org"/>', "xml:base"),
        ('<g xmlns="http://www.w3.org/1999/xhtml"/>', "xmlns"),
        ("<?xml-stylesheet href='x'?>", "processing instruction"),
        ("<!-- > -->", "comment"),
        ("<![CDATA[x]]>", "section"),
        ("<g>", "no XML"),
        ("&unknown;", "no XML"),
    ],
)
def test_all_else_is_refused(inside: str, message: str) -> None:
    with pytest.raises(ChartError, match=message):
        checked_svg(svg(inside))


def test_entities_are_refused_before_they_are_read() -> None:
    """Source: CWE-776, CWE-611."""
    for entity in ('<!ENTITY a "aaaa">', '<!ENTITY a SYSTEM "file:///etc/passwd">'):
        with pytest.raises(ChartError, match="document type"):
            checked_svg(svg("&a;", f"<!DOCTYPE svg [{entity}]>{HEAD}"))


def test_another_encoding_is_read_as_what_it_is() -> None:
    with pytest.raises(ChartError):
        checked_svg(svg("<script/>").decode().encode("utf-16"))


def test_a_large_one_is_refused_unread() -> None:
    with pytest.raises(ChartError, match="draw fewer points"):
        checked_svg(b"<" * (MAX_SVG_BYTES + 1))
