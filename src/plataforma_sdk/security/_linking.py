"""Carries labels between the files of a package, so that a leak cut in two files is still one.

Each file is read by itself; what crosses is a call's arguments to a function of a file that is imported, what that
function returns, a name that is imported, and what the platform hands to a handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from plataforma_sdk.security._facts import Facts
from plataforma_sdk.security._scope import RESULT

__all__ = ["link"]

_MAX_ROUNDS = 4


def link(files: Mapping[str, Facts], check_time: Callable[[], None]) -> None:
    """Carry labels between files until nothing changes, or long enough.

    Args:
        files: path -> facts of the package's own sources; what a wheel carries is read by itself.
        check_time: raises where it takes too long.
    """
    pairs = [(facts, files[other]) for path, facts in files.items() for other in _imported(path, facts, files)]
    handlers = [(facts, other) for facts in files.values() if facts.handlers for other in files.values()]
    steps = [(_join, *pair) for pair in pairs] + [(_hand_over, *pair) for pair in handlers if pair[0] is not pair[1]]
    for _ in range(_MAX_ROUNDS):
        is_news = False
        for step, facts, other in steps:
            check_time()
            is_news |= step(facts, other)
        if not is_news:
            break
    for facts in files.values():
        facts.settle()


def _imported(path: str, facts: Facts, files: Mapping[str, Facts]) -> Iterator[str]:
    """Yield the package's own files that a file imports."""
    room = path.rpartition("/")[0]
    names = {name for name, _ in facts.imports}
    for other in files:
        stem = other.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        near = stem.removeprefix(f"{room.replace('/', '.')}.") if room else stem
        if other != path and any(name.lstrip(".") in (stem, near) for name in names):
            yield other


def _join(importer: Facts, imported: Facts) -> bool:
    is_news = False
    for called, values in importer.calls:
        function = imported.functions.get(called)
        if function is None or called in importer.functions:
            continue
        for parameter, value in zip(function.parameters, values, strict=False):
            labels = value.labels | importer.labels_of(value.reads)
            is_news |= bool(labels) and imported.receive([parameter], labels)
        is_news |= _bring(importer, imported, RESULT + called)
    labelled = imported.labelled_names()
    if labelled:
        for name in labelled & {name.rpartition(".")[2] for name, _ in importer.imports}:
            is_news |= _bring(importer, imported, name)
    return is_news


def _bring(importer: Facts, imported: Facts, name: str) -> bool:
    labels = imported.labels_of(((0, name),))
    return bool(labels) and importer.receive([(0, name)], labels)


def _hand_over(facts: Facts, other: Facts) -> bool:
    is_news = False
    for name, value in facts.handlers:
        function = other.functions.get(name)
        if function is not None and name not in facts.functions:
            is_news |= other.receive(function.parameters, value.labels | facts.labels_of(value.reads))
    return is_news
