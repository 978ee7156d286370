"""`zoneinfo`: the host's time zones by key, and nothing beside them."""

# ruff: noqa: E501 - expressions read best on one line

from __future__ import annotations

import datetime
import zoneinfo

import pytest

from plataforma_sdk.errors import PolicyError
from plataforma_sdk.sandbox.restricted._fuel import LimitReached

pytestmark = pytest.mark.skipif(not zoneinfo.available_timezones(), reason="this host has no database of time zones")

HEAD = "import datetime\nfrom datetime import timedelta\nfrom zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones\nSP, NY = ZoneInfo('America/Sao_Paulo'), ZoneInfo('America/New_York')\n"

SAME = {
    "key": "SP.key, str(SP), repr(SP), f'{NY!s:>20}', ZoneInfo(key='UTC').key, SP is ZoneInfo('America/Sao_Paulo')",
    "conversion": "datetime.datetime(2024, 7, 1, 12, tzinfo=SP).astimezone(NY).isoformat(), datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC).astimezone(SP).hour",
    "fold": "[datetime.datetime(2024, 11, 3, 1, 30, tzinfo=NY, fold=fold).utcoffset() for fold in (0, 1)], datetime.datetime(2024, 11, 3, 1, 30, tzinfo=NY).replace(fold=1).tzname()",
    "gap": "datetime.datetime(2024, 3, 10, 2, 30, tzinfo=NY).astimezone(datetime.UTC).isoformat(), datetime.datetime(2024, 3, 10, 2, 30, tzinfo=NY, fold=1).timestamp()",
    "arithmetic": "(datetime.datetime(2024, 3, 9, 12, tzinfo=NY) + timedelta(days=1)).isoformat(), datetime.datetime(2024, 3, 10, 12, tzinfo=NY) - datetime.datetime(2024, 3, 9, 12, tzinfo=SP)",
    "comparison": "datetime.datetime(2024, 1, 1, 9, tzinfo=NY) == datetime.datetime(2024, 1, 1, 11, tzinfo=SP), sorted([datetime.datetime(2024, 1, 1, 10, tzinfo=NY), datetime.datetime(2024, 1, 1, 11, tzinfo=SP)])[0].hour, SP == NY, {SP: 1}[SP]",
    "names": "SP.tzname(datetime.datetime(2024, 1, 1)), NY.dst(datetime.datetime(2024, 7, 1)), NY.utcoffset(None), datetime.datetime(2024, 1, 1, tzinfo=NY).strftime('%Z %z')",
    "far future": "datetime.datetime(2090, 7, 1, tzinfo=NY).utcoffset(), datetime.datetime(1, 1, 1, tzinfo=NY).utcoffset()",
    "constructors": "datetime.datetime.fromtimestamp(0, SP).isoformat(), datetime.datetime.combine(datetime.date(2024, 1, 1), datetime.time(8), NY).isoformat(), datetime.datetime(2024, 1, 1, tzinfo=NY).tzinfo is NY, datetime.time(1, tzinfo=SP).tzinfo.key",
    "repr": "repr(datetime.datetime(2024, 1, 1, tzinfo=SP)), datetime.time(1, tzinfo=SP).isoformat()",
    "types": "isinstance(SP, ZoneInfo), isinstance(SP, datetime.tzinfo), isinstance(datetime.UTC, datetime.tzinfo), issubclass(ZoneInfoNotFoundError, KeyError)",
    "available": "{'America/Sao_Paulo', 'UTC'} <= available_timezones(), type(available_timezones()).__name__",
}  # fmt: skip


@pytest.mark.parametrize("expression", SAME.values(), ids=SAME.keys())
def test_a_zone_answers_as_in_python(runner, expression):
    plain = {}
    exec(f"{HEAD}result = ({expression})", plain)

    assert repr(runner.run(f"{HEAD}result = ({expression})")["result"]) == repr(plain["result"])


