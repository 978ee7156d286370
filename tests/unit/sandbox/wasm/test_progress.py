"""What takes seconds says so."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from plataforma_sdk.sandbox.wasm._progress import announced


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_log_hears_the_beginning_and_the_end(caplog):
    with caplog.at_level(logging.INFO, "plataforma_sdk.sandbox.wasm"), announced("Compiling", 8.0):
        pass
    assert [record.message for record in caplog.records] == ["Compiling, about 8 s ...", "Compiling: done in 0.0 s"]


def test_a_terminal_sees_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with announced("Compiling", 8.0):
        pass
    text = sys.stderr.getvalue()
    assert "░" in text
    assert text.endswith("plataforma: Compiling: done in 0.0 s\n")


def test_what_is_no_terminal_sees_nothing(capsys):
    with announced("Compiling", 8.0):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_failure_is_shown_and_goes_on(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(RuntimeError), announced("Compiling", 8.0):
        raise RuntimeError
    assert sys.stderr.getvalue().endswith("Compiling: failed\n")
