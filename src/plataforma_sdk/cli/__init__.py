"""The ``plataforma`` command. Needs the extra ``cli``; without it the command says how to get it.

Exit codes: 0 done, 1 a tier or a module failed or was refused what it requires, 2 the command was used wrongly.
"""

from __future__ import annotations

import io
import sys

__all__ = ["main"]

_NEEDED = frozenset({"click", "rich", "shellingham", "tomlkit", "typer"})


def main() -> None:
    """Run the command line of this process."""
    try:
        from plataforma_sdk.cli._app import app

        _show_what_it_can()
        app(prog_name="plataforma")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _NEEDED:
            raise
        sys.stderr.write(f"The plataforma command needs {error.name!r}: install 'plataforma-sdk[cli]'\n")
        raise SystemExit(1) from None


def _show_what_it_can() -> None:
    """Write ``?`` for what the terminal's encoding lacks: words of a module must not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
