"""Follows values through a source by one pass over its tree: where they come from, and where they end.

Flow-insensitive and without types: assignments are edges between names, a call joins its arguments to the parameters
of the function of that name. That over-approximates, so a rule fires only where a *kind* of source meets a kind of
sink that no honest module joins; a source or a sink alone is at most a remark. Whoever computes every name at run time
passes below this, as below every static analysis: what stands between that module and the host is the `wasm` tier.

Tried and left: one visitor for each rule (12 passes, 45 ms for 500 lines), and labels as sets of words (3 times slower
than bits).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Facts, Function, Loop, Sink
from plataforma_sdk.security._value import HIDING_FOLDS, NOTHING, Value, fold_call, fold_sum, items_of, merge

__all__ = ["read_facts"]

_BUILTINS: Final = frozenset({"builtins", "__builtins__", "__builtin__"})
_NAMESPACES: Final = frozenset({"globals", "locals", "vars"})
_MUTATORS: Final = frozenset({"append", "extend", "update", "write", "add", "insert", "writelines", "setdefault", "put"})
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_RESULT: Final = "return:"
_MAX_POWER_BITS: Final = 50_000_000
_MAX_REPEAT: Final = 200_000_000
_DYNAMIC_IMPORTS: Final = ("__import__", "importlib.import_module", "importlib.__import__", "pydoc.locate")


def read_facts(tree: ast.Module) -> Facts:
    """Read a parsed source.

    Raises:
        RecursionError: it is nested too deeply to be read.
    """
    reader = _Reader()
    reader.body(tree.body)
    reader.facts.spread()
    return reader.facts


class _Reader:
    """Walks statements in their order, with the scope that they stand in."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.scope = self.facts.new_scope(None)
        self.function = Function("", 0)
        self.facts.functions[""] = self.function
        self.loops: list[Loop] = []
        self.aliases: dict[str, str] = {}
        self.texts: dict[str, Value] = {}

    # --- statements ------------------------------------------------------------------------------------------------

    def body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            handler = _STATEMENTS.get(type(statement))
            if handler is not None:
                handler(self, statement)
            else:
                self.children(statement)

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.body([child])
            elif isinstance(child, ast.expr):
                self.read(child)
            else:
                self.children(child)

    def on_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.facts.imports.append((alias.name, node.lineno))
            self.aliases[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )

    def on_import_from(self, node: ast.ImportFrom) -> None:
        room = "." * node.level + (node.module or "")
        self.facts.imports.append((room, node.lineno))
        for alias in node.names:
            self.aliases[alias.asname or alias.name] = f"{room}.{alias.name}"

    def on_expression(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.read(node.value)

    def on_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outer in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.read(outer)
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        function = self.facts.functions.setdefault(node.name, Function(node.name, node.lineno))
        before = self.scope, self.function, self.loops
        self.scope = self.facts.new_scope(self.scope)
        self.function, self.loops = function, []
        self.facts.bind_parameters(self.scope, function, [argument.arg for argument in arguments])
        self.facts.measure(node)
        self.body(node.body)
        self.scope, self.function, self.loops = before

    def on_class(self, node: ast.ClassDef) -> None:
        for outer in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
            self.read(outer)
        self.body(node.body)

    def on_return(self, node: ast.Return) -> None:
        self.leave()
        if node.value is not None:
            self.facts.flow((0, _RESULT + self.function.name), self.read(node.value))

    def leave(self) -> None:
        for loop in self.loops:
            loop.ends = True

    def on_leaving(self, node: ast.Raise) -> None:
        self.leave()
        self.children(node)

    def on_break(self, _: ast.Break) -> None:
        if self.loops:
            self.loops[-1].ends = True

    def on_assign(self, node: ast.Assign) -> None:
        value = self.read(node.value)
        for target in node.targets:
            self.bind(target, value)

    def on_assign_one(self, node: ast.AnnAssign | ast.AugAssign) -> None:
        if node.value is not None:
            value = self.read(node.value)
            if isinstance(node, ast.AugAssign):
                old = self.read(node.target)
                text, exact, hidden = fold_sum(old, value)
                joined = merge([old, value])
                value = Value(text, exact=exact, hidden=hidden, labels=joined.labels, reads=joined.reads)
            self.bind(node.target, value)

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.facts.bind(self.scope, target.id)
            self.facts.flow((self.scope, target.id), value)
            self.facts.names.append(target.id)
            self._alias(target.id, value)
        elif isinstance(target, ast.Attribute):
            if isinstance(target.value, ast.Name):
                self.facts.flow((0, f"{target.value.id}.{target.attr}"), value)
                self._alias(f"{target.value.id}.{target.attr}", value)
            if target.attr in ("__code__", "__closure__", "__builtins__"):
                self.facts.attributes.append((f"{target.attr}=", target.lineno))
            self.read(target.value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Subscript):
            self.bind_item(target, value)

    def bind_item(self, target: ast.Subscript, value: Value) -> None:
        owner, key = self.read(target.value), self.read(target.slice)
        for read in owner.reads[:1]:
            self.facts.flow(read, value)
        if owner.dotted == "sys.modules" or (owner.dotted in _BUILTINS and key.exact):
            self.facts.attributes.append((f"{owner.dotted}=", target.lineno))

    def _alias(self, name: str, value: Value) -> None:
        if value.dotted:
            self.aliases[name] = value.dotted
        else:
            self.aliases.pop(name, None)
        if value.text or value.items is not None:
            self.texts[name] = value
        else:
            self.texts.pop(name, None)

    def on_for(self, node: ast.For | ast.AsyncFor) -> None:
        self.bind(node.target, self.read(node.iter))
        self.facts.nested += 1
        self.function.for_loops += 1
        self.body(node.body)
        self.function.for_loops -= 1
        self.body(node.orelse)

    def on_while(self, node: ast.While) -> None:
        self.read(node.test)
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        loop = Loop(node.lineno, self.function.name, ends=not is_endless)
        self.facts.loops.append(loop)
        self.loops.append(loop)
        self.body(node.body)
        self.loops.pop()
        self.body(node.orelse)

    def on_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.read(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
                self._remember_file(item.context_expr, item.optional_vars)
        self.body(node.body)

    def _remember_file(self, opened: ast.expr, target: ast.expr) -> None:
        """What is written to a file is what its path then leads to."""
        if isinstance(opened, ast.Call) and opened.args and isinstance(target, ast.Name):
            for argument in opened.args[:1]:
                for read in self.read(argument).reads:
                    self.facts.flow(read, Value(reads=((self.scope, target.id),)))

    def on_try(self, node: Any) -> None:
        self.body(node.body)
        for handler in node.handlers:
            if handler.type is not None:
                self.read(handler.type)
            if _swallows(handler):
                self.facts.swallowed.append(handler.lineno)
            self.body(handler.body)
        self.body(node.orelse)
        self.body(node.finalbody)

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
            return Value(str(value) if value.bit_length() < 64 else "", exact=True)  # noqa: PLR2004
        if not isinstance(value, str) or not value:
            return NOTHING if value != "" else Value("", exact=True)
        self.facts.strings.append((value, node.lineno))
        return Value(value[:4096], exact=len(value) <= 4096, labels=known.labels_of_text(value))  # noqa: PLR2004

    def on_name(self, node: ast.Name) -> Value:
        name = node.id
        text = self.texts.get(name)
        dotted = self.aliases.get(name, name)
        labels = known.CREDENTIAL if dotted in ("win32crypt.CryptUnprotectData",) else 0
        if text is not None:
            return Value(
                text.text,
                exact=text.exact,
                hidden=text.hidden,
                dotted=dotted,
                labels=labels,
                reads=((self.scope, name),),
                items=text.items,
            )
        return Value(dotted=dotted, labels=labels, reads=((self.scope, name),))

    def on_attribute(self, node: ast.Attribute) -> Value:
        owner = self.read(node.value)
        if node.attr.startswith(("__", "f_", "gi_", "cr_", "ag_", "tb_")):
            self.facts.attributes.append((_chain(node), node.lineno))
        dotted = f"{owner.dotted}.{node.attr}" if owner.dotted else ""
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
        if owner.dotted in _BUILTINS or owner.dotted.removesuffix("()") in _NAMESPACES or owner.dotted == "sys.modules":
            self.note_hidden(key, node.lineno)
            value.dotted = key.text if key.exact else ""
            if owner.dotted in _BUILTINS and not key.exact:
                self.facts.hidden.append(("builtins", node.lineno))
        elif owner.dotted.endswith("__globals__") and key.exact:
            self.facts.attributes.append((f"__globals__[{key.text[:40]}]", node.lineno))
        elif owner.dotted == "os.environ":
            value.labels = known.ENVIRONMENT if known.is_secret_name(key.text) else known.HOME * (key.text == "HOME")
        elif key.exact and known.is_field(key.text):
            value.labels |= known.FORM
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
            value.labels |= known.DECODED * self.facts.in_comprehension
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
        parts = []
        for generator in node.generators:
            source = self.read(generator.iter)
            parts.append(source)
            self.bind(generator.target, source)
            parts += [self.read(test) for test in generator.ifs]
        parts += [self.read(node.key), self.read(node.value)] if isinstance(node, ast.DictComp) else [self.read(node.elt)]
        self.facts.in_comprehension -= 1
        self.scope = before
        value = merge(parts)
        value.items = _chr_items(node, parts[0])
        return value

    def on_lambda(self, node: ast.Lambda) -> Value:
        before = self.scope
        self.scope = self.facts.new_scope(before)
        for argument in node.args.args:
            self.facts.bind(self.scope, argument.arg)
        value = self.read(node.body)
        self.scope = before
        return Value(labels=value.labels, reads=value.reads)

    def on_sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        value = merge([self.read(element) for element in node.elts])
        value.items = items_of(node)
        value.text = "\0".join(str(item) for item in value.items[:64]) if value.items else ""
        return value

    def on_await(self, node: Any) -> Value:
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            self.leave()
        if node.value is None:
            return NOTHING
        value = self.read(node.value)
        if isinstance(node, ast.Yield):
            self.facts.flow((0, _RESULT + self.function.name), value)
        return value

    def on_named(self, node: ast.NamedExpr) -> Value:
        value = self.read(node.value)
        self.bind(node.target, value)
        return value

    # --- calls -----------------------------------------------------------------------------------------------------

    def on_call(self, node: ast.Call) -> Value:
        target = self.read(node.func)
        args = [self.read(argument) for argument in node.args]
        words = {word.arg: self.read(word.value) for word in node.keywords}
        name = target.dotted.removeprefix("builtins.").removeprefix("__builtins__.")
        every = [*args, *words.values()]
        value = merge([target, *every])
        value.dotted = f"{name}()" if name else ""
        self._import(name, args, value, node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        self._label(name, method, args, words, value)
        self._fold(name, method, node, args, value)
        self._pass_on(name, method, target, every, value)
        self._end(name, method, node, args, words, every, value)
        return value

    def _import(self, name: str, args: list[Value], value: Value, node: ast.Call) -> None:
        if name in _DYNAMIC_IMPORTS and args:
            self.note_hidden(args[0], node.lineno)
            value.dotted = args[0].text if args[0].exact else ""
            if args[0].exact:
                self.facts.imports.append((args[0].text, node.lineno))
            else:
                self.facts.computed_imports.append(node.lineno)
        elif name == "getattr" and len(args) > 1:
            self.note_hidden(args[1], node.lineno)
            owner = args[0].dotted
            if args[1].exact:
                value.dotted = args[1].text if owner in _BUILTINS else f"{owner}.{args[1].text}"
                self.facts.attributes.append((args[1].text, node.lineno)) if args[1].text[:2] == "__" else None
            elif owner in _BUILTINS and args[1].labels & known.DECODED:
                self.facts.hidden.append(("builtins", node.lineno))

    def note_hidden(self, key: Value, line: int) -> None:
        if key.hidden and key.exact and key.text.isidentifier():
            self.facts.hidden.append((key.text, line))

    def _label(self, name: str, method: str, args: list[Value], words: dict[str | None, Value], value: Value) -> None:
        value.labels |= known.READERS.get(name, 0) | known.READING_METHODS.get(method, 0)
        if name in known.DECODERS or method in known.DECODING_METHODS_ALWAYS:
            value.labels |= known.DECODED
        elif method in known.DECODING_METHODS and method != "decompress":
            value.labels |= known.DECODED
        if name in ("os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"):
            value.labels &= ~known.ENVIRONMENT
            if args and known.is_secret_name(args[0].text):
                value.labels |= known.ENVIRONMENT
        elif name == "os.path.expanduser" and args and args[0].text in ("~", "~/"):
            value.labels |= known.HOME
        elif method == "get" and args and args[0].exact and known.is_field(args[0].text):
            value.labels |= known.FORM
        elif method == "query" and args and known.is_sensitive_query(args[0].text):
            value.labels |= known.RECORDS
        self._label_platform(method, args, value)

    def _label_platform(self, method: str, args: list[Value], value: Value) -> None:
        path = value.dotted.removesuffix("()")
        if path.endswith("clipboard.read"):
            value.labels |= known.CLIPBOARD
        elif path.endswith("storage.get"):
            value.labels |= known.STORED
        elif method == "api_call":
            value.labels |= known.REMOTE if args and _is_url(args[0].text) else known.STORED

    def _fold(self, name: str, method: str, node: ast.Call, args: list[Value], value: Value) -> None:
        known_name = name if name and not method else name if name in HIDING_FOLDS else f".{method}"
        if method == "fromhex" and name.endswith("fromhex"):
            known_name = "bytes.fromhex"
        owner = self.read(node.func.value) if isinstance(node.func, ast.Attribute) and f".{method}" == known_name else NOTHING
        text = fold_call(known_name, owner, args)
        if text is not None:
            value.text, value.exact = text, True
            value.hidden = known_name in HIDING_FOLDS or owner.hidden
            value.labels |= known.labels_of_text(text)
            if value.hidden and len(text) > 3:  # noqa: PLR2004 - a letter is no text
                self.facts.decoded.append((text, node.lineno))
        elif name == "map" and len(args) > 1 and args[0].dotted == "chr":
            value.items = args[1].items
            value.labels |= known.DECODED
        elif name in ("os.path.join", "pathlib.Path", "Path") or method in ("joinpath", "format"):
            parts = [*([owner] if owner is not NOTHING else []), *args]
            if method == "joinpath" or method == "format":
                parts.insert(0, self.read(node.func.value))  # type: ignore[attr-defined]
            value.text = "/".join(part.text or "\0" for part in parts)[:4096]
            value.labels |= known.labels_of_text(value.text)
        if method == "join" and args and _is_built(node):
            value.labels |= known.DECODED

    def _pass_on(self, name: str, method: str, target: Value, every: list[Value], value: Value) -> None:
        """Join arguments to parameters, the result to what the function returns, and mutators to what they change."""
        called = method or name
        if called and "." not in called:
            self.function.calls.add(called)
            self.facts.calls.append((called, every))
            value.reads = (*value.reads, (0, _RESULT + called))
        if method in _MUTATORS and target.reads:
            changed = merge(every)
            if changed.labels or changed.reads:
                for read in target.reads[-1:]:
                    self.facts.flow(read, changed)
        if name == "urllib.request.urlretrieve" and len(every) > 1:
            for read in every[1].reads:
                self.facts.flow(read, Value(labels=known.REMOTE))

    def _end(
        self,
        name: str,
        method: str,
        node: ast.Call,
        args: list[Value],
        words: dict[str | None, Value],
        every: list[Value],
        value: Value,
    ) -> None:
        kind = known.SINKS.get(name) or known.SINK_METHODS.get(method, "")
        if name in ("open", "io.open", "codecs.open", "os.open") or method in ("read_text", "read_bytes", "open"):
            mode = args[1] if len(args) > 1 and not method else words.get("mode", args[0] if method and args else NOTHING)
            kind = "write" if mode.text[:1] in "wax" and mode.text[:1] else kind or "read"
        elif method == "api_call":
            kind = "network" if args and _is_url(args[0].text) else "api"
        elif name.endswith(("clipboard.read", "clipboard.write", "permissions.request")) or method in ("every", "Listener"):
            kind = kind or name.rpartition(".")[2]
        elif name.endswith("Listener"):
            kind = "Listener"
        if not kind:
            return
        whole = value if method else merge(every)
        self.facts.sinks.append(
            Sink(
                kind=kind,
                name=name or method,
                line=node.lineno,
                function=self.function.name,
                labels=whole.labels,
                reads=whole.reads,
                text="\0".join(part.text for part in every if part.text)[:4096],
                first=args[0] if args else NOTHING,
                in_loop=bool(self.loops or self.function.for_loops),
                is_method=bool(method),
            )
        )


def _is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


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


def _is_built(node: ast.Call) -> bool:
    """Whether ``"".join(...)`` makes letters of numbers by arithmetic."""
    (argument, *_) = node.args
    if not isinstance(argument, (ast.GeneratorExp, ast.ListComp)):
        return False
    return any(isinstance(part, ast.Name) and part.id == "chr" for part in ast.walk(argument.elt))


def _swallows(handler: ast.ExceptHandler) -> bool:
    everything = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException")
    return everything and all(isinstance(statement, ast.Pass) for statement in handler.body)


_STATEMENTS: Final[dict[type[ast.stmt], Callable[[_Reader, Any], None]]] = {
    ast.Import: _Reader.on_import,
    ast.ImportFrom: _Reader.on_import_from,
    ast.Expr: _Reader.on_expression,
    ast.FunctionDef: _Reader.on_function,
    ast.AsyncFunctionDef: _Reader.on_function,
    ast.ClassDef: _Reader.on_class,
    ast.Return: _Reader.on_return,
    ast.Raise: _Reader.on_leaving,
    ast.Break: _Reader.on_break,
    ast.Assign: _Reader.on_assign,
    ast.AnnAssign: _Reader.on_assign_one,
    ast.AugAssign: _Reader.on_assign_one,
    ast.For: _Reader.on_for,
    ast.AsyncFor: _Reader.on_for,
    ast.While: _Reader.on_while,
    ast.With: _Reader.on_with,
    ast.AsyncWith: _Reader.on_with,
    ast.Try: _Reader.on_try,
    ast.TryStar: _Reader.on_try,
}
_EXPRESSIONS: Final[dict[type[ast.expr], Callable[[_Reader, Any], Value]]] = {
    ast.Constant: _Reader.on_constant,
    ast.Name: _Reader.on_name,
    ast.Attribute: _Reader.on_attribute,
    ast.Subscript: _Reader.on_subscript,
    ast.JoinedStr: _Reader.on_joined,
    ast.BinOp: _Reader.on_operator,
    ast.ListComp: _Reader.on_comprehension,
    ast.SetComp: _Reader.on_comprehension,
    ast.GeneratorExp: _Reader.on_comprehension,
    ast.DictComp: _Reader.on_comprehension,
    ast.Lambda: _Reader.on_lambda,
    ast.List: _Reader.on_sequence,
    ast.Tuple: _Reader.on_sequence,
    ast.Set: _Reader.on_sequence,
    ast.Await: _Reader.on_await,
    ast.Yield: _Reader.on_await,
    ast.YieldFrom: _Reader.on_await,
    ast.NamedExpr: _Reader.on_named,
    ast.Call: _Reader.on_call,
}
