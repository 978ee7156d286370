"""Operators, comparisons, subscripts and augmented assignment.

`_text_` is `str` until the module makes a large text, and nothing from then on: a look-up may then cost what comparing
two of them costs. It answers for the commonest key in half the time of a look into `_HIDING_`.

One C-level operation can allocate gigabytes or run for minutes, so whatever may grow is guarded; what is certainly
small stays as written.

::

    a * b           see `_policy_products`
    a + b           t if type(t := a + b) is int else _grown_(t)    a sum at most doubles: charged after
    a - b, a | b    a - b if type(a) is int else _sub_(a, b)        sets whose keys collide
    a % b           a % b if type(a) is int ... else _mod_(a, b)    formatting of text, division of big integers
    a == b          _eq_(a, b)                                      shared structure: exponential comparison
    d[k]            d[k if type(k) is _text_ or type(k) not in _HIDING_ else _hk_(k)]    exponential hash of tuples
    k in d          k in d if (type(k) is _text_ or type(k) in _CHEAP_) and type(d) in _HASHED_ else _in_(k, d)
    x[a:b]          x[a:b] if type(x) is str and len(x) < 512 else _slice_(x, a, b, None)    charged by what it copies
    x[a:b] = v      _set_slice_(v, x, a, b, None)                   a list takes any iterable
    o.n += v        _w_(o).n = _aug_add_(o.n, v)                    `o` evaluated once
"""

# ruff: noqa: N802, SLF001 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
from typing import Final

from plataforma_sdk.sandbox.restricted._numbers import is_float_constant, is_small_constant
from plataforma_sdk.sandbox.restricted._policy_products import ProductPolicy
from plataforma_sdk.sandbox.restricted._trees import (
    LOAD,
    call,
    choose,
    constant,
    name,
    place,
    test_type,
    walrus,
)

__all__ = ["OperatorPolicy"]

_GUARDS: Final[dict[type[ast.operator], str]] = {
    ast.Mult: "_mul_",
    ast.Pow: "_pow_",
    ast.LShift: "_shl_",
    ast.Mod: "_mod_",
    ast.FloorDiv: "_fdiv_",
    ast.Add: "_add_",
    ast.MatMult: "_matmul_",
}
_SET_GUARDS: Final[dict[type[ast.operator], str]] = {
    ast.Sub: "_sub_",
    ast.BitOr: "_or_",
    ast.BitAnd: "_and_",
    ast.BitXor: "_xor_",
}
_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "_eq_",
    ast.NotEq: "_ne_",
    ast.Lt: "_lt_",
    ast.LtE: "_le_",
    ast.Gt: "_gt_",
    ast.GtE: "_ge_",
    ast.In: "_in_",
    ast.NotIn: "_not_in_",
}
_UNARY: Final[dict[type[ast.unaryop], str]] = {ast.UAdd: "_pos_", ast.USub: "_neg_"}
_MEMBERSHIP: Final = (ast.In, ast.NotIn)
_MAX_LITERAL: Final = 64
_CHAIN: Final = 3
_SHORT_TEXT: Final = 512
_TINY: Final = 4
_LONG: Final = 2**47
"""Beyond, a product is looked at; a float is compared quickest with what has less than 48 bits."""


