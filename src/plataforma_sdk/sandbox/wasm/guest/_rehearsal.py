"""A rehearsal: load and run a module like many another, and leave no trace of it but a warm interpreter.

It runs when the runner is built, so often that the interpreter has specialized its code and filled its caches: what an
instance then need not write stays shared between all of them. It runs once more in each instance before a module is
loaded into it, so that the pages that every module writes are its own already; with the same inputs in each, since a
seeded run must not depend on whether its instance was made ahead.
"""

from __future__ import annotations

import binascii
import linecache
import marshal
import sys
from typing import Final

from plataforma_sdk import codec
from plataforma_sdk.sandbox.wasm.guest._finder import ROOT, compile_file
from plataforma_sdk.sandbox.wasm.guest._guest import Guest
from plataforma_sdk.sandbox.wasm.guest._wire import read

__all__ = ["prepare", "rehearse"]

_PATH: Final = "rehearsal.py"
_SOURCE: Final = r"""
import asyncio, re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from plataforma_sdk import ModuleFramework, ui

class Kind(Enum):
    SMALL = "small"

@dataclass
class Item:
    name: str
    count: int = 1
    tags: list[str] = field(default_factory=list)
    kind: Kind = Kind.SMALL

class Rehearsal(ModuleFramework):
    PATTERN = re.compile(r"(\w+)-\d{2,3}[^a-z]x?$")

    async def on_load(self):
        self.items: dict[str, Item] = {}
        self.counts: Counter[str] = Counter()
        self.by_name: dict[str, list[str]] = defaultdict(list)
        self.log("info", "here")

    def render(self):
        return ui.text("a")

    def add(self, name="a-100", rows=()):
        item = self.items[name] = Item(name, 2, [str(row) for row in rows])
        self.by_name[name].append(f"{item.count:.2f}")
        self.counts[name] += 1
        found = self.PATTERN.sub(lambda match: match[0].upper(), name)
        return {"name": repr(item), "kind": item.kind.value, "found": found}

    async def wait(self):
        return await asyncio.gather(self.storage.get("a"), self.storage.get("b"))
"""
_SNIPPET: Final = (
    "class Small:\n    async def go(self, n=1, *rest):\n        return f'{n}' if rest else [await x for x in n]\n"
)

_CONFIG: Final = {
    "id": "rehearsal",
    "version": "1.0.0",
    "config": {},
    "locale": "en",
    "messages": {},
    "max_tree_nodes": 100,
    "seed": 1,
    "now": 0.0,
}

_INBOXES: Final = (
    "0.0\nc1 @load []",
    '0.25\nc2 add ["a-100",[1,2.5,null,true,"x"]]\nc3 add {"args":[],"kwargs":{"name":"b-200"}}',
    '0.5\nc4 wait []\nc5 @render ["main"]',
    '0.75\nv1 {"x":1}\nv2 "y"',
)


class _Refusal(Exception):  # noqa: N818 - stands in for the component's `Err`, which is none either
    value = "{}"


def prepare(request: str) -> str:
    """Serve the engine before there is a module.

    Args:
        request: empty to rehearse, else ``{path: source}`` to compile.

    Returns:
        Nothing, or ``{path: marshalled code in base64}`` without the files that do not compile: whoever loads them
        from source learns why.
    """
    if not request:
        rehearse()
        return ""
    return codec.encode({path: code for path, source in read(request).items() if (code := _compiled(path, source))})


def _compiled(path: str, source: str) -> str | None:
    try:
        return binascii.b2a_base64(marshal.dumps(compile_file(path, source)), newline=False).decode()
    except Exception:  # noqa: BLE001 - a syntax error, a null byte, a nesting too deep: the load will say which
        return None


def rehearse() -> None:
    """Compile, load, call, render and wait, on a guest of its own; then forget it."""
    compile_file(_PATH, _SNIPPET)
    guest = Guest(_answer, _Refusal)
    sys.meta_path.insert(0, guest.finder)
    try:
        guest.load(_BUNDLE, codec.encode(_CONFIG))
        for inbox in _INBOXES:
            guest.pump(inbox)
    finally:
        sys.meta_path.remove(guest.finder)
        linecache.cache.pop(_PATH, None)
        for name in [name for name in sys.modules if name.partition(".")[0] == ROOT]:
            del sys.modules[name]


def _answer(_method: str, _payload: str) -> str:
    return "null"


_BUNDLE: Final = codec.encode(
    {
        "entry": _PATH,
        "class": None,
        "files": {_PATH: _SOURCE},
        "codes": {_PATH: _compiled(_PATH, _SOURCE)},
    }
)
"""Compiled once, when the runner is built: compiling it takes longer than all the rest."""
