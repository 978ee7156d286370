"""`Window`: one window of a module, and the rules of its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from plataforma_sdk.errors import RenderError
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.windows._trees import TreeHistory

__all__ = ["Window", "checked_settings"]

MAX_TITLE_CHARS: Final = 200
MAX_SIDE: Final = 10_000
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@attrs.define(eq=False, kw_only=True)
class Window:
    """A window as the host sees it. Change it through `WindowManager`, which tells those who watch.

    Attributes:
        id: unique within the module: 1-64 letters, digits, ``_`` and ``-``.
        module: id of the module.
        title: what the title bar shows; control, bidi and invisible characters stripped, cut to 200 characters.
        width: in CSS pixels, 1 to 10,000.
        height: in CSS pixels, 1 to 10,000.
        modal: whether it blocks the module's other windows.
        is_open: False once closed; it does not open again.
        is_dirty: whether the module may show something else than `tree` by now.
    """

    id: str
    module: str
    title: str
    width: int
    height: int
    modal: bool
    is_open: bool = True
    is_dirty: bool = True
    history: TreeHistory = attrs.field(factory=TreeHistory, init=False, repr=False)

    @property
    def revision(self) -> int:
        """Number of `tree`, from 1; 0 before the first."""
        return self.history.revision

    @property
    def tree(self) -> Mapping[str, Any] | None:
        """What was shown last: ``{"type", "key", "props", "children"}``, not to be changed; None before the first."""
        current = self.history.current
        return None if current is None else current.tree


def checked_settings(module: str, window_id: object, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that hold what they may, the title cleaned.

    Raises:
        RenderError: one does not, or there is no such setting.
    """
    if not isinstance(window_id, str) or not _ID.fullmatch(window_id):
        raise _wrong(module, window_id, "its id holds 1 to 64 letters, digits, '_' and '-'")
    for name, value in settings.items():
        if name not in {"title", "width", "height", "modal"}:
            raise _wrong(module, window_id, f"there is no setting {name[:64]!r}; there are title, width and height")
        if name in {"width", "height"} and not (type(value) is int and 1 <= value <= MAX_SIDE):
            raise _wrong(module, window_id, f"{name} is a whole number from 1 to {MAX_SIDE:,}")
        if name == "modal" and type(value) is not bool:
            raise _wrong(module, window_id, "modal is True or False")
    if "title" not in settings:
        return dict(settings)
    title = settings["title"]
    cleaned = clean_text(title, MAX_TITLE_CHARS) if isinstance(title, str) else ""
    if not cleaned:
        raise _wrong(module, window_id, "title is a text that shows something")
    return {**settings, "title": cleaned}


def _wrong(module: str, window_id: object, problem: str) -> RenderError:
    return RenderError(f"Window {str(window_id)[:64]!r} of module {module!r}: {problem}", module=module)
