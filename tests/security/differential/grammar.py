"""What generated programs are made of: templates of expressions and statements, by the kind of what they yield.

A hole is written ``<kind>``: ``<int> + <int>``. ``<kind+v>`` may use the name ``v`` as an int besides; ``<kind!>`` stands
where ``:=`` is a syntax error; ``<kind.name>`` takes a name or a short literal, since f-strings of Python 3.11 hold no
nested quotes. A line that is nothing but ``<block>`` or ``<loop>`` becomes indented statements; `<loop>` may break.

Names are fixed for each kind, and every scope begins by binding all of them, so most programs run far.
"""

# ruff: noqa: E501 - templates are parted by hand, as many on a line as belong together

from __future__ import annotations

from typing import Final

__all__ = ["ARITHMETIC", "EXPRESSIONS", "LEAVES", "MEMBERS", "NAMES", "STATEMENTS"]

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "int": ("i", "j", "k", "w"),
    "float": ("f", "g"),
    "str": ("s", "t", "_private"),
    "bytes": ("b",),
    "list": ("l", "m"),
    "tuple": ("p",),
    "dict": ("d", "e"),
    "set": ("x", "y"),
    "bool": ("z",),
    "obj": ("o", "q"),
    "num": ("a", "c", "h"),
    "small": (),
    "any": ("i", "f", "s", "b", "l", "p", "d", "x", "z", "o", "none"),
}

LEAVES: Final[dict[str, tuple[str, ...]]] = {
    "int": ("0", "1", "2", "3", "7", "-1", "-5", "100", "2**40", "123456789012345678901", "True"),
    "small": ("0", "1", "2", "3", "-1", "-2"),
    "float": ("0.5", "1.0", "-2.25", "1e10", "float('inf')", "0.1"),
    "str": ("''", "'a'", "'abc'", "'a,b,c'", "' Hi '", "'%s'", "'ß é'", "'12'"),
    "bytes": ("b''", "b'ab'", "b'a,b'", "bytes([1, 2])"),
    "list": ("[]", "[1, 2, 3]", "[5, 4]", "list(range(4))", "[0]"),
    "tuple": ("()", "(1,)", "(1, 2)", "(1, 'a')"),
    "dict": ("{}", "{'a': 1}", "{'a': 1, 'b': 2}", "dict(k=3)"),
    "set": ("set()", "{1, 2}", "{3}", "frozenset([1, 4])"),
    "bool": ("True", "False"),
    "obj": ("C0()", "C1(2)", "Ctx()"),
    "num": ("0", "1", "2", "3", "5", "10", "255", "-1", "1.5"),
    "any": ("None", "1", "'a'", "[1]", "2.5", "(1, 2)", "{'a': 1}", "True", "..."),
}

