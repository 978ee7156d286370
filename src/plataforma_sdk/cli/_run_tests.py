"""``plataforma test``: pytest with the plugin of this library, in the directory of a module."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from plataforma_sdk.cli._say import EXIT_FAILED, EXIT_USAGE, refuse

__all__ = ["run_tests_command"]

_MANIFEST: Final = "module.toml"
_PLUGIN: Final = "plataforma_sdk.testing.plugin"
_TIERS: Final = ("trusted", "restricted", "wasm", "all")
_PYTEST_USAGE, _PYTEST_NO_TESTS = 4, 5


def run_tests_command(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH | PYTEST ARGUMENT",
            help="The module's directory, or here; everything else is pytest's, such as -k NAME or -x.",
            show_default=False,
        ),
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="trusted, restricted, wasm or all: run in this tier, whatever the tests say.")
    ] = None,
) -> None:
    """Run a module's tests.

    With pytest and the plugin of this library, in the module's directory.

    Exit codes: 0 all passed; 1 one failed, there is none, or permissions of module.toml are used by none; 2 wrong use.
    """
    import importlib.util
    import subprocess

    root, rest = _split(arguments or [])
    if tier is not None and tier not in _TIERS:
        refuse("test", f"{tier!r} is no tier: write one of {', '.join(_TIERS)}", EXIT_USAGE)
    if not (root / _MANIFEST).is_file():
        refuse(
            "test",
            f"there is no {_MANIFEST} in {root.resolve()}: go to a module's directory, name it (plataforma test PATH), "
            "or make one (plataforma new)",
            EXIT_USAGE,
        )
    if importlib.util.find_spec("pytest") is None:
        refuse("test", f"pytest is missing: {sys.executable} -m pip install pytest", EXIT_USAGE)
    done = subprocess.run(_command(tier, rest), cwd=root, check=False)  # noqa: S603 - what the person typed
    _end(done.returncode, root)


def _split(arguments: Sequence[str]) -> tuple[Path, Sequence[str]]:
    """Take the first argument for the module's directory if it is one, or none of pytest's business."""
    first = Path(arguments[0]) if arguments and not arguments[0].startswith("-") else None
    if first is not None and ((first / _MANIFEST).is_file() or not Path(_MANIFEST).is_file()):
        return first, arguments[1:]
    return Path(), arguments


def _command(tier: str | None, rest: Sequence[str]) -> list[str]:
    """Write the command line; -P as in the script ``pytest``: a module's ``json.py`` must not hide the library's."""
    from importlib.metadata import entry_points

    installed = entry_points(group="pytest11")
    plugin = [] if any(point.value == _PLUGIN for point in installed) else ["-p", _PLUGIN]
    chosen = [] if tier is None else ["--plataforma-tier", tier]
    where = ["--rootdir", ".", "-o", "plataforma_module=."]
    return [sys.executable, "-P", "-m", "pytest", "-rs", *plugin, *where, *chosen, *rest]


def _end(code: int, root: Path) -> None:
    if code == _PYTEST_NO_TESTS:
        refuse("test", f"no test was run in {root.resolve()}: write one as tests/test_NAME.py, or choose others")
    if code:
        raise typer.Exit(EXIT_USAGE if code == _PYTEST_USAGE else EXIT_FAILED)
