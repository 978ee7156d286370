"""Expressions and builtins that an author may count on in every tier."""

from __future__ import annotations

from ._suite import Case, each, evaluating, returns

EXPRESSIONS = {
    "comprehensions": [
        ("[[x * y for x in range(3) if x] for y in range(2)]", [[0, 0], [1, 2]]),
        ("{k: v for k, v in [('a', 1), ('b', 2)] if v > 1}", {"b": 2}),
        ("sorted({n % 2 for n in range(5)})", [0, 1]),
        ("sum(x * x for x in range(4))", 14),
        ("[f(2) for f in [lambda x, n=n: x + n for n in range(3)]]", [2, 3, 4]),
    ],
    "walrus": [("(n := 10) + n", 20), ("[y for x in range(4) if (y := x * 2) > 2]", [4, 6])],
    "unpacking": [("[*[1], *'xy']", [1, "x", "y"]), ("{**{'k': 1}, 'l': 2}", {"k": 1, "l": 2})],
    "f_strings": [
        ("f'{1234.5:,.2f}'", "1,234.50"),
        ('f\'{"x"!r}|{"x":>4}|{"x" * 2}\'', "'x'|   x|xx"),
        ('f\'{ {"a": 1}["a"] }{{}}\'', "1{}"),
        ("f'{7:0{2 + 1}d}'", "007"),
    ],
    "formatting": [
        ("'%s-%03d' % ('a', 7)", "a-007"),
        ("'{:>5}|{}|{n}'.format('b', 1, n=2)", "    b|1|2"),
        ("format(0.256, '.1%')", "25.6%"),
    ],
    "conditions": [
        ("1 < 3 <= 3", True),
        ("'yes' if 3 else 'no'", "yes"),
        ("3 and 0 or 'or'", "or"),
        ("[not 3, None is None, 3 in (1, 3), 3 not in (1, 3)]", [False, True, True, False]),
    ],
    "slices": [
        ("list(range(6))[1:-1:2]", [1, 3]),
        ("'abcdef'[::-1]", "fedcba"),
        ("(1, 2, 3)[-2:]", [2, 3]),
    ],
    "sorting": [
        ("sorted([('b', 2), ('a', 2), ('c', 1)], key=lambda row: (-row[1], row[0]))", [["a", 2], ["b", 2], ["c", 1]]),
        ("min([{'t': 2}, {'t': 1}], key=lambda row: row['t'])", {"t": 1}),
        ("sorted([1, 3, 2], reverse=True)", [3, 2, 1]),
    ],
    "numbers": [
        ("[2 ** 100, 7 // 2, -7 // 2, -7 % 3, 5 / 2]", [2**100, 3, -4, 2, 2.5]),
        ("[0.1 + 0.2, 1e3, 0xff, 1_000]", [0.1 + 0.2, 1000.0, 255, 1000]),
        ("[abs(-1), round(2.567, 2), divmod(7, 3), pow(2, 5, 7), max(3, 4)]", [1, 2.57, [2, 1], 4, 4]),
        (
            "[int('ff', 16), hex(255), float('1.5'), bool([]), 6 & 3, 6 | 3, 6 ^ 3, ~6, 1 << 3]",
            [255, "0xff", 1.5, False, 2, 7, 5, -7, 8],
        ),
    ],
    "iterables": [
        ("[any([0, 1]), all([]), sum([1, 2]), len('abc')]", [True, True, 3, 3]),
        ("list(zip('ab', (1, 2)))", [["a", 1], ["b", 2]]),
        ("list(enumerate('a', 1))", [[1, "a"]]),
        ("[list(map(str, (1, 2))), list(filter(None, (0, 1))), list(reversed([1, 2]))]", [["1", "2"], [1], [2, 1]]),
        ("next(iter([]), 'default')", "default"),
    ],
    "texts": [
        ("' Olá, Mundo '.strip().lower().split(', ')", ["olá", "mundo"]),
        ("['a-b'.partition('-'), ','.join('ab'), 'ab'.startswith('a')]", [["a", "-", "b"], "a,b", True]),
        ("['7'.zfill(3), 'título'.title(), 'abc'.find('c'), 'x'.isdigit()]", ["007", "Título", 2, False]),
        ("['ab'.center(4, '*'), 'foo'.replace('o', '0'), 'a\\nb'.splitlines()]", ["*ab*", "f00", ["a", "b"]]),
        ("[ord('a'), chr(98), repr('x'), str(1.0), 'é' * 2]", [97, "b", "'x'", "1.0", "éé"]),
    ],
    "bytes": [
        ("['é'.encode(), b'\\xc3\\xa9'.decode(), bytes([99])]", ["é".encode(), "é", b"c"]),
        ("[b'abc'[0], b'ab'.hex(), bytes.fromhex('00ff'), list(b'abc'[:2])]", [97, "6162", b"\x00\xff", [97, 98]]),
    ],
    "types": [
        ("[isinstance(1, (int, str)), isinstance('x', int), callable(len)]", [True, False, True]),
        ("[type(1) is int, type('x') is str, type([]) is dict]", [True, True, False]),
    ],
}

test_an_expression_is_the_same = each(
    Case(
        name=f"expressions_{name}",
        source=evaluating([text for text, _ in pairs]),
        check=returns([value for _, value in pairs]),
    )
    for name, pairs in EXPRESSIONS.items()
)
