"""One call, read: what is called, on what, and with which values."""

from __future__ import annotations

import ast

from plataforma_sdk.security._value import Value, merge

__all__ = ["Call"]


class Call:
    """One call, read.

    Attributes:
        node: in the tree.
        name: what is called as far as that is known, ``"os.path.join"``.
        method: the attribute that is called, or empty.
        owner: what the method is called on.
        args: positional arguments.
        words: keyword arguments.
        every: both.
        value: the result, which the methods below fill in.
    """

    __slots__ = ("args", "every", "method", "name", "node", "owner", "value", "words")

    def __init__(
        self, node: ast.Call, target: Value, owner: Value, args: list[Value], words: dict[str | None, Value]
    ) -> None:
        self.node = node
        self.name = target.dotted.removeprefix("builtins.").removeprefix("__builtins__.")
        self.method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        self.owner = owner
        self.args = args
        self.words = words
        self.every = [*args, *words.values()]
        self.value = merge([target, *self.every])
        self.value.dotted = f"{self.name}()" if self.name else ""

    def text(self, place: int) -> str:
        """Return the text of a positional argument, or an empty one."""
        return self.args[place].text if place < len(self.args) else ""
