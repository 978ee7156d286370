"""Options that several commands of ``plataforma registry`` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "DatabaseUrl", "Of"]

Of = Annotated[Path, typer.Option("--directory", file_okay=False, help="The registry's directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="PLATAFORMA_DATABASE",
        help="Index and tokens lie in PostgreSQL: postgresql://USER:PASSWORD@HOST:PORT/NAME. "
        "Other users of the machine see a command line: a password belongs into the variable.",
        show_default=False,
    ),
]
