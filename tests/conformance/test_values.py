"""Values that cross: the same codec in every tier, both ways, always a copy."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from plataforma_sdk.errors import CodecError

from ._suite import Case, case, each, make_package, module, returns

ECHO = module("def probe(self, value):\n    return value")
BRASILIA = datetime.timezone(datetime.timedelta(hours=-3))

VALUES = {
    "none": None,
    "true": True,
    "zero": 0,
    "largest_plain_int": 2**53,
    "huge_int": -(10**40),
    "float": 0.1,
    "negative_zero": -0.0,
    "empty_text": "",
    "unicode_text": "Olá, 世界 🎉 \u2028 \x00 \x7f",
    "bytes": b"\x00\xff raw",
    "decimal": Decimal("1234567890.1234567890"),
    "decimal_exponent": Decimal("1E+5"),
    "date": datetime.date(2024, 2, 29),
    "naive_datetime": datetime.datetime(2024, 2, 29, 12, 30, 1, 250000),  # noqa: DTZ001 - it must stay naive
    "aware_datetime": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=BRASILIA),
    "empty_containers": [[], {}, [{}]],
    "nested": {"rows": [{"id": 1, "total": Decimal("9.90")}, {"id": 2, "total": None}]},
    "dollar_keys": {"$t": "bytes", "$$v": 1, "v": "$t", "$": {"$t": 1}},
    "order_of_keys": {"z": 1, "a": 2, "m": 3},
}

test_a_value_crosses_both_ways = each(
    Case(name=f"value_{name}", source=ECHO, check=returns(value, value)) for name, value in VALUES.items()
)

KINDS = {
    "bool": (True, ["bool", "int"]),
    "int": (2**70, ["int"]),
    "bytes": (b"x", ["bytes"]),
    "decimal": (Decimal("0.10"), ["Decimal"]),
    "date": (datetime.date(2024, 1, 1), ["date"]),
    "datetime": (datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), ["date", "datetime"]),
    "tuple": ((1, 2), ["list"]),
}
KINDS_HEAD = """
from datetime import date, datetime
from decimal import Decimal

KINDS = [
    ("bool", bool), ("bytes", bytes), ("date", date), ("datetime", datetime), ("Decimal", Decimal),
    ("float", float), ("int", int), ("list", list), ("str", str), ("tuple", tuple),
]
"""

test_a_module_sees_the_type_that_was_sent = each(
    Case(
        name=f"seen_as_{name}",
        source=module(
            "def probe(self, value):\n    return [name for name, kind in KINDS if isinstance(value, kind)]",
            head=KINDS_HEAD,
        ),
        check=returns(seen, value),
    )
    for name, (value, seen) in KINDS.items()
)

MADE = {
    "tuple": ("(1, (2, 3))", [1, [2, 3]]),
    "str_enum": ("Color.RED", "red"),
    "int_enum": ("[Size.L, {'size': Size.L}]", [3, {"size": 3}]),
    "named_tuple": ("Point(1, 2)", [1, 2]),
    "default_dict": ("defaultdict(int, a=1)", {"a": 1}),
    "counter": ("Counter('aab')", {"a": 2, "b": 1}),
    "sum_of_decimals": ("sum([Decimal('0.10')] * 3, Decimal(0))", Decimal("0.30")),
    "date_arithmetic": ("date(2024, 2, 28) + timedelta(days=2)", datetime.date(2024, 3, 1)),
}
MADE_HEAD = """
from collections import Counter, defaultdict, namedtuple
from datetime import date, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum

class Color(StrEnum):
    RED = "red"

class Size(IntEnum):
    L = 3

Point = namedtuple("Point", "x y")
"""

test_what_a_module_makes_is_reduced_to_plain_data = each(
    Case(
        name=f"made_{name}", source=module(f"def probe(self):\n    return {text}", head=MADE_HEAD), check=returns(seen)
    )
    for name, (text, seen) in MADE.items()
)

REFUSED = {
    "nan": "float('nan')",
    "infinity": "[float('-inf')]",
    "set": "{1, 2}",
    "function": "len",
    "own_object": "Thing()",
    "int_key": "{1: 'one'}",
    "module_itself": "self",
    "lone_surrogate": "'\\ud800'",
    "complex": "{'z': (1j)}",
}


async def refuses_the_result(host, handle):
    with pytest.raises(CodecError):
        await handle.call("probe")
    assert await handle.call("fine") == "fine"


test_a_value_that_does_not_cross_is_refused = each(
    Case(
        name=f"refused_{name}",
        source=module(
            f"def probe(self):\n    return {text}\n\ndef fine(self):\n    return 'fine'",
            head="class Thing:\n    pass",
        ),
        check=refuses_the_result,
    )
    for name, text in REFUSED.items()
)


@case(ECHO)
async def test_what_the_host_may_not_send_is_refused(host, handle):
    for value in (float("nan"), {1, 2}, {1: 2}, object(), "\ud800"):
        with pytest.raises(CodecError):
            await handle.call("probe", value)


NESTED = module(
    """
    def probe(self, depth):
        value = []
        for _ in range(depth - 1):
            value = [value]
        return value
    """
)


@case(NESTED)
async def test_depth_ends_at_64(host, handle):
    assert await handle.call("probe", 64)
    with pytest.raises(CodecError, match="64"):
        await handle.call("probe", 65)


@case(module("def probe(self):\n    value = []\n    value.append(value)\n    return value"))
async def test_a_cycle_is_refused(host, handle):
    with pytest.raises(CodecError):
        await handle.call("probe")


@case(
    module(
        """
        async def on_load(self):
            self.rows = [{"id": 1}]

        def take(self, rows):
            self.rows = rows

        def probe(self):
            return self.rows
        """
    )
)
async def test_both_sides_hold_copies(host, handle):
    (await handle.call("probe")).append("host")
    assert await handle.call("probe") == [{"id": 1}]
    sent = [{"id": 2}]
    await handle.call("take", sent)
    sent[0]["id"] = 3
    assert await handle.call("probe") == [{"id": 2}]


@case(
    module(
        """
        def probe(self):
            try:
                self.emit("odd", {"value": {1, 2}})
            except CodecError as error:
                return ["refused", "set" in str(error)]
        """,
        head="from plataforma_sdk.errors import CodecError",
    ),
    permissions=("events.emit",),
)
async def test_a_payload_that_does_not_cross_is_refused_inside_the_module(host, handle):
    assert await handle.call("probe") == ["refused", True]


@case(
    module(
        """
        async def on_load(self):
            self.rows = [1]
            self.subscribe("data.rows", self.on_rows)

        def on_rows(self, event):
            event.data.append(self.id)
            self.rows = event.data

        def probe(self):
            return self.rows
        """
    ),
    permissions=("events.subscribe",),
)
async def test_each_recipient_of_an_event_has_its_own_copy(host, handle):
    other = await host.load(
        make_package(handle.package.sources[handle.package.entry_file], id="other", permissions=("events.subscribe",))
    )
    sent = [0]
    await host.events.emit("data.rows", sent)
    assert [await handle.call("probe"), await other.call("probe"), sent] == [[0, "probe"], [0, "other"], [0]]
