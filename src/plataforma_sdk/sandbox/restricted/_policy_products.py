"""Products, the operation that is both common and dangerous: a text or a list times a number may be of any length.

::

    a * b           -2**29 < (t := a * b) < 2**29 ... else _grown_(t)       two numbers: look at the size of the result
                    a * b                                                   a float and a number: nothing can grow
                    _mul_(a, b)                                             else
    n + a * b       n + t                                                   a number beside it: needs no look of its own
    n - a * b       n - t                                                   likewise; `_sub_` is for sets

Which is which is told by ``type(x) is int``; the likelier type is tested first, since each test takes 6 ns: prices are
attributes and named fields, and floats; what is found by an index is an integer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final, TypeAlias

from plataforma_sdk.sandbox.restricted._policy_names import NamePolicy
from plataforma_sdk.sandbox.restricted._trees import call, choose, constant, name, test_type, walk, walrus

__all__ = ["WORD", "ProductPolicy"]

WORD: Final = 2**29
"""What CPython compares quickest: one digit of an integer."""

_SHORT_NODES: Final = 24
_BESIDE: Final[dict[type[ast.operator], str]] = {ast.Add: "_add_", ast.Sub: "_sub_"}
_Held: TypeAlias = tuple[ast.expr, ast.expr]
_Join: TypeAlias = Callable[[ast.expr], ast.expr]


class ProductPolicy(NamePolicy):
    """The part of the policy that guards products."""

    def beside_product(self, node: ast.BinOp) -> ast.expr | None:
        """Transform ``n + a * b`` and ``n - a * b`` as one, where evaluating the product cannot rebind `n`."""
        left, right, guard = node.left, node.right, _BESIDE.get(type(node.op))
        if guard is None or not isinstance(right, ast.BinOp) or not isinstance(right.op, ast.Mult):
            return None
        if not isinstance(left, ast.Name) or left.id not in self.known.own or self.scope.kind == "comprehension":
            return None
        raw = right.left, right.right
        if not _is_short(raw[1]) or any(isinstance(side, ast.Constant) for side in raw) or self.known.is_number(right):
            return None
        new, op, beside = ast.BinOp(self.visit(raw[0]), right.op, self.visit(raw[1])), node.op, self.visit(left)
        made = self.product(
            new, raw, lambda number: ast.BinOp(beside, op, number), lambda value: call(guard, beside, value)
        )
        return made or call(guard, beside, call("_mul_", new.left, new.right))

    def product(
        self,
        new: ast.BinOp,
        raw: tuple[ast.expr, ast.expr],
        join: _Join | None = None,
        join_guarded: _Join = lambda value: value,
    ) -> ast.expr | None:
        """Multiply numbers natively and look at the size of the result: what is no number may be a text of any length.

        The right side is written thrice and evaluated once, so it is a short one. Evaluating it may run the module's
        code, which must not change what was tested: the left side is kept in a temporary of this frame alone.

        Args:
            new: the product, its sides transformed.
            raw: its sides as the module wrote them.
            join: what is done with a result that is certainly a number; nothing where None.
            join_guarded: the same for any other result.
        """
        plain: _Join = join or (lambda value: value)
        if self.scope.has_temporaries and self.known.is_number(raw[0]) and self.known.is_number(raw[1]):
            return self._sized(new, plain, join_guarded)
        sides = self._held_sides(new)
        if sides is None:
            return None
        first, second = sides
        whole = ast.BinOp(first[1], new.op, second[1])
        guarded, by_float = join_guarded(call("_mul_", first[1], second[1])), plain(whole)
        real: ast.expr = ast.BinOp(first[1], new.op, new.right)
        if join is not None:  # what is joined to a number must be one: a class may multiply a float and get a text
            real = choose(test_type(second[0], ast.In(), "_NUMERIC_"), by_float, guarded)
        integral = choose(test_type(second[1], ast.Is(), "_float_"), by_float, guarded)
        sized = self._sized(whole, plain, join_guarded)
        integral = choose(test_type(second[0], ast.Is(), "_int_"), sized, integral)
        ways = [("_float_", real), ("_int_", integral)]
        if isinstance(raw[0], ast.Subscript) and not isinstance(raw[0].slice, ast.Constant):
            ways.reverse()
        (kind, way), (other_kind, other_way) = ways
        otherwise = join_guarded(call("_mul_", first[1], new.right))
        otherwise = choose(test_type(first[1], ast.Is(), other_kind), other_way, otherwise)
        return choose(test_type(first[0], ast.Is(), kind), way, otherwise)

    def _held_sides(self, new: ast.BinOp) -> tuple[_Held, _Held] | None:
        """Write both sides so that each is evaluated once, the left one first."""
        is_quiet = isinstance(new.right, ast.Name | ast.Constant)
        if not _is_short(new.right) or (not is_quiet and self.scope.kind == "comprehension"):
            return None
        first = self.held(new.left, is_pinned=not is_quiet)
        second = (new.right, new.right) if isinstance(new.right, ast.Constant) else self.held(new.right)
        if first is None or second is None or not self.scope.has_temporaries:
            return None
        return first, second

    def _sized(self, whole: ast.expr, plain: _Join, join_guarded: _Join) -> ast.expr:
        """Evaluate the product of two integers, and look at its size."""
        result = self.temporary()
        within = ast.Compare(constant(-WORD), [ast.Lt(), ast.Lt()], [walrus(result, whole), constant(WORD)])
        return choose(within, plain(name(result)), join_guarded(call("_grown_", name(result))))


def _is_short(node: ast.expr) -> bool:
    """Whether an expression is so short that it may stand twice: names, attributes and subscripts of them."""
    return sum(1 for _ in walk(node)) <= _SHORT_NODES
