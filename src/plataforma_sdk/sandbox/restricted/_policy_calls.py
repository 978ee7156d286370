"""Calls, displays and formatted text.

::

    s.replace(a, b)         _m_replace_(s, a, b)                    the hottest methods have a short way in
    x.sort(key=f)           _meth_(x, "sort", key=f)                builtin methods: each with its cost
    s.upper()               s.upper() if type(s) is str and len(s) < 4096 else _meth_(s, "upper")
    d.get(k)                d.get(k if type(k) not in _HIDING_ else _hk_(k))
    str(x)                  _b_str_(x)                              where `str` is certainly the builtin
    f(*xs, **d)             f(*_star_(xs), **_merged_(d))           an iterable may have no end
    f"{x:>9}"               _fmt_(x, ">9", -1)                      widths and nested reprs are bounded
"""

# ruff: noqa: N802 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
import copy
from typing import Final

from plataforma_sdk.sandbox.restricted._method_names import COPYING, GUARDED, HASHED, QUICK
from plataforma_sdk.sandbox.restricted._names import CALLABLE_DUNDERS, PREFIX, mangle
from plataforma_sdk.sandbox.restricted._policy_names import is_super
from plataforma_sdk.sandbox.restricted._policy_operators import OperatorPolicy
from plataforma_sdk.sandbox.restricted._trees import STORE, call, choose, constant, name, place, test_type

__all__ = ["BUILTIN_TYPES", "CallPolicy"]

BUILTIN_TYPES: Final = ("str", "int", "float", "bool", "list", "tuple", "dict", "set", "frozenset", "bytes", "complex")
"""Types that a module may name in ``isinstance`` and in patterns without a detour."""

_CONVERSIONS: Final = frozenset(["str", "int", "list", "dict", "set", "tuple", "float", "bool"])
_SHORT: Final = 4096
_SHORT_ARGUMENT: Final = 16
_BIG_DISPLAY: Final = 16


