"""Augmented assignment.

::

    n += 1          n += 1                                          a number beside it: nothing large can come of it
    x += v          x += v; if type(x) is not int and type(x) is not float: _grown_(x)
    x *= v          x = _aug_mult_(x, v)                            `+=` too of a name that is not local
    o.n += 1        _w_(o).n += 1
    o.n += v        _w_(o).n = _aug_add_(o.n, v)                    `o` evaluated once
    x[a:b] += v     _set_slice_(_aug_add_(_slice_(x, a, b, None), v), x, a, b, None)
"""

# ruff: noqa: N802 - visitors are named after the nodes

from __future__ import annotations

import ast
from typing import Final

from plataforma_sdk.sandbox.restricted._method_names import GUARDED, HASHED
from plataforma_sdk.sandbox.restricted._policy_operators import OperatorPolicy
from plataforma_sdk.sandbox.restricted._trees import LOAD, STORE, call, choose, name, place, test_type, walk

__all__ = ["AugmentedPolicy"]

_PLAIN_IN_PLACE: Final = (ast.Div, ast.RShift)
_BESIDE_NUMBERS: Final = (ast.Add, ast.Sub)
"""Operators whose result is at most one bit longer than a number beside them, and no container."""

_QUIET: Final = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp)


class AugmentedPolicy(OperatorPolicy):
    """The part of the policy that guards ``x += v``."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        if isinstance(node.target, ast.Name):
            return self._augment_name(node, node.target)
        steps: list[ast.stmt] = []
        guard = f"_aug_{type(node.op).__name__.lower()}_"
        if isinstance(node.target, ast.Subscript) and isinstance(node.target.slice, ast.Slice):
            return self._augment_slice(node, node.target.value, node.target.slice, guard)
        if isinstance(node.op, _BESIDE_NUMBERS) and self.known.is_number(node.value):
            native = self._augment_by_number(node)
            if native is not None:
                return native
        target, source = self._augmented_place(node, steps)
        steps.append(ast.Assign([target], call(guard, source, self.visit(node.value))))
        for step in steps:
            place(step, node)
        return steps

    def _augment_name(self, node: ast.AugAssign, target: ast.Name) -> ast.stmt | list[ast.stmt]:
        op, known = type(node.op), self.known
        is_number = known.is_number(node.value)
        both = target.id in known.numbers and is_number
        is_plain = op in _PLAIN_IN_PLACE or (both and self._is_plain(op, name(target.id), node.value, in_chain=False))
        is_plain = is_plain or (op in _BESIDE_NUMBERS and is_number)
        cannot_iterate = known.is_scalar(node.value)
        value, identifier = self.visit(node.value), self.rename(target, target.id)
        node.target, node.value = name(identifier, STORE), value
        if is_plain:
            return node
        if op is ast.Add and identifier in known.local:
            if not cannot_iterate:  # a list takes any iterable, without end too
                node.value = choose(test_type(name(identifier), ast.NotIn(), "_LISTS_"), value, call("_addend_", value))
            return [node, self._charge_after(node, identifier)]
        guard = f"_aug_{op.__name__.lower()}_"
        new = ast.Assign([name(identifier, STORE)], call(guard, name(identifier), value))
        return place(new, node)  # type: ignore[return-value]

    def _augment_by_number(self, node: ast.AugAssign) -> ast.stmt | None:
        """``self.n += 1`` stays native where the attribute is no method of a builtin type; so does ``d[k] += 1``."""
        target = node.target
        if isinstance(target, ast.Attribute):
            if target.attr in GUARDED or target.attr in HASHED:
                return None
            target.attr = self.check_attribute(target, target.attr)
            target.value = self.writable(self.receiver(target.value))
        else:
            assert isinstance(target, ast.Subscript)  # noqa: S101
            target.value, is_scalar = self.visit(target.value), self.known.is_scalar(target.slice)
            index = self.visit(target.slice)
            target.slice = index if is_scalar else self.key(index)
        node.value = self.visit(node.value)
        return node

    def _charge_after(self, node: ast.stmt, identifier: str) -> ast.stmt:
        kinds: list[ast.expr] = [test_type(name(identifier), ast.IsNot(), kind) for kind in ("_int_", "_float_")]
        test = ast.BoolOp(ast.And(), kinds)
        return place(ast.If(test, [ast.Expr(call("_grown_", name(identifier)))], []), node)  # type: ignore[return-value]

    def _augmented_place(self, node: ast.AugAssign, steps: list[ast.stmt]) -> tuple[ast.expr, ast.expr]:
        """Return where to store and where to load, with each part of the target evaluated once, into `steps`."""
        target = node.target
        is_quiet = _is_quiet(node.value)
        if isinstance(target, ast.Attribute):
            base = self._hold(self.receiver(target.value), steps, is_quiet=is_quiet)
            attribute = self.check_attribute(target, target.attr)
            load: ast.expr = ast.Attribute(base, attribute, LOAD)
            if target.attr in GUARDED or target.attr in HASHED:  # else `s.format += v` hands the method to v.__radd__
                load = self.guarded_load(load, target.attr)  # type: ignore[arg-type]
            return ast.Attribute(self.writable(base), attribute, STORE), load
        assert isinstance(target, ast.Subscript)  # noqa: S101
        base = self._hold(self.visit(target.value), steps, is_quiet=is_quiet and _is_quiet(target.slice))
        index = self._hold(self.visit(target.slice), steps, is_quiet=is_quiet)
        return ast.Subscript(base, self.key(index), STORE), ast.Subscript(base, self.key(index), LOAD)

    def _augment_slice(self, node: ast.AugAssign, value: ast.expr, index: ast.Slice, guard: str) -> list[ast.stmt]:
        """``x[a:b] += v`` -> ``_set_slice_(_aug_add_(_slice_(x, a, b, None), v), x, a, b, None)``."""
        steps: list[ast.stmt] = []
        base = self._hold(self.visit(value), steps)
        parts = [self._hold(part, steps) for part in self.bounds(index)]
        made = call(guard, call("_slice_", base, *parts), self.visit(node.value))
        steps.append(self.set_slice(node, made, base, parts))
        for step in steps:
            place(step, node)
        return steps

    def set_slice(self, node: ast.AST, value: ast.expr, container: ast.expr, bounds: list[ast.expr]) -> ast.stmt:
        """Write ``container[bounds] = value``; the value is evaluated first, as in the statement."""
        return place(ast.Expr(call("_set_slice_", value, container, *bounds)), node)  # type: ignore[return-value]

    def _hold(self, node: ast.expr, steps: list[ast.stmt], *, is_quiet: bool = False) -> ast.expr:
        """Evaluate a part now, unless it is a name that nothing `is_quiet` about can rebind in between."""
        if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and is_quiet):
            return node
        temporary = self.temporary()
        steps.append(ast.Assign([name(temporary, STORE)], node))
        return name(temporary)


def _is_quiet(node: ast.expr) -> bool:
    """Whether evaluating `node` certainly rebinds no name: it calls nothing, and holds no ``:=``."""
    return all(isinstance(part, _QUIET) for part in walk(node))
