"""Builders of what is read: texts, figures, images and notices, and the button."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from plataforma_sdk.ui._action import Handler
from plataforma_sdk.ui._data_kinds import Format
from plataforma_sdk.ui._element import Element, build
from plataforma_sdk.ui._layout import Size

__all__ = ["Scalar", "Tone", "alert", "badge", "button", "heading", "icon", "image", "metric", "progress", "text"]

Scalar: TypeAlias = str | int | float | bool | Decimal | datetime.date | datetime.datetime | None
"""A raw value; the viewer formats it for its own locale."""
Tone: TypeAlias = Literal["neutral", "primary", "info", "success", "warning", "danger"]


def text(
    value: Scalar,
    *,
    format: Format | None = None,  # noqa: A002 - the word of the wire
    currency: str | None = None,
    size: Size | None = None,
    tone: Tone | None = None,
    weight: Literal["normal", "bold"] | None = None,
    style: Literal["normal", "italic", "code"] | None = None,
    key: str | int | None = None,
) -> Element:
    """Show a text or any raw value.

    Args:
        value: what to show; numbers and dates go raw, with a format.
        format: how; by the value's type where None.
        currency: ISO 4217 code for ``format="currency"``; the viewer's own where None.
        size: size of the letters.
        tone: meaning, which the viewer colours.
        weight: weight of the letters.
        style: ``"code"`` keeps spaces and lines.
        key: what tells this element from its siblings.
    """
    return build(
        "text",
        (),
        key,
        value=value,
        format=format,
        currency=currency,
        size=size,
        tone=tone,
        weight=weight,
        style=style,
    )


def heading(text: str, level: int = 1, *, key: str | int | None = None) -> Element:
    """Head a part of the window; levels 1 to 6, outermost first."""
    return build("heading", (), key, text=text, level=level)


def image(
    src: str, *, alt: str, width: int | None = None, height: int | None = None, key: str | int | None = None
) -> Element:
    """Show an image.

    Args:
        src: an ``https://`` address, or ``data:image/png;base64,...`` (also jpeg, gif, webp, avif) up to one MiB.
        alt: what it shows, for those who cannot see it; empty for an ornament.
        width: in pixels, 1 to 10,000.
        height: in pixels, 1 to 10,000.
        key: what tells this element from its siblings.
    """
    return build("image", (), key, src=src, alt=alt, width=width, height=height)


def icon(
    name: str,
    *,
    size: Size | None = None,
    tone: Tone | None = None,
    label: str | None = None,
    key: str | int | None = None,
) -> Element:
    """Show an icon of the viewer's set by its name, ``"arrow-up"``; without a `label` it is an ornament."""
    return build("icon", (), key, name=name, size=size, tone=tone, label=label)


def badge(text: str, *, tone: Tone | None = None, icon: str | None = None, key: str | int | None = None) -> Element:
    """Mark something with a word or a number."""
    return build("badge", (), key, text=text, tone=tone, icon=icon)


def alert(
    text: str,
    *,
    tone: Tone = "info",
    title: str | None = None,
    on_close: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Tell the person something; with `on_close` they can dismiss it."""
    return build("alert", (), key, text=text, tone=tone, title=title, on_close=on_close)


def progress(
    value: float | Decimal | None = None,
    *,
    maximum: float | Decimal = 1,
    label: str | None = None,
    key: str | int | None = None,
) -> Element:
    """Show how far something is, from 0 to `maximum`; None where nobody knows."""
    return build("progress", (), key, value=value, maximum=maximum, label=label)


def metric(
    label: str,
    value: Scalar,
    *,
    format: Format | None = None,  # noqa: A002 - the word of the wire
    currency: str | None = None,
    change: float | Decimal | None = None,
    tone: Tone | None = None,
    icon: str | None = None,
    key: str | int | None = None,
) -> Element:
    """Show one figure with its name.

    Args:
        label: what it measures.
        value: the raw figure.
        format: how to show it; by its type where None.
        currency: ISO 4217 code for ``format="currency"``; the viewer's own where None.
        change: against the time before, as a fraction: 0.12 is 12 % more.
        tone: meaning, which the viewer colours.
        icon: name of an icon beside it.
        key: what tells this element from its siblings.
    """
    return build(
        "metric",
        (),
        key,
        label=label,
        value=value,
        format=format,
        currency=currency,
        change=change,
        tone=tone,
        icon=icon,
    )


def button(
    label: str,
    *,
    on_press: Handler | None = None,
    icon: str | None = None,
    tone: Tone | None = None,
    disabled: bool | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person do something.

    Args:
        label: what it does, in a word.
        on_press: ``self.reload``, or ``ui.action(self.remove, row_id)`` where the handler takes arguments.
        icon: name of an icon beside the label.
        tone: ``"primary"`` for what one comes here for, ``"danger"`` for what cannot be undone.
        disabled: whether it cannot be pressed now.
        key: what tells this element from its siblings.
    """
    return build("button", (), key, label=label, on_press=on_press, icon=icon, tone=tone, disabled=disabled)
