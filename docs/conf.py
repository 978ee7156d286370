"""Sphinx: the pages are Markdown, the reference is read from the docstrings."""

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import plataforma_sdk

project = "plataforma-sdk"
author = "The plataforma-sdk authors"
project_copyright = author
version = release = plataforma_sdk.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"plataforma-sdk {release}"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "code"


def is_public_name(name: str, member: object) -> bool:
    """Tell whether the page of public names describes what a room re-exports; errors are described in their room."""
    return (
        name in plataforma_sdk.__all__
        and getattr(plataforma_sdk, name) is member
        and getattr(member, "__module__", "") != "plataforma_sdk.errors"
    )


def skip_public_name(_app: Sphinx, what: str, name: str, member: object, _skip: bool, _options: object) -> bool | None:
    """Describe each name once."""
    return True if what == "module" and is_public_name(name, member) else None


def lend_constants(_app: Sphinx) -> None:
    """Let autodoc find what stands under a room's constants: it reads the room's own file, they are in private ones."""
    package = Path(plataforma_sdk.__file__).parent
    for room in package.rglob("__init__.py"):
        name = ".".join(room.parent.relative_to(package.parent).parts)
        if "guest" in room.parts:
            continue  # imports what exists inside the guest only
        analyzer = ModuleAnalyzer.for_module(name)
        analyzer.analyze()
        for file in sorted(room.parent.glob("_[!_]*.py")):
            private = ModuleAnalyzer.for_file(file, f"{name}.{file.stem}")
            private.analyze()
            constants = {place: lines for place, lines in private.attr_docs.items() if not place[0]}
            analyzer.attr_docs = constants | analyzer.attr_docs


def name_public(_app: Sphinx, what: str, _name: str, room: object, _options: object, lines: list[str]) -> None:
    """Say in a room which of its names are described among the public ones."""
    if what == "module":
        names = [item for item in getattr(room, "__all__", ()) if is_public_name(item, getattr(room, item))]
        links = ", ".join(f":py:obj:`~plataforma_sdk.{item}`" for item in names)
        lines.extend(["", f"Among the public names: {links}.", ""] if names else [])


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.connect("builder-inited", lend_constants)
    app.connect("autodoc-skip-member", skip_public_name)
    app.connect("autodoc-process-docstring", name_public)
