"""What the commands say to a person, and how they end; a module's own words never reach a terminal as they are."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

import typer

__all__ = ["EXIT_FAILED", "EXIT_USAGE", "clean", "refuse", "say", "say_json", "say_line"]

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2


def clean(text: str) -> str:
    """Replace what a terminal could obey, lines kept."""
    from plataforma_sdk.ui._text_values import clean as cleaned

    return cleaned(text)


def say(text: str = "") -> None:
    """Write a line to standard output."""
    typer.echo(clean(text))


def say_line(text: str) -> None:
    """Write a line, and only one: what a registry says of a module could forge the next."""
    say(text.replace("\n", " "))


def say_json(data: Any) -> None:
    """Write one JSON object to standard output."""
    typer.echo(json.dumps(data))


def refuse(command: str, message: object, code: int = EXIT_FAILED) -> NoReturn:
    """Write an error to standard error, its command before it, and end the command."""
    typer.echo(f"{typer.style(f'{command}:', fg='red')} {clean(str(message))}", err=True)
    raise typer.Exit(code)
