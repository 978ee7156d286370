"""The judge itself: one that finds nothing proves nothing."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.security.judge import Api, CorpusError, Payload, dangerous, judge, own_corpora, read_corpus
from tests.security.judge.__main__ import main
from tests.security.judge._naive import NaiveTarget


def _payload(code: str, category: str = "leak") -> Payload:
    return Payload("self-test", category, "self-test", code)


class _Own:
    def __init__(self, value: object) -> None:
        self.value = value


_Own.__module__ = "sandbox"

LEAKS: dict[str, Any] = {
    "object": Api(),
    "secret": Api()._secret,
    "secret in bytes": Api()._secret.encode(),
    "bound method": Api().get,
    "host function": judge,
    "module": sys,
    "nested": [{"k": (Api(),)}],
    "key": {Api(): 1},
    "error": RuntimeError("boom", Api()),
    "attribute": _Own(Api()),
    "method of an own object": types.MethodType(print, _Own(Api())),
    "partial": functools.partial(print, Api()),
    "builtin": open,
    "class": Api,
    "class in a list": [Path],
    "object class": object,
    "frame": sys._getframe(),
    "code": judge.__code__,
    "namespace": vars(Api),
    "globals": {"__builtins__": {}},
    "subclasses": [type(f"C{number}", (), {"__module__": "sandbox"}) for number in range(60)],
}


@pytest.mark.parametrize("leaked", LEAKS.values(), ids=LEAKS.keys())
def test_the_judge_sees_a_leak(leaked: object) -> None:
    """Whatever a module must not hold is found, also inside of what it may hold."""
    assert dangerous(leaked) is not None


@pytest.mark.parametrize(
    "value",
    [1, "public", [1, {"k": (None,)}], ValueError("x"), ValueError, len, _Own(1)],
    ids=["number", "text", "nested", "error", "class of errors", "builtin", "own object"],
)
def test_the_judge_accuses_nobody_of_plain_values(value: object) -> None:
    """A judge that cries at everything is switched off."""
    assert dangerous(value) is None


class _Faulty:
    """A target that ends as it is told."""

    given = ()
    max_cpu_s = 2

    def __init__(self, act: Callable[[_Faulty], str]) -> None:
        self.leaked: list[Any] = []
        self.api = Api()
        self.base: Any = type("Base", (), {"on_load": lambda self: None})
        self._act = act

    def phases(self, code: str) -> Iterator[Callable[[], str]]:
        yield lambda: self._act(self)


def _spin(_: _Faulty) -> str:
    while True:
        pass


def _work(_: _Faulty) -> str:
    began = time.process_time()
    while time.process_time() - began < 1.65:
        pass
    return "ok"


def _grow(_: _Faulty) -> str:
    return f"exc:{len(b'x' * (500 << 20))}"


def _die(_: _Faulty) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return "ok"


def _leave(_: _Faulty) -> str:
    raise SystemExit(0)


def _deface(target: _Faulty) -> str:
    target.api.config["secret"] = "PWNED"
    return "ok"


def _hand_over(target: _Faulty) -> str:
    target.leaked.append(target.api)
    return "ok"


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (_spin, "hung: more than 1.6 s"),
        (_work, "hung: "),
        (_grow, "took "),
        (_die, "killed the host: SIGSEGV"),
        (_leave, "untyped"),
        (_deface, "changed the host: config"),
        (_hand_over, "leaked a host object"),
        (lambda _: "untyped:Quit", "ended untyped: Quit"),
        (lambda _: "exc:MemoryError", "ended untyped: MemoryError"),
    ],
    ids=["endless", "slow", "memory", "crash", "exit", "host state", "leak", "untyped", "no memory"],
)
def test_the_judge_names_what_got_through(act: Callable[[_Faulty], str], problem: str) -> None:
    """Each way in which a payload can win is told apart."""
    verdict = judge(_payload("", "dos"), lambda: _Faulty(act))

    assert (verdict.problem or "").startswith(problem)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("x = y", "exc:NameError"),
        ("x = 1", "ok"),
        ("import os", "exc:ImportError"),
        ("raise ValueError", "exc:ValueError"),
        ("x = (", "exc:ModuleLoadError"),
        ("while True: pass", "limit:fuel"),
        ("x = 'a' * 10**10", "limit:memory"),
        ("async def f():\n    while True: pass", "limit:fuel"),
        ("async def f(n):\n    while n: pass\ndrive(f(1))", "limit:fuel"),
        ("import asyncio\nasync def f():\n    while True: pass\nasyncio.create_task(f())", "limit:fuel"),
    ],
    ids=["fault", "nothing", "import", "raise", "syntax", "loop", "size", "async", "driven", "task"],
)
def test_the_judge_says_how_a_payload_ended(code: str, end: str) -> None:
    """An ordinary fault of a module is no escape; async functions are awaited as a host would."""
    verdict = judge(_payload(code))

    assert (verdict.end, verdict.problem) == (end, None)


@pytest.mark.parametrize(
    "code",
    [
        "leak(api.get('x'), api.items(), api.collect(1), api.call(lambda x: x))",
        "seen = []\nbus.on('e', lambda e: seen.append(e))\nbus.emit('e')\nbus.emit_pickled([1])\nassert len(seen) == 1",
        "class M(ModuleFramework):\n    pass\nM().on_load()\nassert M().name_prop == 1",
        "async def f():\n    leak(await api.sleep())",
        "x = (math.pi, json.dumps([1]), random.random(), string.digits, re.match('a', 'a'), datetime.date(2020, 1, 1))",
        "from plataforma_sdk import ModuleFramework, ui\nclass M(ModuleFramework):\n    pass",
        "leak(1, 'a', [leak])",
    ],
    ids=["api", "bus", "base", "awaited", "modules", "sdk", "anything"],
)
def test_a_payload_finds_the_host_it_attacks(code: str) -> None:
    """A payload that fails for want of the host's names would prove nothing."""
    verdict = judge(_payload(code))

    assert (verdict.end, verdict.problem) == ("ok", None)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("leak(json.codecs.builtins)", "leaked a module"),
        ("api.config['secret'] = 'PWNED'", "changed the host: config"),
        ("raise SystemExit", "ended untyped: SystemExit"),
    ],
    ids=["leak", "host", "exit"],
)
def test_the_naive_setup_lets_through_what_it_is_known_for(code: str, problem: str) -> None:
    """The comparison is one: the same payload, the same judge, another engine."""
    assert judge(_payload(code), NaiveTarget).problem == problem


