from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plataforma_sdk.logs import (
    CURRENT_CALL,
    RECORD_FIELDS,
    JsonLinesFormatter,
    LogVolume,
    ModuleCall,
    ModuleInfo,
    clean_line,
    info_fields,
    logger_of,
)
from plataforma_sdk.types import FakeClock

INFO = ModuleInfo(id="vendas", version="1.2.0", engine="wasm", subject="ana")
LOG = logger_of("plataforma_sdk.test")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What a handler of a user writes, with JSON lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLinesFormatter())
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    yield stream
    LOG.removeHandler(handler)


def test_a_record_tells_the_call_that_is_served(caplog: pytest.LogCaptureFixture) -> None:
    token = CURRENT_CALL.set(ModuleCall(7, INFO, "total", None))
    LOG.warning("about %s", "vendas", extra={"module_id": "vendas"})
    LOG.warning("about another", extra={"module_id": "clientes"})
    CURRENT_CALL.reset(token)
    LOG.warning("about nobody")
    found = [[getattr(record, name) for name in RECORD_FIELDS] for record in caplog.records]
    assert found == [["vendas", "1.2.0", "wasm", 7, "ana"], ["clientes", *[None] * 4], [None] * 5]


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\x1b[2Kb", "a\u2028b", "a\u202eb", "a\x00b", "a\x85b", "a\ud800b"], ids=ascii
)
def test_text_stays_on_its_line(text: str) -> None:
    cleaned = clean_line(text)
    assert cleaned.isprintable()
    assert (cleaned[0], cleaned[-1]) == ("a", "b")


def test_text_of_people_is_left_alone() -> None:
    assert clean_line("Olá, ação ü 日本 🙂") == "Olá, ação ü 日本 🙂"


def test_long_text_is_cut_and_says_so() -> None:
    assert clean_line("x" * 5_000) == "x" * 4_000 + "... (1000 more characters)"


def test_an_argument_forges_no_line_and_is_no_format(caplog: pytest.LogCaptureFixture) -> None:
    LOG.warning("%s: %s", "vendas", "100%s %(module_id)s\n2026 ERROR forged")
    assert caplog.records[0].getMessage() == "vendas: 100%s %(module_id)s\\n2026 ERROR forged"


def test_a_traceback_forges_no_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("bad\n2026-01-01 ERROR forged")
    except ValueError:
        LOG.exception("failed")
    text = json.loads(lines.getvalue())["exception"]
    assert all(line.startswith("  | ") for line in text.split("\n"))


def test_an_error_without_text_is_logged_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    LOG.warning("failed: %s", Mute())
    assert caplog.records[0].getMessage() == "failed: (Mute without text)"


def test_json_lines_hold_the_fields_of_a_module_apart(lines: io.StringIO) -> None:
    extra = {**info_fields(INFO, 3), "fields": {"level": "forged", "text": "a\nb"}}
    LOG.info("%s", "oi\u2028", extra=extra)
    (line,) = lines.getvalue().splitlines()
    found = json.loads(line)
    del found["time"]
    assert found == {
        "level": "INFO",
        "logger": "plataforma_sdk.test",
        "message": "oi\\u2028",
        "module_id": "vendas",
        "module_version": "1.2.0",
        "engine": "wasm",
        "call_id": 3,
        "subject": "ana",
        "fields": {"level": "forged", "text": "a\nb"},
    }


def test_fields_that_are_too_many_are_cut(lines: io.StringIO) -> None:
    LOG.info("much", extra={"fields": {"text": "x" * 100_000}})
    assert len(lines.getvalue()) < 20_000
    assert list(json.loads(lines.getvalue())["fields"]) == ["truncated"]


def test_a_module_writes_so_many_records_and_the_rest_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    volume = LogVolume(clock, per_s=3)
    extra = info_fields(INFO)
    for number in range(10):
        volume.log(LOG, logging.WARNING, "%d", number, extra=extra)
    clock.advance(1.0)
    volume.log(LOG, logging.WARNING, "later", extra=extra)
    assert [record.getMessage() for record in caplog.records] == [
        *("0", "1", "2"),
        "7 records of module vendas were left out",
        "later",
    ]
    assert (volume.written, volume.dropped) == (4, 7)


def test_a_record_below_the_level_costs_nothing_of_the_volume(caplog: pytest.LogCaptureFixture) -> None:
    volume = LogVolume(FakeClock(), per_s=1)
    with caplog.at_level(logging.WARNING, "plataforma_sdk.test"):
        volume.log(LOG, logging.DEBUG, "quiet", extra=info_fields(INFO))
        volume.log(LOG, logging.WARNING, "loud", extra=info_fields(INFO))
    assert [record.getMessage() for record in caplog.records] == ["loud"]


def test_every_logger_of_the_library_completes_its_records() -> None:
    import plataforma_sdk.registry
    import plataforma_sdk.runtime
    import plataforma_sdk.web.desktop

    pytest.importorskip("plataforma_sdk.web.registry._tuf", exc_type=ImportError)
    root = Path(plataforma_sdk.runtime.__file__).parents[1]
    text = "".join(path.read_text("utf-8") for path in root.rglob("*.py"))
    names = set(re.findall(r'(?:getLogger|logger_of)\("(plataforma_sdk[\w.]*)"\)', text))
    names.discard("plataforma_sdk.integrations")  # imported by whoever uses one
    assert len(names) > 8
    assert [name for name in names if not logging.getLogger(name).filters] == []
