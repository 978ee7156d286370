"""Calls, displays and formatted text.

::

    s.join(xs)              _m_join_(s, xs)                         the hottest methods have a short way in
    x.sort(key=f)           _meth_(x, "sort", key=f)                builtin methods: each with its cost
    x.pop()                 x.pop() if type(x) in _LISTS_ else _popped_(x)      an emptied set keeps its table
    x.index(y)              x.index(y) if type(type(x)) is _meta_ else _meth_(x, "index", y)     own classes natively
    s.upper()               s.upper() if type(s) is str and len(s) < 4096 else _meth_(s, "upper")
    s.startswith("a")       s.startswith("a")                       costs no more than its constant
    d.get(k)                d.get(k if type(k) not in _HIDING_ else _hk_(k))
    str(x)                  _str_(x) if type(x) is int and -2**29 < x < 2**29 else _b_str_(x)    certainly the builtin
    sum(n * n for n in range(9))    _sum_(...)                      certainly numbers, metered where they are made
    f(*xs, **d)             f(*_star_(xs), **_merged_(d))           an iterable may have no end
    f"{x:>9}"               f"{x:>9}" if type(x) in _NUMERIC_ else _fmt_(x, ">9", -1)    widths and reprs are bounded
"""

# ruff: noqa: N802 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
import copy
import re
from typing import Final

from plataforma_sdk.sandbox.restricted._method_names import COPYING, GROWING, GUARDED, HASHED, PREFIXED, QUICK
from plataforma_sdk.sandbox.restricted._names import CALLABLE_DUNDERS, PREFIX, mangle
from plataforma_sdk.sandbox.restricted._policy_augmented import AugmentedPolicy
from plataforma_sdk.sandbox.restricted._policy_names import is_super
from plataforma_sdk.sandbox.restricted._policy_products import WORD
from plataforma_sdk.sandbox.restricted._trees import LOAD, call, choose, constant, name, place, test_type, walk, walrus

__all__ = ["BUILTIN_TYPES", "CallPolicy"]

BUILTIN_TYPES: Final = ("str", "int", "float", "bool", "list", "tuple", "dict", "set", "frozenset", "bytes", "complex")
"""Types that a module may name in ``isinstance`` and in patterns without a detour."""

_CONVERSIONS: Final = frozenset(["str", "int", "list", "dict", "set", "tuple", "float", "bool"])
_SHORT: Final = 512
_SHORT_ARGUMENT: Final = 16
_FEW: Final = 64
"""Parts of a text that may be joined before the text is charged."""

_BIG_DISPLAY: Final = 16
_MAX_PIECES: Final = 256
_SHORT_GROWING: Final = 256
"""Characters of a text that may be split, or get a short constant for another: sixteenfold, that is still short."""

_SHORT_WIDTH: Final = 2
_DIGITS: Final = re.compile(r"\d+")


