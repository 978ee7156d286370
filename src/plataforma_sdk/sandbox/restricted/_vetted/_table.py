"""Name of a vetted module -> the function that makes it for one sandbox."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plataforma_sdk.sandbox.restricted._names import mangle
from plataforma_sdk.sandbox.restricted._sealed import SealedFunction, namespace
from plataforma_sdk.sandbox.restricted._vetted._collections import make_collections
from plataforma_sdk.sandbox.restricted._vetted._dates import make_datetime, make_time
from plataforma_sdk.sandbox.restricted._vetted._language import (
    make_abc,
    make_abstract,
    make_dataclasses,
    make_enum,
    make_typing,
)
from plataforma_sdk.sandbox.restricted._vetted._numbers import make_decimal, make_math, make_random
from plataforma_sdk.sandbox.restricted._vetted._patterns import make_re
from plataforma_sdk.sandbox.restricted._vetted._texts import (
    make_base64,
    make_hashlib,
    make_json,
    make_string,
    make_struct,
    make_uuid,
)
from plataforma_sdk.sandbox.restricted._vetted._zones import make_zoneinfo

if TYPE_CHECKING:
    from plataforma_sdk.sandbox.restricted._sandbox import Sandbox

__all__ = ["LIBRARIES", "LIBRARY_NAMES"]

_GUEST: Final = (
    "itertools",
    "functools",
    "statistics",
    "textwrap",
    "copy",
    "operator",
    "contextlib",
    "csv",
    "bisect",
    "heapq",
)


def _guest(name: str) -> Callable[[Sandbox], Any]:
    """Run ``guest/<name>.py`` under the policy, and seal what it defines."""

    def make(sandbox: Sandbox) -> Any:
        source = (importlib.resources.files(__package__) / "guest" / f"{name}.py").read_text("utf-8")
        helpers = {mangle("_copy_name"): SealedFunction(functools.partial(_copy_name, sandbox), "copy_name")}
        defined = sandbox.run_source(source, f"<library>/{name}.py", helpers)
        members = {key: value for key, value in defined.items() if not key.startswith(("_", "p0_")) and key != "Any"}
        return namespace(name, members)

    return make


def _copy_name(sandbox: Sandbox, function: Any, original: Any) -> Any:
    """What ``functools.wraps`` does, for the name: a handler is found by it."""
    if sandbox.classes.is_own_function(function) and callable(original):
        name = getattr(original, "__name__", None)
        function.__name__ = function.__qualname__ = name if type(name) is str else function.__name__
    return function


LIBRARIES: Final[Mapping[str, Callable[[Sandbox], Any]]] = {
    "abc": make_abc,
    "base64": make_base64,
    "collections": make_collections,
    "collections.abc": make_abstract,
    "dataclasses": make_dataclasses,
    "datetime": make_datetime,
    "decimal": make_decimal,
    "enum": make_enum,
    "hashlib": make_hashlib,
    "json": make_json,
    "math": make_math,
    "random": make_random,
    "re": make_re,
    "string": make_string,
    "struct": make_struct,
    "time": make_time,
    "typing": make_typing,
    "uuid": make_uuid,
    "zoneinfo": make_zoneinfo,
} | {name: _guest(name) for name in _GUEST}

LIBRARY_NAMES: Final = frozenset(LIBRARIES) | {"asyncio", "__future__"}
"""What the policy lets a module import, beside `plataforma_sdk`."""
