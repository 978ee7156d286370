"""The audit file: its lines, its limits, its rights."""

from __future__ import annotations

import json
import os
import stat
import threading

import pytest

from plataforma_sdk.errors import PermissionDeniedError, PlataformaError
from plataforma_sdk.permissions import AuditRecord, PermissionManager
from plataforma_sdk.runtime._audit import AuditLog


def record(action="check", permission="api.vendas", *, at=0.0, module="vendas", outcome="denied", detail="undeclared"):
    return AuditRecord(
        at=at, subject="ana", module=module, action=action, permission=permission, outcome=outcome, detail=detail
    )


def read(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "audit.jsonl"


def test_one_json_object_a_line(path):
    with AuditLog(path) as log:
        log(record(at=1_700_000_000.5))
        log(record("grant", "api.*", outcome="allowed", detail="forever"))
        assert len(read(path)) == 2  # handed over at once, not at the end
    assert read(path)[0] == {
        "at": "2023-11-14T22:13:20.500+00:00",
        "subject": "ana",
        "module": "vendas",
        "action": "check",
        "permission": "api.vendas",
        "outcome": "denied",
        "detail": "undeclared",
    }


def test_it_serves_a_manager(path):
    with AuditLog(path) as log, pytest.raises(PermissionDeniedError):
        PermissionManager(module="vendas", audit=log).require("api.vendas")
    assert [(line["action"], line["permission"], line["detail"]) for line in read(path)] == [
        ("check", "api.vendas", "not granted")
    ]


def test_only_the_owner_may_read(path):
    path.parent.mkdir()
    path.touch(mode=0o644)
    with AuditLog(path, max_bytes=1) as log:
        log(record("grant"))
        log(record("grant"))
    files = sorted(path.parent.iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


def test_a_missing_directory_is_the_owners(path):
    AuditLog(path).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system cannot refuse to follow a link")
def test_a_link_is_refused(path, tmp_path):
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlataformaError, match="cannot be opened"):
        AuditLog(path)
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_written_can_begin_a_line_or_steer_a_terminal(path):
    with AuditLog(path) as log:
        log(record("grant", detail="a\nb\x1b[2J\u202e"))
    assert path.read_bytes().count(b"\n") == 1
    assert all(32 <= byte < 127 or byte == 10 for byte in path.read_bytes())


def test_a_line_that_a_crash_cut_is_ended(path):
    path.parent.mkdir()
    path.write_text('{"at": "20')
    with AuditLog(path) as log:
        log(record())
    assert path.read_text().splitlines()[0] == '{"at": "20'
    assert json.loads(path.read_text().splitlines()[1])["action"] == "check"


def test_it_goes_on_where_the_last_run_ended(path):
    for _ in range(2):
        with AuditLog(path) as log:
            log(record("grant"))
    assert len(read(path)) == 2


def test_a_full_file_is_renamed_and_the_oldest_goes(path):
    with AuditLog(path, max_bytes=400, kept_files=2) as log:
        for number in range(20):
            log(record("grant", f"api.a{number}"))
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(file.stat().st_size <= 400 for file in path.parent.iterdir())
    assert read(path)[-1]["permission"] == "api.a19"


def test_no_file_need_be_kept(path):
    with AuditLog(path, max_bytes=1, kept_files=0) as log:
        for _ in range(3):
            log(record("grant"))
    assert [file.name for file in path.parent.iterdir()] == ["audit.jsonl"]


def test_a_repeated_denial_is_counted_until_the_minute_is_over(path):
    with AuditLog(path) as log:
        for number in range(1_000):
            log(record(at=number / 100))
        assert len(read(path)) == 1
        log(record(at=60.0))
        lines = read(path)
    assert [line.get("repeated") for line in lines] == [None, 999, None]
    assert lines[1]["permission"] == "api.vendas"


def test_other_reasons_and_other_modules_have_lines_of_their_own(path):
    with AuditLog(path) as log:
        log(record())
        log(record(detail="denied"))
        log(record("request"))
        log(record(module="other"))
    assert len(read(path)) == 4


def test_closing_writes_what_was_counted(path):
    log = AuditLog(path)
    log(record())
    log(record())
    log.close()
    log.close()
    assert [line.get("repeated") for line in read(path)] == [None, 1]


def test_one_module_cannot_fill_the_file_by_asking_for_ever_new_names(path):
    with AuditLog(path) as log:
        for number in range(10_000):
            log(record(permission=f"api.a{number}", at=number / 1_000))
        log(record(module="other", at=10.0))
    lines = read(path)
    assert len(lines) == 102
    assert lines[100]["module"] == "other"
    assert (lines[101]["action"], lines[101]["dropped"]) == ("dropped", 9_900)


def test_what_is_remembered_of_a_module_is_bounded(path):
    with AuditLog(path) as log:
        for number in range(10_000):
            log(record(permission=f"api.a{number}"))
        assert len(log._windows["vendas"].repeats) == 100


def test_changes_are_always_written(path):
    with AuditLog(path) as log:
        for _ in range(200):
            log(record("deny"))
    assert len(read(path)) == 200


def test_prompts_are_written_one_by_one_within_the_modules_lines(path):
    with AuditLog(path) as log:
        for _ in range(200):
            log(record("prompt"))
    assert [line["action"] for line in read(path)] == ["prompt"] * 100 + ["dropped"]


def test_a_clock_set_back_does_not_stop_the_log(path):
    with AuditLog(path) as log:
        log(record(at=1_000.0))
        log(record(at=1.0))
    assert len(read(path)) == 2


def test_a_closed_log_refuses(path):
    log = AuditLog(path)
    log.close()
    with pytest.raises(ValueError, match="closed"):
        log(record())


def test_lines_of_many_threads_stay_whole(path):
    with AuditLog(path, max_bytes=5_000, kept_files=100) as log:

        def write(name):
            for number in range(50):
                log(record("grant", f"api.{name}.{number}"))

        threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(len(read(file)) for file in path.parent.iterdir()) == 200
