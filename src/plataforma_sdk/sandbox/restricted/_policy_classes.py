"""Functions, lambdas and classes: the outermost part of the policy.

::

    def f(a: int) -> str: B       def f(a): for _w in _fuel_: break / else: _dead_()
                                            B
    def g(): yield 1              @_genf_ def g(): ...              live generators are counted
    lambda x: B                   lambda x: B if _burn_() else None
    class C(Base): B              class C(Base, metaclass=_meta_): B
    class C[T]: B                 class C(metaclass=_meta_): __class_getitem__ = _generic_; B
    __match_args__ = "x", "_y"     __match_args__ = ("x", "p0_y")   literal names, checked: `match` loads them natively
    x: list[int] = []             x = []; in a class body the annotation stays, as text
"""

# ruff: noqa: N802 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
from typing import Final, TypeAlias

from plataforma_sdk.sandbox.restricted._numbers import Knowledge, infer
from plataforma_sdk.sandbox.restricted._policy_base import Scope, count_work
from plataforma_sdk.sandbox.restricted._policy_flow import FlowPolicy
from plataforma_sdk.sandbox.restricted._scan import BINDS
from plataforma_sdk.sandbox.restricted._trees import STORE, call, children, choose, constant, name, place, walk

__all__ = ["Policy"]

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Policy(FlowPolicy):
    """The whole policy: an allow-list of syntax, and the rewriting that meters and guards what it allows."""

    # --- functions -----------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._function(node)

    def _function(self, node: _Function) -> ast.stmt:
        original = node.name
        node.name = self.rename(node, original, is_method=self.in_class_body)
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        self._defaults(node.args)
        knowledge = infer(node, self.known.bound)
        self._parameters(node, node.args)
        node.returns, node.type_comment = None, None
        self._drop_type_parameters(node)
        writes_self = _writes_self(node)
        self.scopes.append(Scope("function", knowledge, is_self_own=writes_self))
        node.body = self._body(node)
        self.scopes.pop()
        node.decorator_list.extend(self._engine_decorators(node, makes_generator=knowledge.makes_generator))
        return node

    def _engine_decorators(self, node: _Function, *, makes_generator: bool) -> list[ast.expr]:
        is_async = isinstance(node, ast.AsyncFunctionDef)
        added: list[str] = []
        if makes_generator:
            added.append("_genf_")
        elif is_async:
            added.append("_corof_")
        return [place(name(item), node) for item in added]  # type: ignore[misc]

    def _body(self, node: _Function) -> list[ast.stmt]:
        body = node.body
        first = body[0]
        head: list[ast.stmt] = []
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            head, body = [first], body[1:]
        if self.scope.is_self_own:
            is_foreign = ast.Compare(call("_type_", call("_type_", name("self"))), [ast.IsNot()], [name("_meta_")])
            check = ast.If(is_foreign, [ast.Expr(call("_w_", name("self")))], [])
            return [*head, self.burn(node), place(check, node), *self.statements(body)]  # type: ignore[list-item]
        return [*head, self.burn(node), *self.statements(body)]

    def _defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.visit(default) for default in arguments.defaults]
        arguments.kw_defaults = [default and self.visit(default) for default in arguments.kw_defaults]

    def _parameters(self, node: ast.AST, arguments: ast.arguments) -> None:
        for argument in children(arguments):
            if isinstance(argument, ast.arg):
                argument.arg = self.rename(node, argument.arg)
                argument.annotation, argument.type_comment = None, None

    def _drop_type_parameters(self, node: ast.AST) -> bool:
        """``def f[T](x: T)``: annotations are not evaluated, so the parameters have no use: tell whether any were."""
        has_some = bool(getattr(node, "type_params", None))
        if has_some:
            node.type_params = []  # type: ignore[attr-defined]
        return has_some

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in walk(node.body)):
            self.refuse(node, "lambda", "yield in a lambda", "write a function with def")
        self._defaults(node.args)
        self._parameters(node, node.args)
        # in the iterable of a comprehension ':=' is a syntax error, inside a lambda too
        parameters = frozenset(item.arg for item in children(node.args) if isinstance(item, ast.arg))
        inside = Knowledge(self.known.bound, local=parameters)
        self.scopes.append(Scope("function", inside, has_temporaries=self.scope.has_temporaries))
        work = count_work(node.body)
        body = self.visit(node.body)
        self.scopes.pop()
        node.body = choose(call("_burn_"), self.paid(body, work), constant(None))
        return node

    # --- classes -------------------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        own_name, node.name = node.name, self.rename(node, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg == "metaclass" or keyword.arg.startswith("_"):
                what = f"the class keyword {keyword.arg!r}" if keyword.arg else "keywords by ** in a class statement"
                self.refuse(node, "class-keyword", what, "leave it out; abc.ABC and enum.Enum work as bases")
            keyword.value = self.visit(keyword.value)
        is_generic = self._drop_type_parameters(node)
        self.scopes.append(Scope("class", Knowledge(self.known.bound)))
        self.classes.append(own_name)
        node.body = self.statements(node.body)
        self.classes.pop()
        self.scopes.pop()
        if is_generic:
            made = ast.Assign([name("__class_getitem__", STORE)], name("_generic_"))
            node.body.insert(0, place(made, node))  # type: ignore[arg-type]
        node.keywords.append(ast.keyword("metaclass", name("_meta_")))
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | list[ast.stmt]:
        if self.in_class_body and isinstance(node.target, ast.Name):
            node.annotation = constant(ast.unparse(node.annotation))
            node.target = self.visit(node.target)
            node.value = node.value and self.visit(node.value)
            return node
        if node.value is None:
            return place(ast.Pass(), node)  # type: ignore[return-value]
        return self.visit_Assign(place(ast.Assign([node.target], node.value), node))  # type: ignore[arg-type]

    # --- assignment ----------------------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        node.type_comment = None
        match node.targets:
            case [ast.Name(id="__slots__" | "__all__")]:
                return place(ast.Pass(), node)  # type: ignore[return-value]
            case [ast.Name(id="__match_args__")] if self.in_class_body:
                return self._match_arguments(node)
            case [ast.Subscript(value=container, slice=ast.Slice() as index)]:
                return self.set_slice(node, self.visit(node.value), self.visit(container), self.bounds(index))
        node.value = self.visit(node.value)
        later: list[ast.stmt] = []
        if len(node.targets) == 1 and any(
            isinstance(item, ast.Starred) for item in getattr(node.targets[0], "elts", ())
        ):
            node.value = call("_star_", node.value)
            node.targets = [self.elements(node.targets[0], later)]
            return [node, *later]
        for number, target in enumerate(node.targets):
            node.targets[number], statements = self.unpacked(target)
            later += statements
        return [node, *later] if later else node

    def _match_arguments(self, node: ast.Assign) -> ast.stmt:
        """Check ``__match_args__`` as the attributes of a pattern: names that are not written out cannot be checked."""
        elements = node.value.elts if isinstance(node.value, ast.Tuple) else [None]
        names = [item.value if isinstance(item, ast.Constant) else None for item in elements]
        if not all(isinstance(item, str) for item in names):
            self.refuse(node, "pattern", "__match_args__ is no tuple of literal names", "write ('x', 'y')")
            return node
        checked: list[ast.expr] = [constant(self.pattern_attribute(node, str(item))) for item in names]
        node.value = ast.Tuple(checked, ast.Load())
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        node.value, node.target = self.visit(node.value), self.visit(node.target)
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.stmt:
        node.targets = [self.visit(target) for target in node.targets]
        return node


def _writes_self(node: _Function) -> bool:
    """Whether a function with a parameter ``self`` sets attributes of it, and never rebinds it, itself or inside."""
    parameters = [item.arg for item in children(node.args) if isinstance(item, ast.arg)]
    if "self" not in parameters:
        return False
    has_writes = False
    for part in walk(node):
        kind = type(part)
        if kind is ast.Attribute:
            is_of_self = isinstance(part.value, ast.Name) and part.value.id == "self"  # type: ignore[attr-defined]
            has_writes = has_writes or (is_of_self and not isinstance(part.ctx, ast.Load))  # type: ignore[attr-defined]
        elif kind in _REBINDS and part is not node and "self" in _REBINDS[kind](part):
            return False
    return has_writes


_REBINDS: Final = {kind: binds for kind, binds in BINDS.items() if kind is not ast.arg}
