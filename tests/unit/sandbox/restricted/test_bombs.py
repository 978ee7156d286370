"""Structure that is shared 2**60 times costs what it costs, wherever C would walk it."""

# ruff: noqa: E501 - modules and expressions read best on one line

from __future__ import annotations

import pytest

from plataforma_sdk.sandbox.restricted._fuel import LimitReached
from tests.unit.sandbox.restricted.restricted_kit import Runner

BOMB = "bomb = [1]\nfor i in range(60):\n    bomb = [bomb, bomb]\n"
OTHER = "other = [1]\nfor i in range(60):\n    other = [other, other]\n"

LIMITED = {
    "bound method of an error": "class E(Exception):\n    def f(self):\n        pass\nrepr(E(bomb).f)",
    "str of an error by name": "class E(Exception):\n    pass\nE(bomb).__str__()",
    "str of an error by class": "class E(Exception):\n    pass\nE.__str__(E(bomb))",
    "str of an error by super": "class E(Exception):\n    def __str__(self):\n        return super().__str__()\nstr(E(bomb))",
    "str by a class of the module's": "class C:\n    pass\nC.__str__(bomb)",
    "unequal by a class of the module's": "class C:\n    pass\nC.__ne__(bomb, other)",
    "args set after the load": "class E(Exception):\n    def fill(self):\n        self.args = (bomb,)\ne = E()\nf = e.__str__\ne.fill()\nf()",
    "file name of an OSError": "str(OSError(1, 'm', bomb))",
    "views of an OrderedDict": "from collections import OrderedDict\nrepr(OrderedDict(x=bomb).values())",
    "comparison of an OrderedDict": "from collections import OrderedDict\nOrderedDict(x=bomb) == OrderedDict(x=other)",
    "alias in an Enum": "from enum import Enum\nclass E(Enum):\n    A = bomb\n    B = other",
    "look-up in an Enum": "from enum import Enum\nclass E(Enum):\n    A = bomb\nE(other)",
    "percent of a dict": "'%(x)s' % {'x': bomb}",
    "hash of records": "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass R:\n    a: int\n    b: int\nr = R(1, 1)\nfor i in range(60):\n    r = R(r, r)\nhash(r)",
    "repr of records": "from dataclasses import dataclass\n@dataclass\nclass R:\n    a: int\n    b: int\nr = R(1, 1)\nfor i in range(60):\n    r = R(r, r)\nrepr(r)",
    "percent of a dict, again and again": "'%(x)s' * 1_000 % {'x': 'a' * 4_000_000}",
}  # fmt: skip
REFUSED = {
    "except": "types = (ValueError,)\nfor i in range(60):\n    types = (types, types)\ntry:\n    raise KeyError()\nexcept types:\n    pass",
    "isinstance": "types = (int,)\nfor i in range(60):\n    types = (types, types)\nisinstance('x', types)",
    "slice": "slice(bomb)",
    "slice of an own class": "class C:\n    def __getitem__(self, key):\n        return key\nC()[bomb:]",
    "staticmethod": "staticmethod(bomb)",
    "percent of an own mapping": "class M:\n    def __getitem__(self, key):\n        return bomb\n'%(x)s' % M()",
    "percent of a defaultdict": "from collections import defaultdict\n'%(x)s' % defaultdict(lambda: bomb)",
    "separators": "import json\njson.dumps(1, separators=(bomb, ':'))",
    "type variable": "from typing import TypeVar\nTypeVar(bomb)",
}  # fmt: skip


@pytest.mark.parametrize("source", LIMITED.values(), ids=LIMITED)
def test_what_c_would_walk_is_weighed(source):
    """It ends by a limit, before C begins."""
    with pytest.raises(LimitReached):
        Runner().run(BOMB + OTHER + source)


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_nobody_needs_is_refused(source):
    """It is an ordinary error of the module."""
    with pytest.raises(TypeError):
        Runner().run(BOMB + source)


def test_an_unknown_codec_is_named():
    """The refusal of a codec shows a text as it is, and of anything else its type."""
    with pytest.raises(LookupError, match="'list'"):
        Runner().run(BOMB + "'x'.encode(bomb)")


WORKS = {
    "percent of a dict": ("'%(a)s-%(b)5.1f%%' % {'a': 'x', 'b': 2}", "x-  2.0%"),
    "percent of bytes": ("b'%(a)d' % {b'a': 3}", b"3"),
    "percent of a dict as a value": ("'%s' % {'a': 1}", "{'a': 1}"),
    "property": ("P().x", 3),
    "slice": ("slice(0, 2).stop", 2),
    "slice of an own class": ("P()['a':'b']", slice("a", "b")),
    "str of an error": ("E('x').__str__()", "x"),
    "isinstance": ("isinstance(1, (str, (int | None, list)))", True),
    "separators": ("json.dumps([1, 2], separators=(',', ':'))", "[1,2]"),
}
HEAD = """
import json
class E(Exception):
    pass
class P:
    def __getitem__(self, key):
        return key
    @property
    def x(self):
        return self.held
    @x.setter
    def x(self, value):
        self.held = value + 1
    def __init__(self):
        self.x = 2
"""


@pytest.mark.parametrize(("expression", "expected"), WORKS.values(), ids=WORKS)
def test_what_is_guarded_works(expression, expected):
    """The guards answer as Python does."""
    result = Runner().run(f"{HEAD}result = {expression}\n")["result"]

    assert result == expected
