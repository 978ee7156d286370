"""What the policy refuses is refused at load, with file, line, rule, reason and what to write instead."""

# ruff: noqa: E501 - modules read best on one line

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest

from plataforma_sdk.errors import PolicyError
from plataforma_sdk.sandbox.restricted import _policy_base, compile_source
from plataforma_sdk.sandbox.restricted._names import FORBIDDEN_NAMES
from plataforma_sdk.sandbox.restricted._policy_base import PolicyBase
from plataforma_sdk.sandbox.restricted._policy_classes import Policy

REFUSED = {
    "super rebound": ("def super():\n    pass", "super", "choose another name"),
    "super alone": ("x = super", "super", "super().method(...)"),
    "engine's prefix": ("p0_x = 1", "reserved-name", "choose another name"),
    "special name": ("x = __builtins__", "reserved-name", "the name of the builtin"),
    "special method": ("class A:\n    def __del__(self):\n        pass", "reserved-name", "context manager"),
    "reserved keyword": ("f(__x__=1)", "reserved-name", "rename the parameter"),
    "forbidden builtin": ("x = eval('1')", "forbidden-name", "json.loads"),
    "dunder attribute": ("x = ().__subclasses__", "dunder-attribute", "call the function that uses it"),
    "frame attribute": ("x = g.gi_frame", "frame-attribute", "keep what you need"),
    "star import": ("from math import *", "import", "name what you import"),
    "import of a special module": ("from __main__ import x", "import", "a module of the package"),
    "import of a special name": ("from math import __doc__ as x", "import", "a public name"),
    "exception groups": ("try:\n    pass\nexcept* ValueError:\n    pass", "syntax", "plain except"),
    "yield in a lambda": ("x = lambda: (yield)", "lambda", "write a function with def"),
    "metaclass": ("class A(metaclass=M):\n    pass", "class-keyword", "abc.ABC"),
    "match arguments": ("class A:\n    __match_args__ = x", "pattern", "('x', 'y')"),
    "method as a value in a pattern": ("match x:\n    case s.format:\n        pass", "pattern", "case value if value =="),
    "attributes of a builtin type in a pattern": ("match s:\n    case str(join=j):\n        pass", "pattern", "in the case's body"),
    "star in a class pattern": ("match s:\n    case A(x=[a, *b]):\n        pass", "pattern", "in the case's body"),
    "attribute of the machinery in a pattern": ("match s:\n    case A(mro=m):\n        pass", "pattern", "in the body of the case"),
    "slice as a target": ("x = [1 for a[1:] in b]", "unpacking", "in a loop"),
    "return in finally": ("def f():\n    try:\n        pass\n    finally:\n        return 1", "finally", "move the return behind it"),
    "'in' in a chain": ("class A:\n    x = [a for a in b if a < a in c]", "chained-in", "join two comparisons"),
    "a huge name": ("x" * 2_000 + " = 1", "size", "choose a shorter name"),
    "a huge number": ("x = 0x" + "f" * 20_000, "size", "in parts"),
    "a huge f-string": ("x = f'" + "{a}" * 9_000 + "'", "size", "join a list of texts"),
}  # fmt: skip


def refusal(source):
    with pytest.raises(PolicyError) as caught:
        compile_source(source, "vendas.py", module="vendas")
    return caught.value


@pytest.mark.parametrize(("source", "rule", "advice"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_names_file_line_rule_reason_and_what_to_write_instead(source, rule, advice):
    error = refusal(source)
    (fault, *_) = error.faults

    assert (error.file, error.rule, error.module) == ("vendas.py", rule, "vendas")
    assert fault.where.rpartition(":")[0] == "vendas.py"
    assert 1 <= int(fault.where.rpartition(":")[2]) <= source.count("\n") + 1
    assert fault.problem
    assert advice in fault.advice
    assert f"[{rule}] {fault.where}: {fault.problem}; {fault.advice}" in str(error)


@pytest.mark.parametrize("name", sorted(FORBIDDEN_NAMES))
def test_a_forbidden_builtin_has_an_advice_of_its_own_or_the_way_to_the_host(name):
    (fault,) = refusal(f"x = {name}").faults

    assert fault.problem == f"{name!r} is not available"
    assert len(fault.advice) > 10


def test_every_place_that_refuses_has_a_case(monkeypatch):
    """A rule without a case above fails here; so does a case that no longer reaches its rule."""
    reached = set()
    refuse = PolicyBase.refuse

    def watched(self, node, rule, problem, advice):
        caller = sys._getframe(1)
        reached.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
        refuse(self, node, rule, problem, advice)

    monkeypatch.setattr(PolicyBase, "refuse", watched)
    for source, _, _ in REFUSED.values():
        refusal(source)
    Policy("vendas.py", frozenset()).error(ast.Pass(lineno=1), "a rule of RestrictedPython's own.")

    missed = [
        place
        for place in places()
        if not any(file == place[0] and place[1] <= line <= place[2] for file, line in reached)
    ]
    assert missed == []


def places():
    """(file, first line, last line) of every call of ``self.refuse`` in the policy."""
    for path in sorted(Path(inspect.getfile(_policy_base)).parent.glob("_policy_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "refuse":
                yield path.name, node.lineno, node.end_lineno


def test_what_restrictedpython_refuses_itself_has_a_place_and_an_advice():
    policy = Policy("vendas.py", frozenset())
    policy.error(ast.Pass(lineno=7), "Something is not allowed.")
    unknown = ast.Interactive([])
    unknown.lineno = 9
    policy.not_allowed(unknown)

    assert [fault.where for fault in policy.faults] == ["vendas.py:7", "vendas.py:9"]
    assert policy.faults[0].problem == "Something is not allowed"
    assert all(fault.advice for fault in policy.faults)
    assert policy.rules == ["syntax", "syntax"]


def test_all_faults_of_a_file_are_told_at_once():
    sources = [source for source, rule, _ in REFUSED.values() if rule != "size"]
    error = refusal("\n".join(sources))

    assert len(error.faults) >= len(sources)
    assert {fault.where for fault in error.faults} > {"vendas.py:1", "vendas.py:3"}


def test_no_advice_is_empty_phrase():
    """Advice that fits every fault helps with none."""
    sources = [path.read_text("utf-8") for path in Path(inspect.getfile(_policy_base)).parent.glob("_policy_*.py")]

    assert not any("another way" in source or "another form" in source for source in sources)
