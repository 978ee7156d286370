"""What a module shows: elements, actions and trees of plain data.

>>> from plataforma_sdk import ui
>>> view = ui.column(
...     ui.metric("Receita", 2328.6, format="currency", currency="BRL"),
...     ui.table([{"pais": "Brasil", "total": 190}]),
...     ui.button("Atualizar", on_press=ui.action("reload", 1)),
... )
>>> ui.to_data(view)["children"][2]["props"]["on_press"]
{'handler': 'reload', 'arguments': [1]}

Every builder checks what it is given against one catalogue, and the host checks a guest's tree against the same. Trees
carry raw values and a format; the viewer formats for its own locale. Standard library and attrs only: the very same
files run inside the WASM guest.
"""

from plataforma_sdk.ui._action import Action, Handler, action
from plataforma_sdk.ui._catalogue import CATALOGUE, ElementSpec, Property
from plataforma_sdk.ui._content import alert, badge, button, heading, icon, image, metric, progress, text
from plataforma_sdk.ui._data import chart, table
from plataforma_sdk.ui._data_kinds import Column
from plataforma_sdk.ui._element import MAX_NODES, Child, Element, element, node_budget
from plataforma_sdk.ui._fields import checkbox_field, date_field, number_field, select_field, text_field
from plataforma_sdk.ui._layout import card, column, divider, form, modal, row, tab, tabs, window
from plataforma_sdk.ui._layout import list_ as list  # noqa: A004 - the specification's name; always read `ui.list`
from plataforma_sdk.ui._text import render_text
from plataforma_sdk.ui._tree import MAX_TREE_DEPTH, find_element, to_data, validate_tree, walk
from plataforma_sdk.ui._values import check_value, takes_value

__all__ = [
    "CATALOGUE",
    "MAX_NODES",
    "MAX_TREE_DEPTH",
    "Action",
    "Child",
    "Column",
    "Element",
    "ElementSpec",
    "Handler",
    "Property",
    "action",
    "alert",
    "badge",
    "button",
    "card",
    "chart",
    "check_value",
    "checkbox_field",
    "column",
    "date_field",
    "divider",
    "element",
    "find_element",
    "form",
    "heading",
    "icon",
    "image",
    "list",
    "metric",
    "modal",
    "node_budget",
    "number_field",
    "progress",
    "render_text",
    "row",
    "select_field",
    "tab",
    "table",
    "tabs",
    "takes_value",
    "text",
    "text_field",
    "to_data",
    "validate_tree",
    "walk",
    "window",
]
