"""The sales example: inside an installed wheel, or under ``examples/`` in a source checkout."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from plataforma_sdk.errors import ModuleLoadError

__all__ = ["example_path", "sales_api"]

_HERE: Final = Path(__file__).resolve().parent
_PLACES: Final = (_HERE / "_examples", _HERE.parents[2] / "examples")


def example_path(name: str) -> Path:
    """Return the directory of an example.

    The wheel's copy comes first: beside an installed package ``examples/`` could be anybody's.

    Raises:
        ModuleLoadError: it is in neither place.
    """
    for place in _PLACES:
        if (place / name).is_dir():
            return place / name
    looked = " and ".join(str(place) for place in _PLACES)
    raise ModuleLoadError(f"The example {name!r} is missing, looked in {looked}: install the package again")


@contextlib.contextmanager
def sales_api(data: Path | None) -> Iterator[Any]:
    """Make the example's ASGI application over `data`, or over made-up sales that vanish with the block.

    Raises:
        ValueError: `data` lacks tables that the application reads.
    """
    server = _load_server()
    if data is not None:
        missing = server.missing_tables(data)
        if missing:
            raise ValueError(f"{data} is no SQLite file with Chinook's tables, it lacks {', '.join(missing)}")
        yield server.make_app(data)
        return
    with tempfile.TemporaryDirectory(prefix="plataforma-demo-") as directory:
        made_up = Path(directory, "synthetic.sqlite")
        server.write_synthetic(made_up)
        yield server.make_app(made_up)


def _load_server() -> ModuleType:
    """Import ``vendas_api`` by its path, since neither place is on the import path."""
    name, path = "_plataforma_vendas_api", example_path("vendas_api")
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path / "__init__.py", submodule_search_locations=[str(path)])
    if spec is None or spec.loader is None:
        raise ModuleLoadError(f"The example's API in {path} cannot be imported: install the package again")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
