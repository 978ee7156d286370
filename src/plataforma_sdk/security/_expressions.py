"""Reads expressions: what they say, what they name, and what they are made of."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Lookup
from plataforma_sdk.security._scope import BUILTINS, RESULT, ScopeReader
from plataforma_sdk.security._value import NOTHING, Value, fold_sum, items_of, merge

__all__ = ["ExpressionReader"]

_NAMESPACES: Final = frozenset({"globals", "locals", "vars"})
_MAX_POWER_BITS: Final = 50_000_000
_MAX_REPEAT: Final = 200_000_000
_MAX_TEXT: Final = 4_096
_YEAR_2020: Final = 1_577_836_800
_YEAR_2050: Final = 2_524_608_000
"""In seconds since 1970."""
_INSIDE: Final = ("__", "f_", "gi_", "cr_", "ag_", "tb_")


class ExpressionReader(ScopeReader):
    """Reads expressions in the scope that a walk stands in; calls are read by `CallReader`."""

    # --- expressions -----------------------------------------------------------------------------------------------

    def read(self, node: ast.expr) -> Value:
        handler = _EXPRESSIONS.get(type(node))
        if handler is not None:
            return handler(self, node)
        return merge([self.read(child) for child in _inner(node)])

    def on_constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, bytes):
            value = value[:4096].decode("latin-1")
        elif isinstance(value, int) and not isinstance(value, bool):
            text = str(value) if value.bit_length() < 64 else ""  # noqa: PLR2004
            return Value(text, exact=True, labels=known.DATE if _YEAR_2020 < value < _YEAR_2050 else 0)
        if not isinstance(value, str) or not value:
            return NOTHING if value != "" else Value("", exact=True)
        self.facts.strings.append((value, node.lineno))
        return Value(value[:4096], exact=len(value) <= 4096, labels=known.labels_of_text(value))  # noqa: PLR2004

    def on_name(self, node: ast.Name) -> Value:
        name = node.id
        text = self.texts.get(name)
        dotted = self.aliases.get(name, name)
        if text is not None:
            return Value(
                text.text,
                exact=text.exact,
                hidden=text.hidden,
                dotted=dotted,
                reads=((self.scope, name),),
                items=text.items,
            )
        return Value(dotted=dotted, reads=((self.scope, name),))

    def on_attribute(self, node: ast.Attribute) -> Value:
        return self.attribute_of(node, self.read(node.value))

    def attribute_of(self, node: ast.Attribute, owner: Value) -> Value:
        """Read an attribute whose owner has been read: reading it twice would double with each link of a chain."""
        if node.attr.startswith(("__", "f_", "gi_", "cr_", "ag_", "tb_")) or node.attr == "_runtime":
            self.facts.attributes.append((_chain(node), node.lineno))
        dotted = f"{owner.dotted}.{node.attr}" if owner.dotted else ""
        dotted = dotted.removesuffix(".__call__")
        if isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            dotted = self.aliases.get(name, dotted)
            text = self.texts.get(name)
            value = Value(dotted=dotted, labels=owner.labels, reads=(*owner.reads, (0, name)))
            if text is not None:
                value.text, value.exact, value.items = text.text, text.exact, text.items
        else:
            value = Value(dotted=dotted, labels=owner.labels, reads=owner.reads)
        if dotted in ("os.environ", "os.environb"):
            value.labels |= known.ENVIRONMENT
        return value

    def on_subscript(self, node: ast.Subscript) -> Value:
        owner = self.read(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._slice(node.slice, owner)
        key = self.read(node.slice)
        value = merge([owner, key])
        if owner.dotted in BUILTINS or owner.dotted.removesuffix("()") in _NAMESPACES or owner.dotted == "sys.modules":
            self.note_hidden(key, node.lineno)
            value.dotted = key.text if key.exact else ""
            if not key.exact:
                self.facts.lookups.append(Lookup(line=node.lineno, key=key))
            if owner.dotted in BUILTINS and not key.exact:
                self.facts.hidden.append(("builtins", node.lineno))
        elif owner.dotted.endswith(".__dict__") and key.exact:
            self.note_hidden(key, node.lineno)
            value.dotted = f"{owner.dotted.removesuffix('.__dict__')}.{key.text}"
        elif key.exact and owner.dotted.endswith(("__globals__", "f_globals", "f_builtins")):
            self.facts.attributes.append((f"{owner.dotted.rpartition('.')[2]}[{key.text[:40]}]", node.lineno))
        elif owner.dotted == "os.environ":
            value.labels = known.ENVIRONMENT if known.is_secret_name(key.text) else known.HOME * (key.text == "HOME")
        elif key.exact:
            self.note_picked(value, owner, key.text)
        return value

    def _slice(self, node: ast.Slice, owner: Value) -> Value:
        value = merge([owner, *(self.read(part) for part in (node.lower, node.upper, node.step) if part is not None)])
        if isinstance(node.step, ast.UnaryOp) and owner.exact:
            value.text, value.exact, value.hidden = owner.text[::-1], True, True
        elif owner.exact:
            value.text = owner.text
        return value

    def on_joined(self, node: ast.JoinedStr) -> Value:
        parts = [self.read(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        value = merge(parts)
        value.text = "".join(part.text or "\0" for part in parts)[:4096]
        value.labels |= known.labels_of_text(value.text)
        return value

    def on_operator(self, node: ast.BinOp) -> Value:
        left, right = self.read(node.left), self.read(node.right)
        value = merge([left, right])
        if isinstance(node.op, ast.Add):
            value.text, value.exact, value.hidden = fold_sum(left, right)
            if value.text:
                value.labels |= known.labels_of_text(value.text)
        elif isinstance(node.op, ast.BitXor):
            value.labels |= (known.DECODED | known.CIPHERED) * bool(self.facts.in_comprehension)
        elif isinstance(node.op, (ast.Mod, ast.Div)):
            value.text = f"{left.text}/{right.text}" if isinstance(node.op, ast.Div) else left.text
            value.labels |= known.labels_of_text(value.text) if value.text else 0
        elif isinstance(node.op, (ast.Mult, ast.Pow)):
            self._measure_product(node, left, right)
        return value

    def _measure_product(self, node: ast.BinOp, left: Value, right: Value) -> None:
        if not (right.exact and right.text.isdigit()):
            right, left = left, right
        if not (right.exact and right.text.isdigit()):
            return
        amount = int(right.text)
        is_sequence = isinstance(node.left, (ast.List, ast.JoinedStr)) or (
            isinstance(node.left, ast.Constant) and isinstance(node.left.value, (str, bytes))
        )
        if isinstance(node.op, ast.Pow):
            base = int(left.text) if left.exact and left.text.isdigit() else 0
            is_bomb = amount * base.bit_length() > _MAX_POWER_BITS
        else:
            is_bomb = is_sequence and amount > _MAX_REPEAT
        if is_bomb:
            self.facts.bombs.append(node.lineno)

    def on_comprehension(self, node: Any) -> Value:
        before = self.scope
        self.scope = self.facts.new_scope(before)
        self.facts.in_comprehension += 1
        parts, first = [], NOTHING
        for generator in node.generators:
            source = self.read(generator.iter)
            first = source if first is NOTHING else first
            self.bind(generator.target, source)
            parts += [self.facts.part_of(part) for part in (source, *map(self._read_filter, generator.ifs))]
        parts += (
            [self.read(node.key), self.read(node.value)] if isinstance(node, ast.DictComp) else [self.read(node.elt)]
        )
        self.facts.in_comprehension -= 1
        self.scope = before
        value = merge(parts)
        value.items = _chr_items(node, first)
        return value

    def _read_filter(self, test: ast.expr) -> Value:
        """Read a test of a comprehension: ``if key in ("token", "cookie")`` picks by name."""
        value = self.read(test)
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In):
            names = self.read(test.comparators[0]).items or ()
            value.labels |= known.NAMED * any(known.is_secret_name(name) for name in names if isinstance(name, str))
        return value

    def on_lambda(self, node: ast.Lambda) -> Value:
        before = self.scope
        self.scope = self.facts.new_scope(before)
        names = [argument.arg for argument in node.args.args]
        for name in names:
            self.facts.bind(self.scope, name)
        scope = self.scope
        value = self.read(node.body)
        self.scope = before
        self.parameters = [(scope, name) for name in names if name not in ("self", "cls", "_")]
        return Value(labels=value.labels, reads=value.reads)

    def on_sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        value = merge([self.read(element) for element in node.elts])
        value.items = items_of(node)
        value.text = "\0".join(str(item) for item in value.items[:64]) if value.items else ""
        return value

    def on_dict(self, node: ast.Dict) -> Value:
        values = []
        for key, value in zip(node.keys, node.values, strict=True):
            read = self.read(value)
            values.append(read)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.name_lambda(key.value, value)
                if not isinstance(value, ast.Constant) or isinstance(value.value, str):
                    self.facts.entries.append((key.value, read, node.lineno))
                values.append(self.read(key))
            elif key is not None:
                values.append(self.read(key))
        return merge(values)

    def on_await(self, node: Any) -> Value:
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            self.leave()
        if node.value is None:
            return NOTHING
        value = self.read(node.value)
        if isinstance(node, ast.Yield):
            self.facts.flow((0, RESULT + self.function.name), value)
        return value

    def on_compare(self, node: ast.Compare) -> Value:
        """Note a search for a digest below a bound, which is what miners do."""
        parts = [self.read(part) for part in (node.left, *node.comparators)]
        value = merge(parts)
        is_bound = isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
        if self.in_loop and is_bound and any(part.dotted in ("int()", "int.from_bytes()") for part in parts):
            self.facts.searches.append((node.lineno, value))
        return value

    def on_named(self, node: ast.NamedExpr) -> Value:
        value = self.read(node.value)
        self.bind(node.target, value)
        return value

    def on_call(self, node: ast.Call) -> Value:
        """Read a call."""
        raise NotImplementedError


def _inner(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        else:
            yield from _inner(child)


def _chain(node: ast.Attribute) -> str:
    """Write the attributes that lead here, ``__class__.__bases__.__subclasses__``, whatever stands between them."""
    names: list[str] = []
    inner: ast.expr = node
    while len(names) < 8:  # noqa: PLR2004 - enough to tell a way out from a look
        if isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        elif isinstance(inner, ast.Subscript):
            inner = inner.value
        elif isinstance(inner, ast.Call):
            inner = inner.func
        else:
            break
    return ".".join(reversed(names))


def _chr_items(node: Any, source: Value) -> tuple[str | int, ...] | None:
    """Read ``chr(n) for n in (...)``, unchanged or with a constant added."""
    element = getattr(node, "elt", None)
    if isinstance(element, ast.Call) and isinstance(element.func, ast.Name) and element.func.id == "chr":
        return source.items
    return None


_EXPRESSIONS: Final[dict[type[ast.expr], Callable[[ExpressionReader, Any], Value]]] = {
    ast.Constant: ExpressionReader.on_constant,
    ast.Name: ExpressionReader.on_name,
    ast.Attribute: ExpressionReader.on_attribute,
    ast.Subscript: ExpressionReader.on_subscript,
    ast.JoinedStr: ExpressionReader.on_joined,
    ast.BinOp: ExpressionReader.on_operator,
    ast.ListComp: ExpressionReader.on_comprehension,
    ast.SetComp: ExpressionReader.on_comprehension,
    ast.GeneratorExp: ExpressionReader.on_comprehension,
    ast.DictComp: ExpressionReader.on_comprehension,
    ast.Lambda: ExpressionReader.on_lambda,
    ast.List: ExpressionReader.on_sequence,
    ast.Tuple: ExpressionReader.on_sequence,
    ast.Set: ExpressionReader.on_sequence,
    ast.Dict: ExpressionReader.on_dict,
    ast.Await: ExpressionReader.on_await,
    ast.Yield: ExpressionReader.on_await,
    ast.YieldFrom: ExpressionReader.on_await,
    ast.Compare: ExpressionReader.on_compare,
    ast.NamedExpr: ExpressionReader.on_named,
    ast.Call: lambda reader, node: reader.on_call(node),
}