class CallPolicy(AugmentedPolicy):
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
        if function.id == "sum" and len(node.args) == 1 and known.are_numbers(node.args[0]):
            return call("_sum_", self.visit(node.args[0]))
        if function.id == "range" and not any(isinstance(item, ast.Starred) for item in node.args):
            return call("_b_range_", *[self.visit(item) for item in node.args])
        if function.id in _CONVERSIONS and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            return self._conversion(function.id, node.args[0])
        return None

    def _conversion(self, kind: str, value: ast.expr) -> ast.expr:
        is_small = self.known.is_small(value)
        argument = self.visit(value)
        if kind != "str":
            return call(f"_b_{kind}_", argument)
        return call("_str_", argument) if is_small else self._short_text(argument)

    def _short_text(self, value: ast.expr) -> ast.expr:
        """``str(x)`` of a number stays a native call."""
        held = self.held(value)
        if held is None:
            return call("_b_str_", value)
        first, again = held
        return choose(self._is_short_number(first, again), call("_str_", again), call("_b_str_", again))

    def _joined(self, receiver: ast.expr, parts: ast.expr) -> ast.expr | None:
        """``",".join(xs)`` of a few parts stays a native call, until the module makes a large text."""
        is_short = _is_short_constant(receiver) and isinstance(receiver.value, str)  # type: ignore[attr-defined]
        held = self.held(parts) if is_short and self.scope.has_temporaries else None
        if held is None:
            return None
        first, again = held
        made = self.temporary()
        joined = ast.Call(ast.Attribute(receiver, "join", LOAD), [again], [])
        result = ast.Compare(call("_len_", walrus(made, joined)), [ast.Lt()], [constant(_SHORT)])
        native = choose(result, name(made), call("_grown_", name(made)))
        is_certain = isinstance(parts, ast.ListComp)
        is_list = [] if is_certain else [test_type(first, ast.Is(), "_ty_list_")]
        is_few = ast.Compare(call("_len_", first if is_certain else again), [ast.Lt()], [constant(_FEW)])
        is_lean = ast.Compare(name("_text_"), [ast.Is()], [name("_str_")])
        return choose(ast.BoolOp(ast.And(), [*is_list, is_few, is_lean]), native, call("_m_join_", receiver, again))

    def _is_short_number(self, first: ast.expr, again: ast.expr) -> ast.expr:
        """Test for a float or a small integer: 4,300 digits take a fifth of a millisecond to write."""
        within = [ast.Compare(constant(-WORD), [ast.Lt()], [again]), ast.Compare(again, [ast.Lt()], [constant(WORD)])]
        is_small = ast.BoolOp(ast.And(), [test_type(first, ast.Is(), "_int_"), *within])
        return ast.BoolOp(ast.Or(), [is_small, test_type(again, ast.Is(), "_float_")])

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
            return place(self._popped(node, self.receiver(function.value)), node)  # type: ignore[return-value]
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

    def _popped(self, node: ast.Call, receiver: ast.expr) -> ast.expr:
        """``x.pop()`` of a list or deque is native; what a set leaves is put into a smaller table now and then."""
        held = None if is_super(receiver) else self.held(receiver)
        if held is None:
            node.func = name("_popped_")
            node.args = [receiver]
            return node
        first, again = held
        native = ast.Call(ast.Attribute(again, "pop", LOAD), [], [])
        return choose(test_type(first, ast.In(), "_LISTS_"), native, call("_popped_", again))

    def _guarded_method(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        method = function.attr
        receiver = self.receiver(function.value)
        is_short = all(_is_short_constant(argument) for argument in node.args) and not node.keywords
        arguments, keywords = self._arguments(node)
        if method in PREFIXED and arguments and is_short:
            return ast.Call(ast.Attribute(receiver, method, LOAD), arguments, [])
        if method in COPYING and is_short and not isinstance(function.value, ast.Constant):
            inline = self._inline(receiver, method, arguments)
            if inline is not None:
                return inline
        has_star = any(isinstance(item, ast.Starred) for item in arguments)
        if QUICK.get(method) == len(arguments) and not keywords and not has_star:
            joined = self._joined(receiver, arguments[0]) if method == "join" else None
            return joined or call(f"_m_{method}_", receiver, *arguments)
        if isinstance(receiver, ast.Name) and receiver.id == "self":
            load = ast.Attribute(receiver, method, ast.Load())
            return ast.Call(self.guarded_load(load, method), arguments, keywords)
        is_short = isinstance(receiver, ast.Name) and not keywords and all(map(_is_simple, arguments))
        held = self.held(receiver) if is_short else None
        first, again = held or (receiver, receiver)
        guarded = ast.Call(name("_meth_"), [again, constant(method), *arguments], keywords)
        if held is None:
            return guarded
        return self.if_own(first, ast.Call(ast.Attribute(again, method, LOAD), arguments, []), guarded)

    def _inline(self, receiver: ast.expr, method: str, arguments: list[ast.expr]) -> ast.expr | None:
        """``s.upper()`` on a short text stays a native call."""
        held = self.held(receiver)
        if held is None:
            return None
        first, again = held
        native = ast.Call(ast.Attribute(again, method, LOAD), arguments, [])
        guarded = call("_meth_", again, constant(method), *copy.deepcopy(arguments))
        limit = _SHORT_GROWING if method in GROWING else _SHORT
        return choose(self.is_short_text(first, again, limit), native, guarded)

    def hold_keys(self, node: ast.Match) -> None:
        """Read the dotted keys of mapping patterns before the cases do, so that what hashes them is charged.

        ``match x: case {K.a: v}: B`` -> ``match _keyed_(x, t := _keys_(K.a)): case {t.k0: v}: B``.
        """
        parts = [part for case in node.cases for part in walk(case.pattern) if isinstance(part, ast.MatchMapping)]
        keys: list[ast.expr] = []
        held = self.temporary() if parts else ""
        for part in parts:
            for number, key in enumerate(part.keys):
                if isinstance(key, ast.Attribute):
                    self.check_value_pattern(key)
                    part.keys[number] = ast.Attribute(name(held), f"k{len(keys)}", ast.Load())
                    keys.append(key)
        if keys:
            node.subject = call("_keyed_", node.subject, walrus(held, call("_keys_", *keys)))

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
        is_plain = self.known.is_small(node.value) and _has_short_spec(node)
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
        node.value = self._formatted(value, spec, node.conversion)
        node.conversion, node.format_spec = -1, None
        return node

    def _formatted(self, value: ast.expr, spec: ast.expr, conversion: int) -> ast.expr:
        """Format natively where the value is a number, or a short text without a format."""
        held = self.held(value) if conversion == -1 and _is_short_spec(spec) else None
        if held is None:
            return call("_fmt_", value, spec, constant(conversion))
        first, again = held
        guarded = call("_fmt_", again, spec, constant(conversion))
        if spec.value:  # type: ignore[attr-defined]
            native = ast.JoinedStr([ast.FormattedValue(again, -1, ast.JoinedStr([spec]))])
            return choose(self._is_short_number(first, again), native, guarded)
        is_text, is_number = self.is_short_text(first, again), self._is_short_number(again, again)
        return choose(ast.BoolOp(ast.Or(), [is_text, is_number]), again, guarded)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        if len(node.values) > _MAX_PIECES:
            self.refuse(node, "size", f"an f-string of more than {_MAX_PIECES} pieces", "join a list of texts")
        node.values = [value if isinstance(value, ast.Constant) else self.visit(value) for value in node.values]
        return node if len(node.values) < _BIG_DISPLAY else call("_grown_", node)


def _is_simple(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant)


def _is_short_spec(spec: ast.expr) -> bool:
    """Whether a format is a literal whose width and precision are small: no ``{width}``, no nesting."""
    if not isinstance(spec, ast.Constant) or type(spec.value) is not str or len(spec.value) > _SHORT_ARGUMENT:
        return False
    return all(len(digits) <= _SHORT_WIDTH for digits in _DIGITS.findall(spec.value))


def _has_short_spec(node: ast.FormattedValue) -> bool:
    """Whether a value is formatted without a format, or with a literal short one."""
    match node.format_spec:
        case None:
            return True
        case ast.JoinedStr(values=[ast.Constant() as spec]):
            return node.conversion == -1 and _is_short_spec(spec)
    return False


def _is_short_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (
        not isinstance(node.value, str | bytes) or len(node.value) <= _SHORT_ARGUMENT
    )