_INT: Final = """
<int> + <int>|<int> - <int>|i * (i := <int>)|<int> * <any>|<int> * <int>|<int> // <int>|<int> % <int>|<int> & <int>|<int> ^ <int>|<int> \x00 <int>
<int> << <bool>|<int> >> <small>|<int> ** 2|-<int>|~<int>|abs(<int>)|(<int>)|len(<list>)|len(<str>)|len(<dict>)
int(<str>)|int(<float.name>)|sum(<list>)|<list>[<small>]|<dict>['a']|<dict>.get(<str>, <int>)|<int> if <bool> else <int>
(w := <int>)|trace(<int>)|trace(<int>) + trace(<int>)|max(<int>, <int>)|min(<list>, default=<int>)|<list>.count(<int>)
<list>.index(<int>)|<str>.find(<str>)|(lambda v: <int+v>)(<int>)|(lambda v=<int!>, *u: v + len(u))(*<list>)
divmod(<int>, <int>)[0]|next(iter(<list>), <int>)|<obj>.n|<obj>.m(<int>)|<obj>.v|f0(<int>)|f1(<int>, s=<str>)
f1(*<list>)|f1(**<dict>)|next(g0(<small>))|sum(v * v for v in <list!>)|ord(<str>[:1] or 'q')|<tuple>[<small>]|<bytes>[0]
pow(<int>, 2, 7)|round(<float>)|<int>.bit_length()|hash(<str>) == hash(<str>)|sum(g0(<small>), <int>)|<int> or <int>
<int> and <int>|reduced(<list>)|sum([<int+v> for v in <list!> if <bool+v>])|drive(a0(<int>))|<list>.pop()|<dict>.pop('a', <int>)
"""
_FLOAT: Final = """
<float> + <float>|<float> * <int>|<float> / <int>|<int> / <int>|<float> - <int>|float(<int>)|round(<float>, <small>)
<float> // <float>|<float> % <float>|-<float>|<float> ** <small>|abs(<float>)|max(<float>, <int>)|sum([<float>, <int>])
"""
_STR: Final = """
<str> + <str>|<str> * <small>|str(<any>)|repr(<any>)|f'{<int.name>}'|f'{<any.name>!r:>12}'|f'{<float.name>:.{<int.name>}f}'
f'{<str.name>}-{<int.name>:05d}|{<list.name>}'|f'{<int.name>=}'|f'{<bool.name>:{<str.name>}}'|<str>[<small>:<small>]
<str>[::<small>]|<str>[<small>]|<str>.upper()|<str>.strip()|<str>.replace(<str>, <str>)|<str>.title()|<str>.lower().swapcase()
','.join(<list>)|','.join([str(v) for v in <list!>])|','.join(map(str, <list>))|'%s:%5.2f' % (<any>, <float>)|'%d' % <int>
'%s' % <any>|'{}-{:>4}'.format(<any>, <int>)|'{a!r}'.format(a=<any>)|<str>.center(<int.name>, '*')|<str>.rjust(7)
chr(97 + <int> % 26)|<str> or <str>|<str> if <bool> else <str>|format(<int>, '>8,')|trace(<str>)|<bytes>.decode()
<str>.partition(',')[<small>]|<str>.zfill(4)|<str>.removeprefix(<str>)|type(<any>).__name__|ascii(<str>)|hex(<int>)
<str>.lstrip('a').rstrip(<str>)|(lambda v: <str+v>)(<int>)|<str> % <any>|<str>.format(<any>)|sorted(<dict>, reverse=bool(<bool>))[0]
"""
_BYTES: Final = """
<bytes> + <bytes>|<bytes> * <small>|<bytes>[<small>:<small>]|<str>.encode()|bytes(<list>)|<bytes>.upper()|b'%d' % <int>
<bytes>.replace(b'a', <bytes>)|<bytes>.join([<bytes>, <bytes>])|bytes(<small>)|<bytes>.strip()
"""
_LIST: Final = """
<list> + <list>|<list> * <small>|<list>[<small>:<small>]|<list>[::<small>]|[<int>, <int>]|[*<list>, <int>]|[*<str>]|sorted(<list>)
sorted(<list>, key=lambda v: <int+v>)|sorted(<list>, key=lambda v: -v, reverse=bool(<bool>))|list(<any>)|list(map(lambda v: <int+v>, <list>))
list(filter(None, <list>))|list(zip(<list>, <str>))|list(enumerate(<list>, <int>))|list(reversed(<list>))|[v for v in <list!>]
[<int+v> for v in <list!> if <bool+v>]|[u + v for u in <list!> for v in range(2) if u]|[<str+v> for v in range(<small!>)]
[[u for u in range(v % 4)] for v in <list!>]|[v for v in g0(<small!>)]|list(g0(<int.name>))|list(<dict>.items())|sorted(<set>)
<str>.split(',')|<str>.split()|list(<dict>)|list(<obj>)|drive(a1(<small>))|trace(<list>)|[trace(<int>), trace(<str>), trace(<int>)]
list(v for v in <list!> if v)|[w := <int>, w + 1]|<list>.copy()|[(u, v) for u, *v in [<list!>, <str!>]]|<list> or <list>
list(iter(<list>))|list(range(<int.name>, <int.name>, 2))[:5]|[f0(v) for v in <list!>]|<str>.splitlines(True)|[*map(str, <list>)]
"""
_TUPLE: Final = """
<tuple> + <tuple>|<tuple> * 2|(<int>, <str>)|(*<list>, <int>)|tuple(<list>)|<tuple>[1:]|divmod(<int>, <int>)|<tuple> or <tuple>
<str>.partition(<str>)|(trace(<int>), trace(<int>))|tuple(v for v in <tuple!>)|tuple(<obj>)|(<any>, <any>)
"""
_DICT: Final = """
{'a': <int>, **<dict>}|{**<dict>, 'b': <int>}|{str(v): v for v in <list!>}|dict(<dict>, c=<int>)|dict(zip(<str>, <list>))
<dict> \x00 <dict>|<dict>.copy()|{<str>: <int>}|{v: u for u, v in enumerate(<str!>)}|dict([('a', <int>)])|dict.fromkeys(<str>, <int>)
{<str+v>: <int+v> for v in <list!> if v}|{(1, <int>): trace(<int>), trace(<str>): 2}|kw(**<dict>)|kw(a=<int>, **<dict>)
"""
_SET: Final = """
<set> - <set>|<set> \x00 <set>|<set> & <set>|<set> ^ <set>|set(<list>)|{<int>, <int>}|{v % 3 for v in <list!>}|frozenset(<list>)
<set>.union(<list>)|<set>.difference(<list>)|{*<list>}|<set>.copy()|set(g0(<small>))|set(<any>)
"""
_BOOL: Final = """
<int> < <int>|<int> <= <int> < <int>|<any> == <any>|<any> != <any>|<int> in <list>|<str> in <str>|<str> not in <dict>|not <any>
<bool> and <bool>|<bool> or <bool>|isinstance(<any>, int)|isinstance(<any>, (str, list))|any(v > 1 for v in <list!>)|all(<list>)
<any> is None|<any> is not <any>|<list> < <list>|<any> < <any>|trace(<int>) < trace(<int>) < trace(<int>)|<set> <= <set>
<str>.startswith(<str>)|<str>.isdigit()|bool(<any>)|callable(<any>)|<obj> == <obj>|<obj> < <obj>|<int> in <obj>|<tuple> == <tuple>
hasattr(<any>, 'n')|issubclass(C1, C0)|<int> == <float> != <int>|<any> in <list>|<any> in <tuple>|<float> >= <int>|<obj> != <any>
isinstance(<obj>, C0)|<any> in <dict>|<any> in <any>|(<int> > <int>) is <bool>|<dict> == <dict>|<set> == <set>|<str> < <str>
"""
_OBJ: Final = """
<obj> + <int>|C0(<int>)|C1(n=<int>)|C1(<any>)|-<obj>|<obj> * 2|<obj>.own()|trace(<obj>)|<obj> if <bool> else <obj>|C1.make(<int>)
"""
_NUM: Final = """
<num> + <num>|<num> - <num>|<num> * <any>|<any> * <num>|<num> * (a := <num>)|<num> * 3|<num> * <num>|<num> // 7|<num> % 5|<num> & 255|<num> \x00 <num>|<num> ^ <num>|<num> << 2|<num> >> 1
-<num>|<num> if <num> > <num> else <num>|<num> / 4|<num> // <num>|<num> % <num>|<num> ** 2|len(s)|(<num> == <num>) + 1|~<num>
not <num>|<num> < <num> < <num>|r * <num>|r + r|<num> and <num>|abs(<num>)
"""


