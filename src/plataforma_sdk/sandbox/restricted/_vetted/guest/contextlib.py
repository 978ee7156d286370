"""`contextlib`, written in the restricted language itself."""

# ruff: noqa: D101, D103, N801 - written as the original is

from typing import Any


class suppress:
    def __init__(self, *errors: Any) -> None:
        self._errors = errors

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        return error is not None and isinstance(error, self._errors)


class nullcontext:
    def __init__(self, value: Any = None) -> None:
        self._value = value

    def __enter__(self) -> Any:
        return self._value

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        return None


class _Managed:
    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __enter__(self) -> Any:
        return next(self._generator)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        if error is None:
            next(self._generator, None)
            return False
        try:
            self._generator.throw(error)
        except StopIteration:
            return True
        except Exception as raised:
            if raised is error:
                return False
            raise
        return True


def contextmanager(function: Any) -> Any:
    return lambda *args, **kwargs: _Managed(function(*args, **kwargs))
