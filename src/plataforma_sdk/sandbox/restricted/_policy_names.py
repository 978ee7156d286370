"""Names, attributes and imports.

::

    _total                  p0_total                    a private name keeps clear of the engine's names
    __total in class C      p0_C__total                 as Python's `_C__total`
    o.x = v                 _w_(o).x = v                only the module's own objects take attributes
    def m(self): self.x = v     def m(self): if type(type(self)) is not _meta_: _w_(self)     checked once, at the entry
                                             self.x = v
    f = s.replace           f = _attr_(s, "replace")    a bound method of a builtin type keeps its cost
    "{}".format             _attr_("{}", "format")      str.format walks attributes
"""

# ruff: noqa: N802 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
from typing import Final

from plataforma_sdk.sandbox.restricted._method_names import GUARDED, HASHED
from plataforma_sdk.sandbox.restricted._names import (
    CALLABLE_DUNDERS,
    PREFIX,
    REFUSED_DUNDERS,
    is_frame_attribute,
    mangle,
)
from plataforma_sdk.sandbox.restricted._policy_base import PolicyBase
from plataforma_sdk.sandbox.restricted._trees import call, choose, constant, is_call_to, name, place

__all__ = ["NamePolicy", "is_super"]

_SPECIAL_READS: Final = {"__name__": "_name_of_", "__qualname__": "_name_of_", "__class__": "_kind_"}


def is_super(node: ast.AST) -> bool:
    """Whether `node` is ``super()`` without arguments."""
    return is_call_to(node, "super") and not node.args and not node.keywords  # type: ignore[attr-defined]


class NamePolicy(PolicyBase):
    """The part of the policy that decides what a module may name."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "super":
            self.refuse(node, "super", "super is a keyword here", "write super().method(...), without arguments")
            return node
        if node.id == "__name__" and isinstance(node.ctx, ast.Load):
            return place(constant(self.file.removesuffix(".py").replace("/", ".")), node)  # type: ignore[return-value]
        # in a class body special methods may be given other names: `__radd__ = __add__`, `__hash__ = None`
        node.id = self.rename(node, node.id, is_method=self.in_class_body)
        return node

    def check_attribute(self, node: ast.AST, attribute: str) -> str:
        """Check an attribute's name and return what it is called inside."""
        attribute = self.class_private(attribute)
        if attribute.startswith("__") or attribute.endswith("__roles__") or attribute.startswith(PREFIX):  # noqa: PIE810
            self.refuse(
                node,
                "dunder-attribute",
                f"the attribute {attribute!r} is reserved",
                REFUSED_DUNDERS.get(
                    attribute,
                    "special attributes lead out of the sandbox; call the function that uses it (len, str, type ...)",
                ),
            )
        elif is_frame_attribute(attribute):
            self.refuse(node, "frame-attribute", f"the attribute {attribute!r} leads to a frame", "choose another name")
        return mangle(attribute)

    def _special(self, node: ast.Attribute) -> ast.expr | None:
        """``x.__name__``, ``x.__class__`` and ``self.__enter__`` go through guards that answer what is harmless."""
        guard = _SPECIAL_READS.get(node.attr)
        if guard is not None:
            return call(guard, self.receiver(node.value))
        if node.attr in CALLABLE_DUNDERS:
            return call("_own_", self.receiver(node.value), constant(node.attr))
        return None

    def receiver(self, node: ast.expr) -> ast.expr:
        """Transform what stands left of a dot; ``super()`` is only allowed there."""
        return node if is_super(node) else self.visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        attribute, value = node.attr, node.value
        special = self._special(node) if isinstance(node.ctx, ast.Load) else None
        if special is not None:
            return place(special, node)  # type: ignore[return-value]
        node.attr = self.check_attribute(node, attribute)
        node.value = self.receiver(value)
        if isinstance(node.ctx, ast.Load):
            if attribute in GUARDED or attribute in HASHED:
                return place(self.guarded_load(node, attribute), node)  # type: ignore[return-value]
        else:
            node.value = self.writable(node.value)
        return node

    def check_value_pattern(self, node: ast.Attribute) -> None:
        """``case Colour.RED``: the grammar admits dotted names only, so they stay native, checked and renamed.

        A native load would hand the unguarded method in ``case text.format`` to the subject's ``__eq__``.
        """
        if node.attr in GUARDED or node.attr in HASHED:
            advice = "write 'case value if value == ...' with the attribute on the right"
            self.refuse(node, "pattern", f"{node.attr!r}, which builtin types have as a method, as a value", advice)
        node.attr = self.check_attribute(node, node.attr)
        if isinstance(node.value, ast.Attribute):
            self.check_value_pattern(node.value)
        elif isinstance(node.value, ast.Name):
            node.value.id = self.rename(node.value, node.value.id)

    def writable(self, target: ast.expr) -> ast.expr:
        """Write the check that `target` is the module's own; ``self`` was checked where the function began."""
        is_checked = self.scope.is_self_own and isinstance(target, ast.Name) and target.id == "self"
        return target if is_checked else call("_w_", target)

    def guarded_load(self, node: ast.Attribute, attribute: str, guard: str = "_attr_") -> ast.expr:
        """Load through the guard; an instance of one of the module's own classes needs none."""
        held = self.held(node.value) if isinstance(node.value, ast.Name) else None
        if held is None:
            return call(guard, node.value, constant(attribute))
        first, again = held
        return self.if_own(first, ast.Attribute(again, node.attr, ast.Load()), call(guard, again, constant(attribute)))

    def if_own(self, first: ast.expr, native: ast.expr, guarded: ast.expr) -> ast.expr:
        """Choose by whether the receiver, read `first` here, is an instance of one of the module's own classes."""
        is_own = ast.Compare(call("_type_", call("_type_", first)), [ast.Is()], [name("_meta_")])
        return choose(is_own, native, guarded)

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        node.names = [self.rename(node, item) for item in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        node.names = [self.rename(node, item) for item in node.names]
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        for alias in node.names:
            self._check_alias(node, alias)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module == "__future__" and not node.level:
            return place(ast.Pass(), node)  # type: ignore[return-value]
        if node.module is not None and any(part.startswith("__") for part in node.module.split(".")):
            self.refuse(node, "import", f"{node.module!r} cannot be imported", "import a module of the package")
        for alias in node.names:
            self._check_alias(node, alias)
        return node

    def _check_alias(self, node: ast.stmt, alias: ast.alias) -> None:
        if alias.name == "*":
            self.refuse(node, "import", "'import *' hides what is used", "name what you import")
            return
        if any(part.startswith("__") for part in alias.name.split(".")):
            self.refuse(node, "import", f"{alias.name!r} cannot be imported", "import a public name")
        is_module = isinstance(node, ast.Import)
        if alias.asname is None and "." not in alias.name:
            self.rename(node, alias.name)
        if not is_module:
            alias.name = mangle(alias.name)
        alias.asname = self.rename(node, alias.asname)