def _split(text: str) -> tuple[str, ...]:
    """Templates are parted by ``|``; the operator itself is written as NUL."""
    return tuple(part.replace("\x00", "|") for line in text.strip().splitlines() for part in _parts(line))


def _parts(line: str) -> list[str]:
    """Part at ``|`` that stands outside of quotes."""
    parts, quoted = [""], False
    for character in line:
        quoted ^= character == "'"
        if character == "|" and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


EXPRESSIONS: Final[dict[str, tuple[str, ...]]] = {
    "int": _split(_INT), "float": _split(_FLOAT), "str": _split(_STR), "bytes": _split(_BYTES), "list": _split(_LIST),
    "tuple": _split(_TUPLE), "dict": _split(_DICT), "set": _split(_SET), "bool": _split(_BOOL), "obj": _split(_OBJ),
    "num": _split(_NUM),
}  # fmt: skip

STATEMENTS: Final[tuple[str, ...]] = (
    "<=int> = <int>", "<=str> = <str>", "<=list> = <list>", "<=dict> = <dict>", "<=set> = <set>", "<=tuple> = <tuple>",
    "<=float> = <float>", "<=obj> = <obj>", "<=bool> = <bool>", "<=bytes> = <bytes>", "none = <any>",
    "i = j = trace(<int>)", "i, j = j, i", "i, *l = <list>", "*l, i = <any>", "(i, (j, *l)), k = (<int>, <list>), <int>",
    "<=list>[<small>], i = <int>, <int>", "i, s = <tuple>", "[i, j] = <list>", "l[<small>:<small>] = <any>", "l[::2] = <list>",
    "i += <int>", "i -= <int>", "i *= <small>", "i //= <int>", "i %= <int>", "i **= 2", "i <<= <bool>", "i >>= <small>",
    "i &= <int>", "i |= <int>", "i ^= <int>", "f += <float>", "f /= <int>", "f *= <float>", "s += <str>", "s *= <small>",
    "s %= <any>", "l += <any>", "l *= <small>", "p += <tuple>", "d |= {**<dict>}", "x |= <set>", "x -= <set>", "x &= <set>", "x ^= <set>",
    "b += <bytes>", "none += <any>", "l[<small>] += <int>", "l[trace(<small>)] *= trace(<int>)", "d['a'] -= <int>",
    "d[trace(<str>)] += trace(<int>)", "o.n += <int>", "o.v -= <int>", "o.n = <any>", "o.v = <int>", "o._p = <int>", "o.n *= <small>",
    "l[1:2] += <list>", "m = l\nm += <list>", "m = l\nl[<small>] |= <int>", "l[i % 2] //= (i := <int>)", "y = x\ny |= {9}",
    "del l[<small>]", "del l[<small>:]", "del d[<str>]", "del o.n", "del i\ni = 1", "l.append(<int>)", "l.extend(<any>)", "l.sort()",
    "l.sort(key=lambda v: (str(v), trace(v))[0], reverse=bool(<bool>))", "l.insert(<small>, <int>)", "l.remove(<int>)", "l.reverse()", "d[<str>] = <int>",
    "d.update({**<dict>})", "d.setdefault(<str>, <int>)", "x = set(x)\nx.add(<int>)", "x = set(x)\nx.discard(<int>)", "o[<int>] = <int>",
    "print(<any>, <any>, sep=<str>)", "print(<any>, end='')", "trace(<any>)", "<int>", "<str>", "assert <bool>, <str>", "assert <any>",
    "raise ValueError(<any>)", "raise KeyError(<str>) from None", "raise Oops(<int>)", "pass",
    "if <bool>:\n    <block>", "if <any>:\n    <block>\nelif <bool>:\n    <block>\nelse:\n    <block>",
    "for i in range(<small>):\n    <loop>", "for i in <list>[:3]:\n    <loop>\nelse:\n    <block>", "for s in <str>[:3]:\n    <loop>",
    "for s, j in <dict>.items():\n    <loop>", "for i, (j, s) in enumerate(zip(<list>, <str>)):\n    <loop>", "for i in g0(<small>):\n    <loop>",
    "for i in <obj>:\n    <loop>", "for l[0] in range(2):\n    <block>", "for i in <any>:\n    <loop>", "for o.n in <list>[:2]:\n    <block>",
    "for <#> in range(3):\n    while <bool>:\n        <loop>\n        break",
    "<#> = 0\nwhile <#> < 3:\n    <#> += 1\n    <loop>", "<#> = 0\nwhile (<#> := <#> + 1) < 4 and <bool>:\n    <loop>\nelse:\n    <block>",
    "<#> = 0\nwhile True:\n    <#> += 1\n    if <#> > 2:\n        break\n    <loop>",
    "try:\n    <block>\nexcept (TypeError, IndexError) as error:\n    trace(str(error))\nexcept Exception as error:\n    trace(type(error).__name__)",
    "try:\n    <block>\nexcept LookupError:\n    <block>\nelse:\n    <block>\nfinally:\n    trace('finally')",
    "try:\n    <block>\nfinally:\n    <block>", "try:\n    raise Oops(<int>) from ValueError('x')\nexcept Oops as error:\n    trace(error)\n    <block>",
    "try:\n    <block>\nexcept Oops:\n    raise\nexcept:\n    trace(0)\n    <block>",
    "with Ctx(<int>) as k:\n    <block>", "with Ctx(1) as k, Ctx(True) as j:\n    <block>", "with Ctx(True):\n    raise ValueError(<any>)",
    "def inner(v=<int>, *u):\n    <shared>\n    <block>\n    return <any>\ntrace(inner(<int>))",
    "def inner(v):\n    <shared>\n    yield v\n    <block>\n    yield <any>\nfor i in inner(<int>):\n    trace(i)",
    "def counter():\n    nonlocal_ = [0]\n    def step():\n        nonlocal nonlocal_\n        nonlocal_ = nonlocal_ + [len(nonlocal_)]\n        return nonlocal_\n    return step\nl = counter()()",
    "match <any>:\n    case int(v) if v > 1:\n        trace(v)\n    case str() | bytes():\n        <block>\n    case [v, *u]:\n        trace(u)\n    case {'a': v, **u}:\n        trace(u)\n    case _:\n        <block>",
    "match <list>:\n    case []:\n        <block>\n    case [1, *_] as v:\n        trace(v)\n    case [v] | [_, v]:\n        trace(v)\n    case [*_, v]:\n        <block>",
    "match <obj>:\n    case C1(n=0):\n        <block>\n    case C1(n=v):\n        trace(v)\n    case C0():\n        <block>",
    "match <int>:\n    case 0 | 1 | -1:\n        <block>\n    case C0.z:\n        trace('z')\n    case True | None | 2.5:\n        <block>",
    "match (<int>, <any>):\n    case (0, v) | (v, 0):\n        trace(v)\n    case (i, j):\n        <block>",
)  # fmt: skip