# --- corpora -------------------------------------------------------------------------------------------------


def test_every_payload_names_its_source() -> None:
    """A regression set without sources cannot be checked by anybody else."""
    assert [
        payload.name for payloads in own_corpora().values() for payload in payloads if "(no source" in payload.source
    ] == []


def test_names_are_unique() -> None:
    """A name that stands twice hides a payload from reports."""
    names = [payload.name for payloads in own_corpora().values() for payload in payloads]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("[", "not a JSON text"),
        ("{}", "expected a JSON list"),
        ("[]", "expected a JSON list"),
        ("[1]", "payload 1: expected an object"),
        ('[{"name": "a", "cat": "leak"}]', "payload 1 (a): no 'code'"),
        ('[{"name": "a", "cat": "leak", "code": 1}]', "payload 1 (a): 'code' must be a text"),
        ('[{"name": "a", "cat": "leak", "code": [["x"]]}]', "payload 1 (a): 'code' must be a text"),
        ('[{"name": "a", "cat": 1, "code": "x"}]', "payload 1 (a): 'cat' must be a text"),
    ],
    ids=["absent", "no json", "object", "empty", "number", "no code", "no text", "no part", "no category"],
)
def test_a_corpus_that_cannot_be_read_says_where_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    """The command ends with 2, which is neither "nothing got through" nor "something did"."""
    path = tmp_path / "corpus.json"
    if text is not None:
        path.write_text(text, "utf-8")

    with pytest.raises(CorpusError) as raised:
        read_corpus(path)
    assert main(["--corpus", str(path)]) == 2

    assert message in str(raised.value)
    assert str(raised.value) in capsys.readouterr().err


def test_code_is_written_of_repeated_parts(tmp_path: Path) -> None:
    """A payload of ten thousand lines is two in its corpus."""
    code = ["x0 = 0\n", ["x{n+1} = x{n}\n", 2], [" ", 3], ["{indent}if x0:\n", 2]]
    path = tmp_path / "corpus.json"
    path.write_text(json.dumps([{"name": "a", "cat": "dos", "ref": "self-test", "code": code}]), "utf-8")

    (payload,) = read_corpus(path)

    assert payload.code == "x0 = 0\nx1 = x0\nx2 = x1\n   if x0:\n if x0:\n"


@pytest.mark.parametrize(
    ("code", "status", "shown"),
    [("leak(1)", 0, "0 of 1 got through"), ("raise MemoryError", 1, "THROUGH dos corpus.json: a: ended untyped")],
    ids=["stopped", "through"],
)
def test_the_command_fails_where_something_got_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, status: int, shown: str
) -> None:
    """Relative paths begin where the caller stands; the report names the payload."""
    rows = [{"name": "a", "cat": "dos", "ref": "self-test", "code": code}]
    (tmp_path / "corpus.json").write_text(json.dumps(rows), "utf-8")

    assert main(["--cwd", str(tmp_path), "--corpus", "corpus.json"]) == status
    assert shown in capsys.readouterr().out


def test_the_naive_setup_is_shown_beside_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--naive`` compares, and fails for nothing."""
    rows = [{"name": "a", "cat": "leak", "ref": "self-test", "code": "leak(json.codecs)"}]
    (tmp_path / "corpus.json").write_text(json.dumps(rows), "utf-8")

    status = main(["--naive", "--corpus", str(tmp_path / "corpus.json")])

    assert (status, capsys.readouterr().out.split()[-4:]) == (0, ["all", "1", "1", "0"])
