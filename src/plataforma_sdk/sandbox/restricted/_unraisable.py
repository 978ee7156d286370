"""What a module raises where nobody can catch it: in a generator's ``finally`` when the generator is freed.

CPython writes such an error to the standard error of the host, in C and with the meter off; and the text of an error
may have no end: ``raise ValueError(a)`` with a list that is shared sixty times over. So an error that comes out of a
module's code is dropped. Whatever the host's own code raises goes to the hook that was there before.
"""

from __future__ import annotations

import sys
import types
from typing import Any

__all__ = ["watch_unraisable"]


def watch_unraisable() -> None:
    """See to the process's hook, once; where the host sets another one later, that is seen to in turn.

    The hook is the process's, as `sys.unraisablehook` is: a sandbox cannot have one of its own.
    """
    previous = sys.unraisablehook
    if getattr(previous, "drops_errors_of_modules", False):
        return

    def hook(unraisable: Any) -> None:
        if not _is_of_a_module(unraisable.exc_traceback):
            previous(unraisable)

    hook.drops_errors_of_modules = True  # type: ignore[attr-defined]
    sys.unraisablehook = hook


def _is_of_a_module(traceback: types.TracebackType | None) -> bool:
    while traceback is not None:
        if "_fuel_" in traceback.tb_frame.f_globals:
            return True
        traceback = traceback.tb_next
    return False