class CallPolicy(OperatorPolicy):
    """The part of the policy that guards calls and the making of containers."""

    # --- calls ---------------------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Attribute):
            return self._method_call(node, function)
        new = self._direct_call(node, function) if isinstance(function, ast.Name) and not node.keywords else None
        if new is not None:
            return place(new, node)  # type: ignore[return-value]
        node.func = self.visit(function)
        node.args, node.keywords = self._arguments(node)
        return node

    def _direct_call(self, node: ast.Call, function: ast.Name) -> ast.expr | None:
        """Call a builtin without the detour through its stand-in, where the name still means the builtin."""
        known = self.known
        if not known.is_builtin(function.id):
            return None
        if function.id == "isinstance" and len(node.args) == 2:  # noqa: PLR2004
            kinds = self._builtin_types(node.args[1])
            return None if kinds is None else call("_isinstance_", self.visit(node.args[0]), kinds)
        if function.id == "range" and not any(isinstance(item, ast.Starred) for item in node.args):
            return call("_b_range_", *[self.visit(item) for item in node.args])
        if function.id in _CONVERSIONS and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            return call(f"_b_{function.id}_", self.visit(node.args[0]))
        return None

    def _builtin_types(self, node: ast.expr) -> ast.expr | None:
        """Rewrite ``str`` or ``(int, float)`` into the engine's names of the real types, else None."""
        if isinstance(node, ast.Tuple):
            kinds = [self._builtin_types(element) for element in node.elts]
            return None if any(kind is None for kind in kinds) else ast.Tuple([k for k in kinds if k], ast.Load())
        if isinstance(node, ast.Name) and node.id in BUILTIN_TYPES and self.known.is_builtin(node.id):
            return name(f"_ty_{node.id}_")
        return None

    def _arguments(self, node: ast.Call) -> tuple[list[ast.expr], list[ast.keyword]]:
        arguments = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
            if keyword.arg is None:
                keyword.value = call("_merged_", keyword.value)
            elif keyword.arg.startswith("__") or keyword.arg.startswith(PREFIX):
                self.refuse(keyword.value, "reserved-name", f"the keyword {keyword.arg!r} is reserved", "rename it")
            else:
                keyword.arg = mangle(keyword.arg)
        return arguments, node.keywords

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        method = function.attr
        if is_super(function.value) and method == "__init__":
            node.args, node.keywords = self._arguments(node)
            return node
        is_free = [self.known.is_scalar(argument) for argument in node.args]
        if method in CALLABLE_DUNDERS or method == "__class__":
            node.func = self.visit(function)
            node.args, node.keywords = self._arguments(node)
            return node
        if method == "pop" and not node.args and not node.keywords:
            node.func = ast.Attribute(self.receiver(function.value), method, ast.Load())
            return node
        if method in GUARDED:
            return place(self._guarded_method(node, function), node)  # type: ignore[return-value]
        if method in HASHED:
            node.func = ast.Attribute(self.receiver(function.value), self.check_attribute(function, method), ast.Load())
            place(node.func, function)
        else:
            node.func = self.visit(function)
        node.args, node.keywords = self._arguments(node)
        if method in HASHED and node.args and not is_free[0]:
            if isinstance(node.args[0], ast.Starred):
                node.args[0] = ast.Starred(call("_hashable_", node.args[0].value), ast.Load())
            else:
                node.args[0] = self.key(node.args[0])
        return node

    def _guarded_method(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        method = function.attr
        receiver = self.receiver(function.value)
        is_short = all(_is_short_constant(argument) for argument in node.args) and not node.keywords
        arguments, keywords = self._arguments(node)
        if method in COPYING and is_short and not isinstance(function.value, ast.Constant | ast.Call):
            inline = self._inline(receiver, method, arguments)
            if inline is not None:
                return inline
        if method in QUICK and not keywords and not any(isinstance(item, ast.Starred) for item in arguments):
            return call(f"_m_{method}_", receiver, *arguments)
        if isinstance(receiver, ast.Name) and receiver.id == "self":
            load = ast.Attribute(receiver, method, ast.Load())
            return ast.Call(self.guarded_load(load, method), arguments, keywords)
        return ast.Call(name("_meth_"), [receiver, constant(method), *arguments], keywords)

    def _inline(self, receiver: ast.expr, method: str, arguments: list[ast.expr]) -> ast.expr | None:
        """``s.upper()`` on a short text stays a native call."""
        if isinstance(receiver, ast.Name):
            identifier, first = receiver.id, receiver
        elif self.scope.has_temporaries:
            identifier = self.temporary()
            first = ast.NamedExpr(name(identifier, STORE), receiver)  # type: ignore[assignment]
        else:
            return None
        native = ast.Call(ast.Attribute(name(identifier), method, ast.Load()), arguments, [])
        guarded = call("_meth_", name(identifier), constant(method), *copy.deepcopy(arguments))
        is_short = ast.Compare(call("_len_", name(identifier)), [ast.Lt()], [constant(_SHORT)])
        return choose(ast.BoolOp(ast.And(), [test_type(first, ast.Is(), "_str_"), is_short]), native, guarded)

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            node.value = call("_star_", node.value)
        return node

    # --- displays ------------------------------------------------------------------------------------------------

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                keys.append(None)
                values.append(call("_merged_", self.visit(value)))
                continue
            is_scalar = self.known.is_scalar(key)
            new = self.visit(key)
            keys.append(new if is_scalar else self.key(new))
            values.append(self.visit(value))
        node.keys, node.values = keys, values
        return self._display(node, len(keys))

    def visit_Set(self, node: ast.Set) -> ast.expr:
        elements: list[ast.expr] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                elements.append(ast.Starred(call("_hashable_", self.visit(element.value)), ast.Load()))
            else:
                is_scalar = self.known.is_scalar(element)
                elements.append(self.visit(element) if is_scalar else self.key(self.visit(element)))
        node.elts = elements
        return self._display(node, len(elements))

    def visit_List(self, node: ast.List) -> ast.expr:
        node.elts = [self.visit(element) for element in node.elts]
        return self._display(node, len(node.elts)) if isinstance(node.ctx, ast.Load) else node

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        node.elts = [self.visit(element) for element in node.elts]
        return self._display(node, len(node.elts)) if isinstance(node.ctx, ast.Load) else node

    def _display(self, node: ast.expr, size: int) -> ast.expr:
        has_star = any(isinstance(part, ast.Starred) for part in getattr(node, "elts", ())) or (
            isinstance(node, ast.Dict) and None in node.keys
        )
        if size < _BIG_DISPLAY and not has_star:
            return node
        return place(call("_display_", node), node)  # type: ignore[return-value]

    # --- formatted text ------------------------------------------------------------------------------------------

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        is_plain = self.known.is_number(node.value) and node.format_spec is None
        value = self.visit(node.value)
        if is_plain:
            node.value = value
            return node
        spec: ast.expr = constant("")
        if node.format_spec is not None:
            spec = self.visit(node.format_spec)
            parts = getattr(spec, "values", [])
            if len(parts) == 1 and isinstance(parts[0], ast.Constant):
                spec = parts[0]
        node.value = call("_fmt_", value, spec, constant(node.conversion))
        node.conversion, node.format_spec = -1, None
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        node.values = [self.visit(value) for value in node.values]
        return node


def _is_short_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (
        not isinstance(node.value, str | bytes) or len(node.value) <= _SHORT_ARGUMENT
    )
