"""As much of pytest as the tests of a few packages need, for running them inside the guest, where no files are.

Packed into a wheel as ``pytest.py``. `run` finds functions and classes named for tests, those of `unittest` included,
and runs them with their fixtures and parameters.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import re
import traceback
import types
import unittest
import warnings
from collections.abc import Callable, Iterator
from typing import Any


class Skipped(Exception):
    pass


class _Raised:
    """Serves as the context, again and again, and as what it found."""

    def __init__(self, expected, pattern):
        self.expected, self.pattern, self.value = expected, pattern, None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert error is not None, f"{self.expected} was not raised"
        if not isinstance(error, self.expected):
            return False
        self.value = error
        if self.pattern is not None:
            self.match(self.pattern)
        return True

    @property
    def type(self):
        return type(self.value)

    def match(self, pattern):
        assert re.search(pattern, str(self.value)), f"{pattern!r} is not in {str(self.value)!r}"
        return True

    def __str__(self):
        return str(self.value)


def raises(expected, function=None, *args, match=None, **kwargs):
    if function is None:
        return _Raised(expected, match)
    with _Raised(expected, None) as found:
        function(*args, **kwargs)
    return found


@contextlib.contextmanager
def warns(expected, match=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    assert any(issubclass(warning.category, expected) for warning in caught)


@contextlib.contextmanager
def deprecated_call(match=None):
    with warns((DeprecationWarning, PendingDeprecationWarning), match) as caught:
        yield caught


def skip(reason="", **_):
    raise Skipped(reason)


def fail(reason=""):
    raise AssertionError(reason)


def importorskip(name, *_, **__):
    try:
        return __import__(name)
    except ImportError:
        raise Skipped(name) from None


def param(*values, **_):
    return _Param(values)


class _Param:
    def __init__(self, values):
        self.values = values


class _Mark:
    def parametrize(self, names, values, ids=None, indirect=False):
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

        def decorate(function):
            rows = [dict(zip(names, _row(value, len(names)), strict=True)) for value in values]
            function.parameters = [*getattr(function, "parameters", ()), rows]
            return function

        return decorate

    def skipif(self, condition, reason=""):
        return self.skip if condition else lambda function: function

    def xfail(self, condition, reason=""):
        return self.skipif(condition, reason)

    def skip(self, function=None, reason=""):
        if not callable(function):
            return self.skip
        function.is_skipped = True
        return function

    def __getattr__(self, name):
        def mark(*args, **_):
            return args[0] if len(args) == 1 and callable(args[0]) else lambda function: function

        return mark


def _row(value, count):
    if isinstance(value, _Param):
        return value.values
    return (value,) if count == 1 else tuple(value)


mark = _Mark()
FIXTURES: dict[tuple[str, str], Callable[..., Any]] = {}
"""``(module, name)`` -> what makes it; those of ``conftest`` serve every module."""


def fixture(function=None, *, name=None, params=None, **_):
    def decorate(function):
        function.params = params
        FIXTURES[function.__module__, name or function.__name__] = function
        return function

    return decorate if function is None else decorate(function)


class _Request:
    def __init__(self, param):
        self.param = param


def _fixture_values(name, module, instance):
    function = FIXTURES.get((module, name)) or FIXTURES.get(("conftest", name))
    if function is None:
        raise Skipped(f"no fixture {name}")
    for chosen in function.params or (None,):
        extra = {"request": _Request(chosen)} if "request" in inspect.signature(function).parameters else {}
        wanted = [word for word in inspect.signature(function).parameters if word not in ("request", "self")]
        for row in itertools.product(*(list(_fixture_values(word, module, instance)) for word in wanted)):
            own = (instance,) if "self" in inspect.signature(function).parameters else ()
            made = function(*own, **dict(zip(wanted, row, strict=True)), **extra)
            yield next(made) if isinstance(made, types.GeneratorType) else made


def _cases(function, instance, rows) -> Iterator[dict[str, Any]]:
    for combination in itertools.product(*rows):
        given = {name: value for row in combination for name, value in row.items()}
        wanted = [name for name in inspect.signature(function).parameters if name not in given]
        for values in itertools.product(
            *(list(_fixture_values(name, function.__module__, instance)) for name in wanted)
        ):
            yield {**given, **dict(zip(wanted, values, strict=True))}


def _functions(module):
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and issubclass(value, unittest.TestCase):
            for method in unittest.defaultTestLoader.getTestCaseNames(value):
                case = value(method)
                yield f"{name}.{method}", types.SimpleNamespace(run=case.debug), None, ()
        elif isinstance(value, type) and name.startswith("Test"):
            for method in [word for word in dir(value) if word.startswith("test")]:
                if not callable(getattr(value, method)):
                    continue
                instance = value()
                rows = (*getattr(value, "parameters", ()), *getattr(getattr(value, method), "parameters", ()))
                yield f"{name}.{method}", getattr(instance, method), instance, rows
        elif name.startswith("test") and inspect.isfunction(value):
            yield name, value, None, getattr(value, "parameters", ())


async def run(module, unfit=()) -> dict[str, Any]:
    """Run the tests of a module, those that are `unfit` by class or name counted as skipped.

    Returns how many passed and were skipped, and name -> traceback of the rest.
    """
    passed, skipped, failed = 0, 0, {}
    for name, function, instance, rows in _functions(module):
        await asyncio.sleep(0)
        if getattr(function, "is_skipped", False) or any(part in unfit for part in name.split(".")):
            skipped += 1
            continue
        try:
            if isinstance(function, types.SimpleNamespace):
                function.run()
                passed += 1
                continue
            for arguments in _cases(function, instance, rows):
                result = function(**arguments)
                if inspect.isawaitable(result):
                    await result
                passed += 1
        except (Skipped, unittest.SkipTest):
            skipped += 1
        except Exception:
            failed[name] = traceback.format_exc()[-1_000:]
    return {"passed": passed, "skipped": skipped, "failed": failed}
