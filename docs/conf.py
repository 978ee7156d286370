"""Sphinx: the pages are Markdown, the reference is read from the docstrings."""

import re
import sys
from pathlib import Path

import attrs
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


def keep_colons(_app: Sphinx, what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Put back what napoleon took for a type: under a constant or property it reads ``type: text``, we write none."""
    places = [place for place, line in enumerate(lines) if line.startswith(":type: ")]
    if what in {"attribute", "data", "property"} and places:
        lines[0] = f"{lines.pop(places[0]).removeprefix(':type: ')}: {lines[0]}"


def write_defaults(
    _app: Sphinx, what: str, _name: str, obj: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Write the defaults of attrs classes: the source of their generated ``__init__`` says nothing to a reader."""
    if what not in {"class", "exception"} or not signature or not attrs.has(obj):
        return None
    defaults = {field.name: field.default for field in attrs.fields(obj)}

    def write(found: re.Match[str]) -> str:
        value = defaults.get(found[1] or "", attrs.NOTHING)
        return "..." if value is attrs.NOTHING or isinstance(value, attrs.Factory) else repr(value)

    return re.sub(r"attr_dict\['(\w+)'\]\.default|\bNOTHING\b", write, signature), returns


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.connect("builder-inited", lend_constants)
    app.connect("autodoc-skip-member", skip_public_name)
    app.connect("autodoc-process-docstring", name_public)
    app.connect("autodoc-process-docstring", keep_colons, priority=600)  # after napoleon
    app.connect("autodoc-process-signature", write_defaults)
