"""Random trees and what may become of them, by a seed."""

from __future__ import annotations

from random import Random
from typing import Any

__all__ = ["RandomTrees"]

Node = dict[str, Any]

_HOLDERS = ("column", "row", "card", "list", "tabs", "form", "window", "modal", "acme.medidor")
_LEAVES = ("text", "badge", "alert", "metric", "table", "chart", "text_field", "select_field")
_MAX_DEPTH = 4


class RandomTrees:
    """Makes trees, and changes them as a module's next render may."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def tree(self, key: str = "0", depth: int = 0, kind: str | None = None) -> Node:
        """Make a tree."""
        kind = kind or ("column" if depth == 0 else self._random.choice((*_HOLDERS, *_LEAVES)))
        names = (
            [] if kind in _LEAVES or depth >= _MAX_DEPTH else self._random.sample("abcdefg", self._random.randrange(5))
        )
        children = [self.tree(f"{key}.{name}", depth + 1, self._child_of(kind)) for name in names]
        return {"type": kind, "key": key, "props": self._props(kind), "children": children}

    def change(self, node: Node) -> Node:
        """Change properties, and let children change, come, go, move and become another."""
        random, kind = self._random, node["type"]
        children = [
            self.change(child) if kind == "tabs" or random.random() < 0.9 else self.tree(child["key"], _MAX_DEPTH)
            for child in node["children"]
            if random.random() > 0.15
        ]
        if random.random() < 0.3:
            random.shuffle(children)
        if kind not in _LEAVES:
            kept = {child["key"] for child in children}
            for key in (f"{node['key']}.{name}" for name in "ahi"):
                if key not in kept and random.random() < 0.2:
                    new = self.tree(key, _MAX_DEPTH - 1, self._child_of(kind))
                    children.insert(random.randrange(len(children) + 1), new)
        props = self._props(kind) if random.random() < 0.4 else node["props"]
        return {**node, "props": props, "children": children}

    def _child_of(self, kind: str) -> str | None:
        return "tab" if kind == "tabs" else None

    def _some(self, **props: Any) -> Node:
        return {name: value for name, value in props.items() if self._random.random() < 0.5}

    def _props(self, kind: str) -> Node:  # noqa: PLR0911 - one return for each family
        random = self._random
        word = random.choice("ab")
        if kind in {"table", "chart"}:
            rows = [{"id": place, "v": random.randrange(4)} for place in random.sample(range(30), random.randrange(9))]
            if kind == "chart":
                return {"data": rows, "kind": "bar", "x": "id", "y": ["v"], **self._some(title=word)}
            return {"rows": rows, "columns": [{"name": "id"}, {"name": "v"}], "row_key": "id", **self._some(title=word)}
        if kind == "text_field":
            return {"name": "n", "value": word, **self._some(help="h", required=True, multiline=True, disabled=True)}
        if kind == "select_field":
            options = [{"value": value, "label": str(value)} for value in range(random.choice((3, 5, 20)))]
            return {"name": "n", "options": options, **self._some(multiple=True, placeholder=word)}
        if kind in {"text", "metric"}:
            return {
                "value": word,
                **({"label": "m"} if kind == "metric" else {}),
                **self._some(tone="danger", size="large"),
            }
        if kind in {"badge", "alert"}:
            return {"text": word, **self._some(tone="danger")}
        if kind in {"card", "window", "modal"}:
            return {"title": word, **self._some(icon="tag")}
        return {"label": word} if kind == "tab" else self._some(gap="small", ordered=True, on_select={"handler": "x"})