KEYS = {
    "unknown": "Mars/Olympus",
    "empty": "",
    "absolute": "/etc/passwd",
    "above": "../../etc/passwd",
    "above inside": "America/../../../etc/passwd",
    "here": "./UTC",
    "doubled": "America//Sao_Paulo",
    "nul": "UTC\0",
    "other case": "america/sao_paulo",
    "folder": "America",
    "other file": "tzdata.zi",
    "long": "A" * 100_000,
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_key_that_is_not_in_the_database_is_refused(runner, key):
    """No path is made of a key. Source: PEP 615, and paths that leave their folder."""
    source = f"{HEAD}try:\n    ZoneInfo(key)\nexcept (ValueError, ZoneInfoNotFoundError) as error:\n    r = str(error)"

    assert len(runner.run(source, key=key)["r"]) < 200


def test_what_is_refused_is_refused_in_pythons_words(runner):
    source = f"{HEAD}r = []\nfor key in ('Mars', '/etc/x', 7):\n    try:\n        ZoneInfo(key)\n    except (KeyError, ValueError, TypeError) as error:\n        r.append((type(error).__name__, str(error)))"

    assert runner.run(source)["r"] == [
        ("ZoneInfoNotFoundError", "'No time zone found with key Mars'"),
        ("ValueError", "ZoneInfo keys may not be absolute paths, got: /etc/x"),
        ("TypeError", "the key of a time zone is a str, not int"),
    ]


@pytest.mark.parametrize("name", ["clear_cache", "from_file", "no_cache", "fromutc"])
@pytest.mark.parametrize("receiver", ["ZoneInfo", "SP", "datetime.datetime(2024, 1, 1, tzinfo=SP).tzinfo"])
def test_the_cache_and_the_files_of_the_host_are_out_of_reach(runner, name, receiver):
    with pytest.raises(AttributeError):
        runner.run(f"{HEAD}{receiver}.{name}")
    with pytest.raises(AttributeError):
        runner.run(f"{HEAD}getattr({receiver}, '{name}')")


@pytest.mark.parametrize("name", ["TZPATH", "reset_tzpath", "InvalidTZPathWarning", "_common"])
def test_what_tells_of_the_hosts_files_is_not_offered(runner, name):
    with pytest.raises((ImportError, AttributeError)):
        runner.run(f"from zoneinfo import {name}")


@pytest.mark.parametrize(
    "source", ["class Z(ZoneInfo):\n    pass", "class Z(datetime.tzinfo):\n    pass", "SP.key = 'x'"]
)
def test_a_zone_of_ones_own_cannot_be_made(runner, source):
    with pytest.raises((TypeError, AttributeError, PolicyError)):
        runner.run(HEAD + source)


def test_the_clock_tells_the_time_of_a_zone(runner):
    found = runner.run(f"{HEAD}now = datetime.datetime.now(SP)\nr = now.tzinfo is SP, now.utcoffset()")["r"]

    assert found == (True, datetime.timedelta(hours=-3))


MOMENTS = f"{HEAD}x = [datetime.datetime(2024, 1, 1, 0, n % 60, tzinfo=(SP, NY)[n % 2]) for n in range(50_000)]\ny = datetime.datetime(2030, 1, 1, tzinfo=NY)\n"
SLOW = {"sort": "x.sort()", "sorted": "sorted(x)", "in": "y in x", "count": "x.count(y)"}


@pytest.mark.parametrize("statement", SLOW.values(), ids=SLOW.keys())
def test_comparing_many_moments_of_zones_burns_fuel_in_proportion(runner, statement):
    """Source: own finding; C asks both zones at each comparison, 500 ns where it compares numbers in 30."""
    done = []
    with pytest.raises(LimitReached):
        runner.run(f"{MOMENTS}while True:\n    done.append(1)\n    {statement}", fuel=1_000_000, done=done)

    assert len(done) < 100
