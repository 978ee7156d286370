"""Builders of the fields in which a person enters something.

Their events carry ``value=``, which the host has checked against the field: type, length, range, options. Inside a
`form` a field needs no event of its own.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from plataforma_sdk.ui._action import Handler
from plataforma_sdk.ui._element import Element, build

__all__ = ["checkbox_field", "date_field", "number_field", "select_field", "text_field"]

Option: TypeAlias = str | int | tuple[str | int, str] | Mapping[str, Any]
"""A value that is its own label, a pair ``(value, label)``, or ``{"value", "label", "disabled"}``."""


def text_field(
    name: str,
    *,
    label: str | None = None,
    value: str | None = None,
    required: bool | None = None,
    max_length: int | None = None,
    multiline: bool | None = None,
    kind: Literal["text", "email", "password", "search", "tel", "url"] | None = None,
    placeholder: str | None = None,
    help: str | None = None,  # noqa: A002 - the word of the wire
    disabled: bool | None = None,
    on_change: Handler | None = None,
    on_submit: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person write a text.

    Args:
        name: name in the form: letters, digits and ``_``.
        label: what to enter; the name where None.
        value: text at first.
        required: whether it may stay empty.
        max_length: characters, at most 100,000, which is the limit where None.
        multiline: whether it takes more than one line.
        kind: what a viewer's keyboard offers; the text is not checked against it.
        placeholder: an example, shown while it is empty.
        help: a sentence below it.
        disabled: whether it cannot be changed.
        on_change: called with ``value=`` the text when the person has changed it.
        on_submit: called with ``value=`` the text at Enter.
        key: what tells this element from its siblings.
    """
    return build(
        "text_field",
        (),
        key,
        name=name,
        label=label,
        value=value,
        required=required,
        max_length=max_length,
        multiline=multiline,
        kind=kind,
        placeholder=placeholder,
        help=help,
        disabled=disabled,
        on_change=on_change,
        on_submit=on_submit,
    )


def number_field(
    name: str,
    *,
    label: str | None = None,
    value: float | Decimal | None = None,
    required: bool | None = None,
    minimum: float | Decimal | None = None,
    maximum: float | Decimal | None = None,
    step: float | Decimal | None = None,
    integer: bool | None = None,
    placeholder: str | None = None,
    help: str | None = None,  # noqa: A002 - the word of the wire
    disabled: bool | None = None,
    on_change: Handler | None = None,
    on_submit: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person enter a number.

    Args:
        name: name in the form: letters, digits and ``_``.
        label: what to enter; the name where None.
        value: number at first.
        required: whether it may stay empty; empty is ``value=None``.
        minimum: the least number.
        maximum: the greatest number.
        step: what the arrows add; other numbers are accepted too.
        integer: whether only whole numbers are accepted.
        placeholder: an example, shown while it is empty.
        help: a sentence below it.
        disabled: whether it cannot be changed.
        on_change: called with ``value=`` the number.
        on_submit: called with ``value=`` the number at Enter.
        key: what tells this element from its siblings.
    """
    return build(
        "number_field",
        (),
        key,
        name=name,
        label=label,
        value=value,
        required=required,
        minimum=minimum,
        maximum=maximum,
        step=step,
        integer=integer,
        placeholder=placeholder,
        help=help,
        disabled=disabled,
        on_change=on_change,
        on_submit=on_submit,
    )


def select_field(
    name: str,
    options: Sequence[Option],
    *,
    label: str | None = None,
    value: str | int | Sequence[str | int] | None = None,
    required: bool | None = None,
    multiple: bool | None = None,
    placeholder: str | None = None,
    help: str | None = None,  # noqa: A002 - the word of the wire
    disabled: bool | None = None,
    on_change: Handler | None = None,
    on_submit: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person choose.

    Args:
        name: name in the form: letters, digits and ``_``.
        options: values, or pairs ``(value, label)``; at most 5,000.
        label: what to choose; the name where None.
        value: what is chosen at first; a list where `multiple`.
        required: whether something must be chosen; nothing is ``value=None``, or ``[]`` where `multiple`.
        multiple: whether several can be chosen.
        placeholder: shown while nothing is chosen.
        help: a sentence below it.
        disabled: whether it cannot be changed.
        on_change: called with ``value=`` what was chosen.
        on_submit: called with ``value=`` what was chosen at Enter.
        key: what tells this element from its siblings.
    """
    return build(
        "select_field",
        (),
        key,
        name=name,
        options=options,
        label=label,
        value=value,
        required=required,
        multiple=multiple,
        placeholder=placeholder,
        help=help,
        disabled=disabled,
        on_change=on_change,
        on_submit=on_submit,
    )


def checkbox_field(
    name: str,
    *,
    label: str | None = None,
    value: bool | None = None,
    required: bool | None = None,
    help: str | None = None,  # noqa: A002 - the word of the wire
    disabled: bool | None = None,
    on_change: Handler | None = None,
    on_submit: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person say yes or no; a `required` one must be yes, as under terms of use."""
    return build(
        "checkbox_field",
        (),
        key,
        name=name,
        label=label,
        value=value,
        required=required,
        help=help,
        disabled=disabled,
        on_change=on_change,
        on_submit=on_submit,
    )


def date_field(
    name: str,
    *,
    label: str | None = None,
    value: datetime.date | None = None,
    required: bool | None = None,
    minimum: datetime.date | None = None,
    maximum: datetime.date | None = None,
    help: str | None = None,  # noqa: A002 - the word of the wire
    disabled: bool | None = None,
    on_change: Handler | None = None,
    on_submit: Handler | None = None,
    key: str | int | None = None,
) -> Element:
    """Let the person enter a date, without time; handlers receive a `datetime.date`, or None where it is empty."""
    return build(
        "date_field",
        (),
        key,
        name=name,
        label=label,
        value=value,
        required=required,
        minimum=minimum,
        maximum=maximum,
        help=help,
        disabled=disabled,
        on_change=on_change,
        on_submit=on_submit,
    )
