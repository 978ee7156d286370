"""``plataforma new``: a module that loads, with its tests, from a template."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from plataforma_sdk.cli._say import EXIT_FAILED, EXIT_USAGE, refuse, say
from plataforma_sdk.errors import PlataformaError

__all__ = ["new_command"]

_ID_RULE: Final = "an id is a-z, 0-9 and single hyphens, as vendas or acme/vendas, at most 64 bytes"


class TemplateChoice(StrEnum):
    """What a new module is made from."""

    PYTHON = "python"
    WINDOW = "window"
    JAVASCRIPT = "javascript"
    C = "c"


_ABOUT: Final = {
    TemplateChoice.PYTHON: "reacts to events, keeps a sum",
    TemplateChoice.WINDOW: "Python with a window: a list and a form",
    TemplateChoice.JAVASCRIPT: "a WebAssembly component; needs Node and npm to build",
    TemplateChoice.C: "a core WebAssembly module; needs clang, lld and wasi-libc to build",
}
_BUILD: Final = {
    TemplateChoice.JAVASCRIPT: "npm install --no-package-lock && sh build.sh",
    TemplateChoice.C: "sh build.sh",
}


def new_command(  # noqa: PLR0917 - typer calls it by name
    id: Annotated[  # noqa: A002 - the manifest's word, and what the help shows
        str | None, typer.Argument(metavar="NAME", help="The module's id, such as vendas or acme/vendas.")
    ] = None,
    template: Annotated[
        TemplateChoice | None,
        typer.Option("--template", "-t", help="What to begin with.", show_default="python, or asked for"),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--directory", "-d", help="Where to write it.", show_default="./NAME")
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", help="Its name for people.", show_default="made of NAME")
    ] = None,
    description: Annotated[str | None, typer.Option(help="A sentence about it.", show_default="made of NAME")] = None,
    author: Annotated[str, typer.Option(help="Who writes it.")] = "You",
    licence: Annotated[str, typer.Option(help="An SPDX licence expression.")] = "MIT",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: what no option says is as by default.")
    ] = False,
) -> None:
    """Make a module from a template.

    It has a manifest, tests and a README, and passes `plataforma test` at once. Asks for the name and the template
    where they are not given. Nothing that exists is overwritten.

    Exit codes: 0 made; 1 the directory is not empty or cannot be written; 2 wrong use: no id, or something that
    belongs in no manifest.
    """
    from plataforma_sdk.cli._scaffold import NewModule, make_files, write_files

    asks = not yes and can_ask()
    module_id = _checked_id(id if id is not None or not asks else typer.prompt("Name of the module, such as vendas"))
    chosen = template or (_ask_template() if asks else TemplateChoice.PYTHON)
    name = title or module_id.rpartition("/")[2].replace("-", " ").capitalize()
    module = NewModule(
        id=module_id, name=name, description=description or f"The module {name}.", author=author, licence=licence
    )
    target = directory or Path(module.directory)
    try:
        files = make_files(chosen.value, module)
    except PlataformaError as error:
        refuse("new", error, EXIT_USAGE)
    try:
        write_files(files, target)
    except FileExistsError:
        refuse("new", f"{target} exists and is not empty: choose another with --directory", EXIT_FAILED)
    except OSError as error:
        refuse("new", f"{target} cannot be written ({error.strerror}): choose another with --directory")
    _show(module_id, sorted(files), target, chosen)


def can_ask() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty()


def _checked_id(text: str | None) -> str:
    from plataforma_sdk.types import is_module_id

    if text is None:
        refuse("new", f"say what to make: plataforma new NAME; {_ID_RULE}", EXIT_USAGE)
    if not is_module_id(text):
        refuse("new", f"{text[:80]!r} is no id: {_ID_RULE}", EXIT_USAGE)
    return text


def _ask_template() -> TemplateChoice:
    for choice, what in _ABOUT.items():
        say(f"  {choice:<12}{what}")
    answer = typer.prompt("Template", default=TemplateChoice.PYTHON.value)
    if answer not in _ABOUT:
        refuse("new", f"{answer!r} is no template: write one of {', '.join(TemplateChoice)}", EXIT_USAGE)
    return TemplateChoice(answer)


def _show(module_id: str, names: list[str], target: Path, template: TemplateChoice) -> None:
    say(f"Made {module_id} in {target}: {', '.join(names)}")
    say("Next:")
    say(f"  cd {shlex.quote(str(target))}")
    if template in _BUILD:
        say(f"  {_BUILD[template]}")
    say("  plataforma test")
    say("  plataforma dev")
    say("  plataforma pack")
