"""The 39 features by which sandboxes for Python are compared, in the restricted tier.

Source: the lab of the peers, which ran them in pydantic-monty, eryx and others.
"""

# ruff: noqa: E501 - a feature reads best on one line

from __future__ import annotations

import textwrap

import pytest

from plataforma_sdk.errors import GuestError, PolicyError

FEATURES = {
    'class': 'class A:\n    def __init__(s): s.x=1\n    def m(s): return s.x\nassert A().m()==1',
    'inherit': 'class A: pass\nclass B(A):\n    @property\n    def p(s): return 2\nassert B().p==2 and isinstance(B(),A)',
    'async': 'async def f(): return 1\nasync def g(): return await f()+1\nr=await g()\nassert r==2',
    'asyncclass': 'class M:\n    async def onLoad(self): self.x=1\n    async def render(self): return self.x\nm=M()\nawait m.onLoad()\nassert await m.render()==1',
    'gather': 'import asyncio\nasync def f(x): return x\nr=await asyncio.gather(f(1),f(2))\nassert list(r)==[1,2]',
    'gen': 'def g():\n    yield 1\n    yield 2\nassert list(g())==[1,2]',
    'dataclass': 'import dataclasses\n@dataclasses.dataclass\nclass P:\n    x:int\n    y:int=2\nassert P(1).y==2',
    'json': 'import json\nassert json.loads(json.dumps({"a":[1,2.5,None]}))=={"a":[1,2.5,None]}',
    're': 'import re\nassert re.sub(r"\\d+","N","a1b22")=="aNbN"',
    'match': 'def f(x):\n    match x:\n        case {"k": v}: return v\n        case [a,*b]: return b\n        case _: return 0\nassert f({"k":3})==3',
    'with': 'class C:\n    def __enter__(s): return 5\n    def __exit__(s,*a): return True\nwith C() as v: assert v==5',
    'try/finally': 'x=[]\ntry:\n    1/0\nexcept ZeroDivisionError as e: x.append(1)\nfinally: x.append(2)\nassert x==[1,2]',
    'decorator/closure': 'def d(f):\n    def w(*a,**k): return f(*a,**k)+1\n    return w\n@d\ndef f(x): return x\nassert f(1)==2',
    'fstring': 'assert f"{3.14159:.2f}"=="3.14"',
    'walrus/comp': 'assert [y for x in range(3) if (y:=x*2)]==[2,4]',
    'set/dictcomp': 'assert {x:x for x in {1,2}}=={1:1,2:2}',
    'collections': 'import collections\nassert collections.Counter("aab")["a"]==2',
    'itertools': 'import itertools\nassert list(itertools.chain([1],[2]))==[1,2]',
    'datetime': 'import datetime\nassert datetime.datetime(2020,1,1).year==2020',
    'datetime.now': 'import datetime\ndatetime.datetime.now()',
    'math': 'import math\nassert math.sqrt(4)==2',
    'enum': 'import enum\nclass E(enum.Enum):\n    A=1\nassert E.A.value==1',
    'abc': 'import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\n',
    'metaclass/__getattr__': 'class A:\n    def __getattr__(s,n): return n\nassert A().foo=="foo"',
    'operator dunder': 'class V:\n    def __init__(s,x): s.x=x\n    def __add__(s,o): return V(s.x+o.x)\nassert (V(1)+V(2)).x==3',
    'hashlib': 'import hashlib\nhashlib.sha256(b"x").hexdigest()',
    'random': 'import random\nrandom.random()',
    'csv': 'import csv',
    'xml': 'import xml.etree.ElementTree',
    'decimal': 'import decimal\nassert decimal.Decimal("1.1")+1',
    'typing generics': 'from typing import Generic,TypeVar\nT=TypeVar("T")\nclass A(Generic[T]): pass',
    'bigint': 'assert 2**200>0',
    'star-args': 'def f(a,*b,c=1,**d): return (a,b,c,d)\nassert f(1,2,3,c=4,e=5)==(1,(2,3),4,{"e":5})',
    'del/global': 'x=1\ndef f():\n    global x\n    x=2\nf()\nassert x==2',
    'slots/super': 'class A:\n    def f(s): return 1\nclass B(A):\n    def f(s): return super().f()+1\nassert B().f()==2',
    'lambda sort': 'assert sorted([3,1],key=lambda v:-v)==[3,1]',
    'exc group': 'try:\n    raise ExceptionGroup("x",[ValueError()])\nexcept* ValueError: pass',
    'async gen': 'async def g():\n    yield 1\nr=[x async for x in g()]\nassert r==[1]',
    'bytes/struct': 'import struct\nassert struct.pack("<I",1)==b"\\x01\\0\\0\\0"',
}  # fmt: skip
REFUSED = {
    "xml": (GuestError, "'xml.etree.ElementTree' is not available in the restricted tier"),
    "exc group": (PolicyError, "catch the exceptions one by one"),
}
"""Feature -> how it is refused: a parser of XML that expands entities, and groups, which CVE-2025-22153 is about."""

MODULE = """
from plataforma_sdk import ModuleFramework, ui
class Vendas(ModuleFramework):
    async def on_load(self):
        pass
    def render(self):
        return ui.text('x')
    async def main(self):
"""


def module(feature):
    """A feature as the body of a method, where its globals are the method's."""
    body = FEATURES[feature].replace("global x", "nonlocal x")
    return MODULE + textwrap.indent(body, "        ") + "\n"


def test_at_least_36_of_39_features_are_there():
    assert len(FEATURES) == 39
    assert len(FEATURES) - len(REFUSED) >= 36


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_works_or_is_refused_on_purpose(feature, load, run):
    async def main():
        loaded = await load(source=module(feature))
        await loaded.call("main")

    if feature in REFUSED:
        kind, text = REFUSED[feature]
        with pytest.raises(kind, match=text):
            run(main())
    else:
        run(main())
