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
from collections.abc import Callable
from typing import Any, Final

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._calls import CallReader
from plataforma_sdk.security._facts import Facts, Function, Loop
from plataforma_sdk.security._scope import RESULT
from plataforma_sdk.security._value import Value, fold_sum, merge

__all__ = ["read_facts"]

_FLOOD: Final = 10_000
_ENDLESS: Final = frozenset({"itertools.count()", "itertools.cycle()"})


def read_facts(tree: ast.Module) -> Facts:
    """Read a parsed source.

    Raises:
        RecursionError: it is nested too deeply to be read.
    """
    reader = _Reader()
    reader.body(tree.body)
    reader.facts.spread()
    return reader.facts


class _Reader(CallReader):
    """Walks statements in their order, with the scope that they stand in."""

    def body(self, statements: list[ast.stmt]) -> None:
        before = self.guards
        for statement in statements:
            handler = _STATEMENTS.get(type(statement))
            if handler is not None:
                handler(self, statement)
            else:
                self.children(statement)
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], (ast.Return, ast.Raise)):
                self.guards = (*self.guards, self.last_test)  # what follows runs where the test says no
        self.guards = before

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.body([child])
            elif isinstance(child, ast.expr):
                self.read(child)
            else:
                self.children(child)

    def on_if(self, node: ast.If) -> None:
        test = self.read(node.test)
        if self.function.name == "" and _is_as_program(node.test):
            before, self.function = self.function, Function("__main__", node.lineno)  # no import runs it
            self.body(node.body)
            self.function = before
        else:
            self.guards = (*self.guards, test)
            self.body(node.body)
            self.guards = self.guards[:-1]
        self.last_test = test
        self.body(node.orelse)

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
            self.facts.imports.append((f"{room}.{alias.name}", node.lineno))

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
        if any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body):
            self.facts.functions.setdefault(node.name, self.facts.functions["__init__"])  # what calling the class calls

    def on_return(self, node: ast.Return) -> None:
        self.leave()
        if node.value is not None:
            self.facts.flow((0, RESULT + self.function.name), self.read(node.value))

    def on_leaving(self, node: ast.Raise) -> None:
        self.leave()
        self.children(node)

    def on_break(self, _: ast.Break) -> None:
        if self.loops:
            self.loops[-1].ends = True

    def on_assign(self, node: ast.Assign) -> None:
        value = self.read(node.value)
        if isinstance(node.targets[0], ast.Name):
            self.name_lambda(node.targets[0].id, node.value)
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

    def on_for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.read(node.iter)
        self.bind(node.target, iterated)
        self.function.for_loops += 1
        is_flood = _is_long(node.iter)
        self.floods += is_flood
        if iterated.dotted in _ENDLESS and isinstance(node, ast.For):
            self._loop(node, ends=False)
        else:
            self.body(node.body)
        self.floods -= is_flood
        self.function.for_loops -= 1
        self.body(node.orelse)

    def on_while(self, node: ast.While) -> None:
        self.read(node.test)
        self._loop(node, ends=not _is_always_true(node.test))
        self.body(node.orelse)

    def _loop(self, node: ast.While | ast.For, *, ends: bool) -> None:
        loop = Loop(node.lineno, self.function.name, ends=ends)
        self.facts.loops.append(loop)
        self.loops.append(loop)
        self.body(node.body)
        self.loops.pop()

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
        before, sinks = len(self.facts.loops), len(self.facts.sinks)
        self.body(node.body)
        said = Value(labels=known.REMOTE * any(sink.kind == "network" for sink in self.facts.sinks[sinks:]))
        for loop in self.facts.loops[before:]:
            loop.ends |= bool(node.handlers)  # as a queue is emptied until it raises
        for handler in node.handlers:
            if handler.type is not None:
                self.read(handler.type)
            if handler.name is not None:
                self.bind(ast.Name(handler.name, lineno=handler.lineno), said)  # an error holds what a server said
            if _swallows(handler):
                self.facts.swallowed.append(handler.lineno)
            self.body(handler.body)
        self.body(node.orelse)
        self.body(node.finalbody)


def _is_always_true(test: ast.expr) -> bool:
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(map(_is_always_true, values))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(map(_is_always_true, values))
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
        case ast.Compare(left=ast.Constant(value=left), ops=[ast.Eq()], comparators=[ast.Constant(value=right)]):
            return bool(left == right)
        case _:
            return False


def _is_long(iterated: ast.expr) -> bool:
    """Whether a loop's range is written, and very long."""
    if not isinstance(iterated, ast.Call) or not isinstance(iterated.func, ast.Name) or iterated.func.id != "range":
        return False
    numbers = [part.value for part in iterated.args if isinstance(part, ast.Constant) and isinstance(part.value, int)]
    return max(numbers, default=0) >= _FLOOD


def _is_as_program(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _swallows(handler: ast.ExceptHandler) -> bool:
    everything = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException")
    return everything and all(isinstance(statement, ast.Pass) for statement in handler.body)


_STATEMENTS: Final[dict[type[ast.stmt], Callable[[_Reader, Any], None]]] = {
    ast.If: _Reader.on_if,
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