ARITHMETIC: Final[tuple[str, ...]] = (
    "a = <num>", "c = <num>", "h = <num>", "a += <num>", "c -= <num>", "h *= <num>", "a //= 3", "c %= 7", "h <<= 1", "a |= 5", "c /= 2",
    "r = range(3)", "for a in range(4):\n    c += a * h", "for r in range(2):\n    a = r * r % 7", "if <num>:\n    a = <num>",
    "for a in <list>:\n    c = a", "a, c = <any>, 2", "(a := <any>)", "trace((a, c, h))", "c = a * 2", "h = a % 3 + c // 2", "a = -a",
    "try:\n    a = 1 / 0\nexcept Exception as h:\n    c = str(h)", "with Ctx(<int>) as a:\n    c = a * 3", "from collections import deque as a\na = a([1])", "del a\na = 2",
    "match <any>:\n    case a:\n        c = a", "def a():\n    return 1", "[a := v for v in <list!>]", "def inner():\n    nonlocal c\n    c = <any>\ninner()",
    "a = c = <num>", "a: int = <num>", "a = sum([h for h in <list!>])", "h = [r * 2 for r in range(3)]", "h = [a % 3 for a in <list!>]",
    "for a, c in [(<any>, <any>)]:\n    pass", "a = (lambda a: a * 2)(<any>)", "class a:\n    pass", "for a in [<any>]:\n    h = a * 2",
)  # fmt: skip

