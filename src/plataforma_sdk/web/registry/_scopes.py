"""What a token allows: an action, and on which modules."""

from __future__ import annotations

import re
from typing import Final, Self

import attrs

from plataforma_sdk.errors import RegistryError
from plataforma_sdk.types import is_module_id

__all__ = ["ACTIONS", "Scope"]

ACTIONS: Final = ("read", "publish", "yank")
_NAMESPACE: Final = re.compile(r"(?P<namespace>.+)/\*", re.DOTALL)


@attrs.frozen
class Scope:
    """An action, and the modules that it is allowed on.

    Attributes:
        action: ``"publish"``, ``"yank"`` or ``"read"``; reading is of the whole registry, since blobs have no module.
        pattern: a module id, ``"acme/*"`` for a namespace, or ``"*"`` for all.

    >>> Scope.parse("publish:acme/*").allows("publish", "acme/vendas")
    True
    """

    action: str
    pattern: str = "*"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"publish:acme/*"``; without a pattern, of all modules.

        Raises:
            RegistryError: no such action, or no such pattern.
        """
        action, colon, pattern = text.partition(":")
        if action not in ACTIONS:
            raise RegistryError(f"{text[:80]!r} allows nothing: write {', '.join(ACTIONS)}, or 'publish:acme/*'")
        if not colon:
            return cls(action)
        found = _NAMESPACE.fullmatch(pattern)
        is_pattern = pattern == "*" or is_module_id(f"{found['namespace']}/x" if found else pattern)
        if not is_pattern or (action == "read" and pattern != "*"):
            raise RegistryError(
                f"{text[:80]!r} names no modules: write 'publish:vendas', 'publish:acme/*' or 'publish'; "
                "'read' is of all modules"
            )
        return cls(action, pattern)

    def __str__(self) -> str:
        return self.action if self.pattern == "*" else f"{self.action}:{self.pattern}"

    def allows(self, action: str, module_id: str | None = None) -> bool:
        """Whether the action is allowed on a module, or on some module where none is named."""
        if action != self.action:
            return False
        if module_id is None or self.pattern in ("*", module_id):
            return True
        return self.pattern.endswith("/*") and module_id.startswith(self.pattern[:-1])
