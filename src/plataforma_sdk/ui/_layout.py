"""Builders of what holds other elements."""

from __future__ import annotations

from typing import Literal, TypeAlias

from plataforma_sdk.ui._action import Handler
from plataforma_sdk.ui._element import Child, Element, build

__all__ = ["card", "column", "divider", "form", "list_", "modal", "row", "tab", "tabs", "window"]

Gap: TypeAlias = Literal["none", "small", "medium", "large"]
Alignment: TypeAlias = Literal["start", "center", "end", "stretch"]
Size: TypeAlias = Literal["small", "medium", "large"]


def window(
    *children: Child,
    title: str,
    icon: str | None = None,
    gap: Gap | None = None,
    align: Alignment | None = None,
    key: str | int | None = None,
) -> Element:
    """Make a framed area with a title bar, for a view that shows several; the window itself is `create_window`'s."""
    return build("window", children, key, title=title, icon=icon, gap=gap, align=align)


def row(
    *children: Child,
    gap: Gap | None = None,
    align: Alignment | None = None,
    wrap: bool | None = None,
    key: str | int | None = None,
) -> Element:
    """Place elements side by side.

    Args:
        children: elements, texts, None (skipped) and lists of these.
        gap: space between them.
        align: where they stand across the row.
        wrap: whether those that do not fit go on below.
        key: what tells this element from its siblings from one render to the next.
    """
    return build("row", children, key, gap=gap, align=align, wrap=wrap)


def column(
    *children: Child, gap: Gap | None = None, align: Alignment | None = None, key: str | int | None = None
) -> Element:
    """Place elements below each other.

    >>> column("one", None, ["two", "three"])
    <Element column of 3>
    """
    return build("column", children, key, gap=gap, align=align)


def card(
    *children: Child,
    title: str | None = None,
    subtitle: str | None = None,
    icon: str | None = None,
    on_press: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Frame what belongs together; with `on_press` the whole card can be pressed."""
    return build("card", children, key, title=title, subtitle=subtitle, icon=icon, on_press=on_press)


def tabs(
    *children: Child, selected: int | None = None, on_select: Handler | None = None, key: str | int | None = None
) -> Element:
    """Show one of several `tab` elements at a time.

    Args:
        children: `tab` elements only.
        selected: index of the one shown first; the viewer keeps what the person chose since.
        on_select: called with ``value=`` the index chosen.
        key: what tells this element from its siblings.
    """
    return build("tabs", children, key, selected=selected, on_select=on_select)


def tab(label: str, *children: Child, icon: str | None = None, key: str | int | None = None) -> Element:
    """Make one page of `tabs`."""
    return build("tab", children, key, label=label, icon=icon)


def list_(
    *children: Child, ordered: bool | None = None, on_select: Handler | None = None, key: str | int | None = None
) -> Element:
    """List elements or texts, with numbers if `ordered`; `ui.list` in a module.

    Args:
        children: the items.
        ordered: whether they are numbered.
        on_select: called with ``value=`` the index of the item chosen.
        key: what tells this element from its siblings.
    """
    return build("list", children, key, ordered=ordered, on_select=on_select)


def form(
    *children: Child, on_submit: Handler | None = None, submit_label: str | None = None, key: str | int | None = None
) -> Element:
    """Gather fields, at any depth inside it, and send them together.

    Args:
        children: fields and whatever stands between them; field names are unique inside a form.
        on_submit: called with ``value=`` a dict, field name -> value; without it the viewer shows no button.
        submit_label: text of the button; the viewer's own where None.
        key: what tells this element from its siblings.
    """
    return build("form", children, key, on_submit=on_submit, submit_label=submit_label)


def modal(
    *children: Child,
    title: str,
    size: Size | None = None,
    on_close: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Lay elements over the rest of the window for as long as they stand in the tree; leave them out to close it.

    Args:
        children: what it shows.
        title: its heading, which assistive technology reads out.
        size: its width.
        on_close: called when the person dismisses it; without it the viewer offers no way to.
        key: what tells this element from its siblings.
    """
    return build("modal", children, key, title=title, size=size, on_close=on_close)


def divider(label: str | None = None, *, key: str | int | None = None) -> Element:
    """Draw a line between what stands above and below."""
    return build("divider", (), key, label=label)
