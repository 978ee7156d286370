"""Loops, comprehensions, exceptions, `with` and `match`.

::

    for x in xs: B          for x in _compress_(xs, _fuel_): B
    ... of a private list   for x in _listed_(xs): B                whose turns are known before; see `_private_lists`
    for i in range(n): B    for i in _counted_(n): B                turns are charged before, the range stays native
    ... with a break in B   for i in _stepped_(n): B                charged in stretches that grow
    while c: B              for _w in _fuel_:                       (with `else`, a burn at the head of the body)
                                if not c: break
                                B
                            else: _dead_()
    except E: B             except _exc_(E): B                      only Exception, and never past a limit
    for a, *b in xs: B      for t in ...: a, *b = _star_(t); B      a range of a billion would be made a list
    i, (a, *b) = x          i, t = x; a, *b = _star_(t)
    case [a, *b]            match _matched_(x): ...                 what is copied is charged
    case {K.a: v}           match _keyed_(x, t := _keys_(K.a)): case {t.k0: v}
    finally: B              finally: for _w in _fuel_: B; break     skipped where a limit passes through
    finally: return         refused: it would swallow a limit
    [f(x) + y for x in xs]  [t if type(t) is int ... for x in ... for t in [f(x) + y]]      see `_bind_first`
    (x for x in g)          _gn_(x for x in _compress_(_gs_(g), _fuel_))     nesting of lazy iterators is counted
"""

# ruff: noqa: N802, N815 - visitors are named after the nodes; notes are left on nodes

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeAlias

import attrs

from plataforma_sdk.sandbox.restricted._names import is_frame_attribute
from plataforma_sdk.sandbox.restricted._policy_base import Scope, count_work
from plataforma_sdk.sandbox.restricted._policy_calls import BUILTIN_TYPES, CallPolicy
from plataforma_sdk.sandbox.restricted._private_lists import appends_to
from plataforma_sdk.sandbox.restricted._scan import walk_scope
from plataforma_sdk.sandbox.restricted._trees import STORE, call, children, constant, is_call_to, name, place, walk