class OperatorPolicy(ProductPolicy):
    """The part of the policy that guards what C does with two operands."""

    # --- arithmetic ----------------------------------------------------------------------------------------------

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right, op = node.left, node.right, type(node.op)
        inner = getattr(node, "_depth_in_chain", 0)
        if op is ast.Add and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add) and inner < _CHAIN:
            left._depth_in_chain = inner + 1  # type: ignore[attr-defined]
        known = self.known
        new = ast.BinOp(left, node.op, right)
        is_reduced = getattr(node, "_is_reduced", False) or (op is ast.Mod and is_small_constant(right))
        for side in (left, right) if is_reduced else ():
            side._is_reduced = True  # type: ignore[attr-defined]
        is_plain = self._is_plain(op, left, right, in_chain=bool(inner), is_reduced=is_reduced)
        is_text = op is ast.Add and not is_plain and known.is_text(node)
        is_plain = is_plain or (is_text and known.text_size(node) < _SHORT_TEXT)
        joined = None if is_plain else self.beside_product(node)
        if joined is not None:
            return place(joined, node)  # type: ignore[return-value]
        is_growing = (
            op is ast.Mult and known.is_number(node) and not (is_float_constant(left) or is_float_constant(right))
        )
        new.left, new.right = self.visit(left), self.visit(right)
        if is_plain:
            return place(new, node)  # type: ignore[return-value]
        if is_growing and self.scope.has_temporaries:
            return place(self._bounded(new), node)  # type: ignore[return-value]
        return place(self._guard(new, op, is_text=is_text, raw=(left, right)), node)  # type: ignore[return-value]

    def _bounded(self, new: ast.BinOp) -> ast.expr:
        """Multiply numbers, and look at the size of a long result: ``y = y * 3`` grows without end."""
        result = self.temporary()
        within = [ast.Compare(constant(-_LONG), [ast.Lt()], [walrus(result, new)])]
        within.append(ast.Compare(name(result), [ast.Lt()], [constant(_LONG)]))
        return choose(ast.BoolOp(ast.And(), list(within)), name(result), call("_grown_", name(result)))

    def _is_plain(  # noqa: PLR0911
        self, op: type[ast.operator], left: ast.expr, right: ast.expr, *, in_chain: bool, is_reduced: bool = False
    ) -> bool:
        """Whether the operation may stay as written."""
        known = self.known
        if op not in _GUARDS:
            return op not in _SET_GUARDS or known.is_number(left) or known.is_number(right)
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant) and op is not ast.Add:
            return False  # the compiler would fold it: 2**10**9 at load
        if known.is_small(left) and known.is_small(right) and op in (ast.Mult, ast.Mod, ast.FloorDiv, ast.Add):
            return True
        if op is ast.Add:  # a number beside it: no text and no container can come of it, only a number one bit longer
            return in_chain or known.is_number(left) or known.is_number(right)
        if op in (ast.Mod, ast.FloorDiv):
            return known.is_number(left) and is_small_constant(right)
        if op is ast.Mult:
            by_constant = is_small_constant(left) or is_small_constant(right)
            return is_reduced and by_constant and known.is_number(left) and known.is_number(right)
        return False

    def _guard(  # noqa: PLR0911 - one line an operator
        self, new: ast.BinOp, op: type[ast.operator], *, is_text: bool, raw: tuple[ast.expr, ast.expr]
    ) -> ast.expr:
        left, right = raw
        if op is ast.Mult and (is_float_constant(left) or is_float_constant(right)):
            return new
        tiny = any(_is_tiny(side) for side in raw)
        if op in _SET_GUARDS:
            return self._set_operation(new, _SET_GUARDS[op])
        if op is ast.Add or (op is ast.Mult and tiny and self.scope.has_temporaries):
            return self._checked_after(new, left, is_text=is_text)
        held = self.held(new.left) if op is ast.Mod and is_small_constant(right) else None
        if held is not None:
            first, new.left = held
            return choose(test_type(first, ast.Is(), "_int_"), new, call("_mod_", new.left, new.right))
        if op is ast.FloorDiv and is_small_constant(right):
            return new
        product = self.product(new, raw) if op is ast.Mult else None
        if product is not None:
            return product
        return call(_GUARDS[op], new.left, new.right)

    def _set_operation(self, new: ast.BinOp, guard: str) -> ast.expr:
        """Numbers stay native; sets and dicts are looked at first, since their keys may collide."""
        held = self.held(new.left) if _is_place(new.right) else None
        if held is None:
            return call(guard, new.left, new.right)
        first, again = held
        native = ast.BinOp(again, new.op, new.right)
        return choose(test_type(first, ast.In(), "_NUMERIC_"), native, call(guard, again, new.right))

    def _checked_after(self, new: ast.BinOp, left: ast.expr, *, is_text: bool) -> ast.expr:
        """Charge a result that is at most as large as its operands together."""
        if not self.scope.has_temporaries:
            return call("_grown_", new)
        temporary = self.temporary()
        if is_text:
            short = ast.Compare(call("_len_", walrus(temporary, new)), [ast.Lt()], [constant(_SHORT_TEXT)])
            return choose(short, name(temporary), call("_grown_", name(temporary)))
        is_floating = isinstance(left, ast.Name) and left.id in self.known.floating
        kinds = ("_float_", "_int_") if is_floating else ("_int_", "_float_")
        is_likely = test_type(walrus(temporary, new), ast.Is(), kinds[0])
        is_number = ast.BoolOp(ast.Or(), [is_likely, test_type(name(temporary), ast.Is(), kinds[1])])
        return choose(is_number, name(temporary), call("_grown_", name(temporary)))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        guard = _UNARY.get(type(node.op))
        is_plain = guard is None or self.known.is_number(node.operand)
        node.operand = self.visit(node.operand)
        if is_plain:
            return node
        held = self.held(node.operand)
        if held is None:
            return place(call(str(guard), node.operand), node)  # type: ignore[return-value]
        first, node.operand = held
        native = choose(test_type(first, ast.In(), "_NUMERIC_"), node, call(str(guard), node.operand))
        return place(native, node)  # type: ignore[return-value]

    # --- comparison ----------------------------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) > 1:
            return self._chain(node)
        left, op, right = node.left, type(node.ops[0]), node.comparators[0]
        if op in _MEMBERSHIP:
            return self._membership(node, left, right)
        guard = _COMPARISONS.get(op)
        is_plain = guard is None or self.known.is_scalar(left) or self.known.is_scalar(right)
        node.left, node.comparators = self.visit(left), [self.visit(right)]
        if is_plain:
            return node
        held = self.held(node.left) if _is_place(node.comparators[0]) else None
        if held is None:
            return place(call(str(guard), node.left, node.comparators[0]), node)  # type: ignore[return-value]
        first, node.left = held
        guarded = call(str(guard), node.left, node.comparators[0])
        return place(choose(test_type(first, ast.In(), "_CHEAP_"), node, guarded), node)  # type: ignore[return-value]

    def _membership(self, node: ast.Compare, left: ast.expr, right: ast.expr) -> ast.expr:
        is_scalar = self.known.is_scalar(left)
        is_plain = is_scalar and _is_short_literal(right)
        node.left, node.comparators = self.visit(left), [self.visit(right)]
        container = node.comparators[0]
        if is_plain:
            return node
        guard = _COMPARISONS[type(node.ops[0])]
        is_short = _is_short_literal(right)
        held = self.held(node.left) if not is_scalar and (is_short or _is_repeatable(container)) else None
        if held is not None:
            first, node.left = held
            is_cheap = [test_type(first, ast.Is(), "_text_"), test_type(node.left, ast.In(), "_CHEAP_")]
            tests: list[ast.expr] = [ast.BoolOp(ast.Or(), is_cheap)]  # type: ignore[arg-type]
        elif is_scalar and _is_repeatable(container) and isinstance(node.left, ast.Name | ast.Constant):
            tests = []
        else:
            return place(call(guard, node.left, container), node)  # type: ignore[return-value]
        if not is_short:
            first = container
            if isinstance(container, ast.Name) and not self.is_steady(container):
                held = self.held(container)
                if held is None:
                    return place(call(guard, node.left, container), node)  # type: ignore[return-value]
                first, node.comparators[0] = held
            tests.append(test_type(first, ast.In(), "_HASHED_"))
        test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
        return place(choose(test, node, call(guard, node.left, container)), node)  # type: ignore[return-value]

    def _chain(self, node: ast.Compare) -> ast.expr:
        """``a < b < c``: each operand that may be a container is weighed once, where it stands."""
        operands = [node.left, *node.comparators]
        is_plain = all(self.known.is_scalar(operand) for operand in operands)
        if any(isinstance(op, _MEMBERSHIP) for op in node.ops):
            self.refuse(node, "chained-in", "'in' inside a chained comparison", "join two comparisons with 'and'")
        operands = [self.visit(operand) for operand in operands]
        if not is_plain:
            operands = [call("_weighed_", operand) for operand in operands]
        node.left, node.comparators = operands[0], operands[1:]
        return node

    # --- subscripts ----------------------------------------------------------------------------------------------

    def key(self, node: ast.expr) -> ast.expr:
        """Guard a key: a tuple can hide more than it shows from hashing, a slice object copies uncharged."""
        if isinstance(node, ast.Constant | ast.JoinedStr) or self.known.is_number(node):
            return node
        held = self.held(node)
        if held is None:
            return call("_hk_", node)
        first, again = held
        is_cheap = ast.BoolOp(
            ast.Or(), [test_type(first, ast.Is(), "_text_"), test_type(again, ast.NotIn(), "_HIDING_")]
        )
        return choose(is_cheap, again, call("_hk_", again))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        index = node.slice
        if isinstance(index, ast.Slice):
            return self._slice(node, index)
        is_scalar = self.known.is_scalar(index)
        node.value = self.visit(node.value)
        new = self.visit(index)
        node.slice = new if is_scalar else self.key(new)
        if isinstance(node.ctx, ast.Del):
            node.value = call("_shrink_", node.value)
        return node

    def bounds(self, index: ast.Slice) -> list[ast.expr]:
        """Write start, stop and step of a slice as three expressions."""
        bounds = (index.lower, index.upper, index.step)
        return [constant(None) if bound is None else self.visit(bound) for bound in bounds]

    def visit_Slice(self, node: ast.Slice) -> ast.expr:
        """``x[1:2, 3]``, one of several dimensions: only a module's own class takes a tuple that holds a slice."""
        return place(call("_make_slice_", *self.bounds(node)), node)  # type: ignore[return-value]

    def _slice(self, node: ast.Subscript, index: ast.Slice) -> ast.expr:
        parts = self.bounds(index)
        value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            return place(self._copied(value, index, parts), node)  # type: ignore[return-value]
        node.value = call("_shrink_", value)
        node.slice = call("_make_slice_", *parts)
        return node

    def _copied(self, value: ast.expr, index: ast.Slice, parts: list[ast.expr]) -> ast.expr:
        """Load a slice; a short text is copied natively, where looking up the bounds runs none of the module's code."""
        held = self.held(value) if all(map(_is_repeatable, parts)) or _is_fixed(index) else None
        if held is None:
            return call("_slice_", value, *parts)
        first, again = held
        bounds = [None if isinstance(part, ast.Constant) and part.value is None else part for part in parts]
        native = ast.Subscript(again, ast.Slice(*bounds), LOAD)
        return choose(self.is_short_text(first, again), native, call("_slice_", again, *parts))

    def is_short_text(self, first: ast.expr, again: ast.expr, limit: int = _SHORT_TEXT) -> ast.expr:
        """Write the test for a str of fewer than `limit` characters; `first` is evaluated first."""
        is_short = ast.Compare(call("_len_", again), [ast.Lt()], [constant(limit)])
        return ast.BoolOp(ast.And(), [test_type(first, ast.Is(), "_str_"), is_short])


def _is_fixed(index: ast.Slice) -> bool:
    """Whether the bounds are literal numbers, negative ones too."""
    bounds = [part for part in (index.lower, index.upper, index.step) if part is not None]
    return all(isinstance(getattr(part, "operand", part), ast.Constant) for part in bounds)


def _is_repeatable(node: ast.expr) -> bool:
    """Whether an operand may stand in both branches; a nested one would double the code at each level."""
    return isinstance(node, ast.Name | ast.Constant)


def _is_place(node: ast.expr) -> bool:
    """Whether an operand is ``x``, a constant, or ``x.y``: short enough to stand in both branches, evaluated in one."""
    return isinstance(node, ast.Name | ast.Constant) or (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )


def _is_tiny(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= _TINY


def _is_short_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and len(node.value) <= _SHORT_TEXT
    elements = getattr(node, "elts", None)
    if elements is None or len(elements) >= _MAX_LITERAL:
        return False
    return all(isinstance(element, ast.Constant) for element in elements)
