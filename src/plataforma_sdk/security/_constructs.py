"""Constructs that are dangerous, or unwell, whoever writes them: remarks, most of which fail nothing by themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from plataforma_sdk.security._facts import Facts, Sink
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._source import Source

__all__ = ["construct_issues", "shape_issues"]

_MAX_FUNCTION_LINES: Final = 100
_MAX_WAYS: Final = 15
_MIN_NAMES: Final = 6
_MEANINGLESS: Final = re.compile(
    r"_{3,}|_*[Il1]{4,}|_*[O0o]{4,}|_0x[0-9a-f]{3,}|[A-Za-z]{0,2}_?[0-9a-f]{16,}|_*[lI1O0]{6,}", re.ASCII
)
_BRANCHES: Final = (
    ast.If,
    ast.For,
    ast.While,
    ast.ExceptHandler,
    ast.IfExp,
    ast.comprehension,
    ast.match_case,
    ast.AsyncFor,
)
_NATIVE: Final = frozenset({"ctypes", "cffi", "mmap"})
_NETWORK: Final = frozenset(
    {
        "socket",
        "urllib.request",
        "http.client",
        "requests",
        "httpx",
        "httpx2",
        "aiohttp",
        "smtplib",
        "ftplib",
        "paramiko",
    }
)


def construct_issues(path: str, facts: Facts) -> Iterator[Issue]:
    """Find constructs that are dangerous whoever writes them."""
    for sink in facts.sinks:
        yield from _of_sink(path, sink)
    for line in facts.computed_imports:
        yield Issue.of("dynamic-import", path, line, "a module is imported whose name is computed")
    for name, line in facts.imports:
        if name.partition(".")[0] in _NATIVE:
            yield Issue.of("loads-native-code", path, line, f"{name} reaches native code and memory")
        elif name in _NETWORK:
            yield Issue.of("opens-a-connection", path, line, f"{name} is a library of the network")
    for name, line in facts.attributes:
        if name.endswith("="):
            yield Issue.of("changes-the-interpreter", path, line, f"{name.removesuffix('=')} is replaced")
    for line in facts.swallowed:
        yield Issue.of("swallows-everything", path, line, "everything is caught, and nothing done about it")
    yield from _loops(path, facts)


def _of_sink(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.kind == "code" and sink.name != "compile" and not sink.first.exact:
        yield Issue.of("dynamic-code", path, sink.line, f"{sink.name} runs what is not constant")
    elif sink.kind == "pickle":
        yield Issue.of("unsafe-pickle", path, sink.line, f"{sink.name} can run what it reads")
    elif sink.kind == "process" and sink.name != "webbrowser.open":
        yield Issue.of("starts-a-process", path, sink.line, f"{sink.name} starts a process")
    elif sink.kind == "native":
        yield Issue.of("loads-native-code", path, sink.line, f"{sink.name} reaches native code and memory")


def _loops(path: str, facts: Facts) -> Iterator[Issue]:
    at_load = facts.runs_at_load()
    for loop in facts.loops:
        if not loop.ends and loop.function in at_load:
            yield Issue.of("endless-loop", path, loop.line, "this loop runs at load, and never ends or waits")
    for line in facts.bombs:
        yield Issue.of("memory-bomb", path, line, "this constant takes more memory than there is")


def shape_issues(source: Source, facts: Facts) -> Iterator[Issue]:
    """Find functions that are too long or too branched, and names that mean nothing."""
    for name, line, lines in facts.long_functions:
        if lines > _MAX_FUNCTION_LINES:
            yield Issue.of("long-function", source.path, line, f"{name} has {lines} lines")
    if source.tree is not None:
        yield from _branched(source.path, source.tree)
    names = {*facts.names, *facts.functions} - {""}
    meaningless = [name for name in names if _MEANINGLESS.fullmatch(name)]
    if len(meaningless) >= _MIN_NAMES and 2 * len(meaningless) > len(names):
        shown = ", ".join(sorted(meaningless)[:3])
        yield Issue.of("meaningless-names", source.path, None, f"{len(meaningless)} of {len(names)} names: {shown}")


def _branched(path: str, tree: ast.Module) -> Iterator[Issue]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            ways = 1 + sum(isinstance(inner, _BRANCHES) for inner in ast.walk(node))
            if ways > _MAX_WAYS:
                yield Issue.of("deep-nesting", path, node.lineno, f"{node.name} has {ways} ways through it")