__all__ = ["FlowPolicy"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

_LEAVES = (ast.Break, ast.Return, ast.Yield, ast.YieldFrom)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class FlowPolicy(CallPolicy):
    """The part of the policy that meters control flow."""

    # --- loops ---------------------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test = self.visit(node.test)
        node.body, node.orelse = self.statements(node.body), self.statements(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.stmt:
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        work = count_work(node.test)
        test, body = self.paid(self.visit(node.test), work), self.statements(node.body)
        if node.orelse:
            node.test, node.body, node.orelse = test, [self.burn(node), *body], self.statements(node.orelse)
            return node
        head: list[ast.stmt] = []
        if not is_endless:
            head = [place(ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], []), node)]  # type: ignore[list-item]
        loop = ast.For(name("_w", STORE), name("_fuel_"), head + body, [ast.Expr(call("_dead_"))])
        return place(loop, node)  # type: ignore[return-value]

    def visit_For(self, node: ast.For) -> ast.stmt:
        may_stop = any(isinstance(part, _LEAVES) for part in walk_scope(node.body))
        node.iter = self._metered(node.iter, None if may_stop else node.body)
        node.target, unpacking = self.unpacked(node.target)
        node.body, node.orelse = [*unpacking, *self.statements(node.body)], self.statements(node.orelse)
        node.type_comment = None
        return node

    def unpacked(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """Transform a target; what takes an iterable to its end becomes a statement of its own, behind a guard.

        ``i, (a, *b)`` -> ``i, t`` then ``a, *b = _star_(t)``; ``x[1:], i`` -> ``t, i``, ``_set_slice_(t, x, 1, ...)``.
        """
        statements: list[ast.stmt] = []
        return self._target(target, statements), statements

    def _target(self, target: ast.expr, later: list[ast.stmt]) -> ast.expr:
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
            held = self.temporary()
            container = self.visit(target.value)
            later.append(self.set_slice(target, name(held), container, self.bounds(target.slice)))
            return place(name(held, STORE), target)  # type: ignore[return-value]
        if isinstance(target, ast.Tuple | ast.List) and any(isinstance(item, ast.Starred) for item in target.elts):
            held = self.temporary()
            deeper: list[ast.stmt] = []
            inner = self.elements(target, deeper)
            later += [place(ast.Assign([inner], call("_star_", name(held))), target), *deeper]  # type: ignore[list-item]
            return place(name(held, STORE), target)  # type: ignore[return-value]
        return self.elements(target, later)

    def elements(self, target: ast.expr, later: list[ast.stmt]) -> ast.expr:
        """Transform the parts of a target, one by one."""
        if isinstance(target, ast.Starred):
            target.value = self._target(target.value, later)
            return target
        if isinstance(target, ast.Tuple | ast.List):
            target.elts = [self._target(item, later) for item in target.elts]
            return target
        return self.visit(target)  # type: ignore[no-any-return]

    def _metered(self, iterable: ast.expr, body: Sequence[ast.AST] | None) -> ast.expr:
        """Transform what a loop iterates over into what burns a unit a turn; `body` is None where it may stop early."""
        if self.known.is_range(iterable):
            arguments: list[ast.expr] = iterable.args  # type: ignore[attr-defined]
            if arguments and not any(isinstance(item, ast.Starred) for item in arguments) and not iterable.keywords:  # type: ignore[attr-defined]
                return call("_stepped_" if body is None else "_counted_", *[self.visit(item) for item in arguments])
        if body is not None and self.known.is_list(iterable) and not appends_to(iterable.id, body):  # type: ignore[attr-defined]
            return call("_listed_", self.visit(iterable))
        return call("_compress_", self.visit(iterable), name("_fuel_"))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.stmt:
        node.iter = self.visit(node.iter)
        node.target, unpacking = self.unpacked(node.target)
        node.body = [self.burn(node), *unpacking, *self.statements(node.body)]
        node.orelse = self.statements(node.orelse)
        return node

    # --- comprehensions ------------------------------------------------------------------------------------------

    def _iterable(self, node: ast.comprehension, body: Sequence[ast.AST] | None) -> ast.expr:
        self.scopes.append(attrs.evolve(self.scope, has_temporaries=False))
        iterable: ast.expr
        if node.is_async:
            iterable = call("_acompress_", self.visit(node.iter), name("_fuel_"))
        else:
            iterable = self._metered(node.iter, body)
        self.scopes.pop()
        return iterable

    def _generators(self, node: _Comprehension) -> None:
        """Transform the ``for`` clauses and enter the scope inside; the first iterable belongs to the scope outside."""
        has_temporaries = not self.in_class_body and self.scope.has_temporaries
        inside = Scope("comprehension", self.known.inside(node), has_temporaries=has_temporaries)
        body = None if isinstance(node, ast.GeneratorExp) else [node]
        first = self._iterable(node.generators[0], body)
        self.scopes.append(inside)
        generators: list[ast.comprehension] = []
        for number, generator in enumerate(node.generators):
            generator.iter = self._iterable(generator, body) if number else first
            generators.extend(self._generator(generator))
        node.generators = generators

    def _generator(self, node: ast.comprehension) -> list[ast.comprehension]:
        """Transform target and tests; ``for a, *b in rows`` -> ``for t in rows for a, *b in (_star_(t),)``."""
        target, statements = self.unpacked(node.target)
        made = [ast.comprehension(target, node.iter, [], node.is_async)]
        for statement in statements:
            if isinstance(statement, ast.Assign):
                once = ast.Tuple([statement.value], ast.Load())
                made.append(ast.comprehension(statement.targets[0], once, [], 0))
            else:
                advice = "assign to the slice in a loop"
                self.refuse(node.target, "unpacking", "a slice as the target of a comprehension", advice)
        made[-1].ifs = [self.visit(test) for test in node.ifs]
        return made

    def _comprehend(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> ast.expr:
        work = count_work(node.elt) + _work_of_tests(node.generators)
        self._generators(node)
        is_scalar = self.known.is_scalar(node.elt)
        node.elt = self.paid(self.visit(node.elt), work)
        if isinstance(node, ast.SetComp) and not is_scalar:
            node.elt = self.key(node.elt)
        _bind_first(node.elt, node.generators)
        self.scopes.pop()
        return node

    visit_ListComp = visit_SetComp = _comprehend

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        work = count_work(node.key) + count_work(node.value) + _work_of_tests(node.generators)
        self._generators(node)
        is_scalar = self.known.is_scalar(node.key)
        node.key, node.value = self.paid(self.visit(node.key), work), self.visit(node.value)
        if not is_scalar:
            node.key = self.key(node.key)
        _bind_first(node.key, node.generators)
        self.scopes.pop()
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        self._comprehend(node)
        first = node.generators[0].iter
        assert isinstance(first, ast.Call)  # noqa: S101
        if is_call_to(first, "_stepped_"):
            node.generators[0].iter = call("_gs_", first)
        else:
            first.args[0] = call("_gs_", first.args[0])
        return place(call("_gn_", node), node)  # type: ignore[return-value]

    # --- exceptions ----------------------------------------------------------------------------------------------

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        node.body, node.orelse = self.statements(node.body), self.statements(node.orelse)
        for statement in node.finalbody:
            self._check_leaves(statement, in_loop=False)
        node.finalbody = self._finally(node)
        for handler in node.handlers:
            caught = name("_Exception_") if handler.type is None else self.visit(handler.type)
            handler.type = place(call("_exc_", caught), handler)  # type: ignore[assignment]
            handler.name = self.rename(handler, handler.name)
            handler.body = self.statements(handler.body)
        return node

    def _finally(self, node: ast.Try) -> list[ast.stmt]:
        """Write the block as a loop of one turn: after a limit no loop of the module turns, so nothing of it runs."""
        if not node.finalbody:
            return []
        body = [*self.statements(node.finalbody), ast.Break()]
        return [place(ast.For(name("_w", ast.Store()), name("_fuel_"), body, []), node)]  # type: ignore[list-item]

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        node.exc = node.exc and call("_raised_", self.visit(node.exc))
        node.cause = node.cause and self.visit(node.cause)
        return node

    def _check_leaves(self, node: ast.AST, *, in_loop: bool) -> None:
        """Refuse what would leave a ``finally`` block early, and so swallow the limit that is passing through."""
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not in_loop):
            word = type(node).__name__.lower()
            self.refuse(node, "finally", f"{word!r} in a finally block swallows errors", f"move the {word} behind it")
        if isinstance(node, _FUNCTIONS):
            return
        in_loop = in_loop or isinstance(node, ast.For | ast.While | ast.AsyncFor)
        inner = node.finalbody if isinstance(node, ast.Try) else ()  # which checks itself
        for child in children(node):
            if child not in inner:
                self._check_leaves(child, in_loop=in_loop)

    def visit_With(self, node: ast.With) -> ast.stmt:
        return self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.stmt:
        return self._with(node)

    def _with(self, node: ast.With | ast.AsyncWith) -> ast.stmt:
        for number, item in enumerate(node.items, 1):
            item.context_expr = self.visit(item.context_expr)
            if item.optional_vars is None:
                continue
            item.optional_vars, unpacking = self.unpacked(item.optional_vars)
            if unpacking:  # before what follows is evaluated: `with a as (b, *c), d(c): B` becomes two statements
                rest = type(node)(node.items[number:], node.body)
                inner = [self._with(place(rest, node))] if rest.items else self.statements(node.body)  # type: ignore[arg-type]
                node.items, node.body = node.items[:number], [*unpacking, *inner]
                break
        else:
            node.body = self.statements(node.body)
        node.type_comment = None
        return node

    def visit_Await(self, node: ast.Await) -> ast.expr:
        node.value = self.visit(node.value)
        return node

    # --- match ---------------------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> ast.stmt:
        compares = any(
            isinstance(part, ast.MatchValue) and not isinstance(part.value, ast.Constant) for part in walk(node)
        )
        copies = any(isinstance(part, ast.MatchStar) or getattr(part, "rest", None) for part in walk(node))
        values = sum(1 for part in walk(node) if isinstance(part, ast.MatchValue | ast.MatchMapping | ast.MatchClass))
        node.subject = self.paid(self.visit(node.subject), values)
        if compares:
            node.subject = call("_compared_", node.subject, constant(values))
        if copies:
            node.subject = call("_matched_", node.subject)
        self.hold_keys(node)
        for case in node.cases:
            case.pattern = self.visit(case.pattern)
            if case.guard is not None:
                work = count_work(case.guard)
                case.guard = self.paid(self.visit(case.guard), work)
            case.body = self.statements(case.body)
        return node

    def _patterns(self, patterns: list[ast.pattern]) -> list[ast.pattern]:
        return [self.visit(pattern) for pattern in patterns]

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.pattern:
        if isinstance(node.value, ast.Attribute):
            self.check_value_pattern(node.value)
        return node

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.pattern:
        return node

    def visit_MatchSequence(self, node: ast.MatchSequence) -> ast.pattern:
        node.patterns = self._patterns(node.patterns)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.pattern:
        node.patterns = self._patterns(node.patterns)
        node.rest = self.rename(node, node.rest)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.pattern:
        if isinstance(node.cls, ast.Name) and node.cls.id in BUILTIN_TYPES and self.known.is_builtin(node.cls.id):
            if node.kwd_attrs:  # would hand out the bound methods of builtin types
                self.refuse(
                    node, "pattern", f"attributes of {node.cls.id} in a pattern", "read them in the case's body"
                )
            node.cls = name(f"_ty_{node.cls.id}_")
        else:
            node.cls = self._pattern_class(node.cls)
        if any(isinstance(part, ast.MatchStar) or getattr(part, "rest", None) for part in walk(node)):
            advice = "capture the attribute, and match it in the case's body"
            self.refuse(node, "pattern", "a starred pattern inside a class pattern", advice)
        node.kwd_attrs = [self.pattern_attribute(node, attribute) for attribute in node.kwd_attrs]
        node.patterns, node.kwd_patterns = self._patterns(node.patterns), self._patterns(node.kwd_patterns)
        return node

    def _pattern_class(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Attribute):
            self.check_value_pattern(node)
            return node
        return self.visit(node)  # type: ignore[no-any-return]

    def pattern_attribute(self, node: ast.AST, attribute: str) -> str:
        """Check an attribute that ``match`` loads natively, and return what it is called inside."""
        is_private = attribute.startswith("__")  # Python takes the name as it stands here, and no class has it so
        if is_private or attribute in _PATTERN_REFUSED or is_frame_attribute(attribute):
            self.refuse(node, "pattern", f"the attribute {attribute!r} in a pattern", "read it in the body of the case")
        return self.check_attribute(node, attribute)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.pattern:
        node.name = self.rename(node, node.name)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.pattern:
        node.name = self.rename(node, node.name)
        node.pattern = node.pattern and self.visit(node.pattern)
        return node

    def visit_MatchOr(self, node: ast.MatchOr) -> ast.pattern:
        node.patterns = self._patterns(node.patterns)
        return node


def _bind_first(first: ast.AST, generators: list[ast.comprehension]) -> None:
    """Bind the temporary that an element or key begins with by a clause: ``:=`` makes a cell of it in the function.

    ``[t if f(t := x + 1) else g(t) for x in xs]`` -> ``[t if f(t) else g(t) for x in xs for t in [x + 1]]``, which
    CPython compiles to a plain assignment, and only where the iterable may stand: ``:=`` in it is a syntax error.
    """
    while isinstance(first, ast.IfExp | ast.BoolOp | ast.Compare):
        first = getattr(first, "test", None) or getattr(first, "left", None) or first.values[0]  # type: ignore[union-attr]
    if not is_call_to(first, "_type_", "_len_"):
        return
    match first:
        case ast.Call(args=[ast.NamedExpr(target=target, value=value)]):
            if not any(isinstance(part, ast.NamedExpr) for part in walk(value)):
                first.args = [name(target.id)]
                generators.append(ast.comprehension(target, ast.List([value], ast.Load()), [], 0))


def _work_of_tests(generators: list[ast.comprehension]) -> int:
    """Count the work of the tests, which run also where no element comes of it: each is paid for like an element."""
    return sum(count_work(test) for generator in generators for test in generator.ifs)


_PATTERN_REFUSED = frozenset(["obj", "object", "mro", "fget", "fset", "fdel", "format", "mapping"])
