"""Where a module begins: ``file:Class``, ``file``, or a WebAssembly component."""

from __future__ import annotations

import keyword
import re
from typing import Final, Self

import attrs

from plataforma_sdk.manifest._unfit import UnfitError

__all__ = ["Entry"]

_ADVICE: Final = "write 'file:Class', 'package.file:Class' or 'component.wasm'"
_SEGMENT: Final = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_MODULE: Final = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT}){{0,15}}", re.ASCII)
_FILE: Final = re.compile(rf"(?:{_SEGMENT}/){{0,15}}{_SEGMENT}\.py", re.ASCII)
_COMPONENT: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,100}/){0,15}[A-Za-z0-9_.-]{1,100}\.wasm", re.ASCII)


@attrs.frozen
class Entry:
    """The entry of a manifest, read.

    Attributes:
        target: a module (``"vendas"``, ``"pkg.vendas"``), a file (``"pkg/vendas.py"``) or a component (``"x.wasm"``).
        class_name: the author's class, or None for the one `ModuleFramework` subclass.

    >>> Entry.parse("pkg.vendas:VendasModule").candidates
    ('pkg/vendas.py', 'pkg/vendas/__init__.py')
    """

    target: str
    class_name: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an entry.

        Raises:
            ValueError: the text is none; the message says what to write.
        """
        target, colon, class_name = text.partition(":")
        is_component = _COMPONENT.fullmatch(target) is not None
        if not (is_component or _FILE.fullmatch(target) or _MODULE.fullmatch(target)):
            raise UnfitError(f"{target[:80]!r} names no Python file of the package", _ADVICE)
        if colon and is_component:
            raise UnfitError("a component has no class", f"write {target!r}")
        if colon and (not re.fullmatch(_SEGMENT, class_name, re.ASCII) or keyword.iskeyword(class_name)):
            raise UnfitError(f"{class_name[:80]!r} is no name of a class", _ADVICE)
        return cls(target, class_name or None)

    @property
    def is_component(self) -> bool:
        """Whether the entry is WebAssembly itself: a component or a core module."""
        return self.target.endswith(".wasm")

    @property
    def candidates(self) -> tuple[str, ...]:
        """Paths inside the package where the entry may stand, first choice first."""
        if self.target.endswith((".py", ".wasm")):
            return (self.target,)
        path = self.target.replace(".", "/")
        return f"{path}.py", f"{path}/__init__.py"