MEMBERS: Final[tuple[str, ...]] = (
    "def __repr__(self):\n    return f'{type(self).__name__}({self.n!r})'",
    "def __eq__(self, other):\n    trace('eq')\n    return self.n == getattr(other, 'n', None)",
    "def __lt__(self, other):\n    return self.n < other.n",
    "def __hash__(self):\n    return 5",
    "def __add__(self, other):\n    return C0(self.n + other)",
    "def __radd__(self, other):\n    return C0(other)",
    "def __neg__(self):\n    return C0(-self.n)",
    "def __mul__(self, other):\n    return C0((self.n, other))",
    "def __len__(self):\n    return 2",
    "def __bool__(self):\n    return trace(False)",
    "def __iter__(self):\n    yield self.n\n    yield trace(2)",
    "def __contains__(self, item):\n    return trace(item) == 1",
    "def __getitem__(self, key):\n    if key == 3:\n        raise IndexError(key)\n    return trace(key)",
    "def __setitem__(self, key, value):\n    self.n = trace((key, value))",
    "def __call__(self, *args, **kwargs):\n    return trace((args, kwargs))",
    "def __getattr__(self, name):\n    if name in ('n', 'keys', 'v'):\n        raise AttributeError(name)\n    return name",
    "def __iadd__(self, other):\n    self.n = trace(other)\n    return self",
    "@property\ndef v(self):\n    return trace(self.n)\n@v.setter\ndef v(self, value):\n    self.n = trace(value)",
    "def m(self, i=1):\n    <locals>\n    <block>\n    return <int>",
    "def own(self):\n    self._own = self\n    return self._own",
    "@classmethod\ndef make(cls, n):\n    return cls(n)",
    "@staticmethod\ndef plain(i=<int.name>):\n    return i",
    "z = <int.name> * 3 - 1\nfor y in range(2):\n    z += y",
    "try:\n    z = <int!>\nexcept Exception as error:\n    trace(str(error))",
    "kept = [v * v + v % 2 for v in <list.name> if v in (1, 2, 0)]\ntext = f'{kept}'",
)  # fmt: skip
