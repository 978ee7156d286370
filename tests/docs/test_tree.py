"""The pages that tell of the tree, of the specification and of the benches say what there is."""

from __future__ import annotations

import re
import tomllib
from functools import reduce
from importlib import import_module
from pathlib import Path

import plataforma_sdk

ROOT = Path(__file__).resolve().parents[2]
TREE = (ROOT / "docs" / "explanation" / "why-this-tree.md").read_text("utf-8")
SPECIFICATION = (ROOT / "docs" / "explanation" / "from-the-specification.md").read_text("utf-8")
ROW = re.compile(r"^\| (?P<there>`.*?) \| (?P<here>.*?) \| (?P<stands>[\w ]+) \|$", re.MULTILINE)


def exists(name: str) -> bool:
    """Tell whether `room.Name.attribute` is something of the library, or a path something of the repository."""
    if "/" in name:
        return (ROOT / name).exists()
    room, *names = name.split(".")
    try:
        reduce(_member, names, import_module(f"plataforma_sdk.{room}"))
    except (AttributeError, ImportError):
        return False
    return True


def _member(owner: object, name: str) -> object:
    """Look a name up; fields of attrs classes and attributes of slots are no attributes of the class."""
    fields = {field.name: field for field in getattr(owner, "__attrs_attrs__", ())}
    slots = getattr(owner, "__slots__", {})
    return fields[name] if name in fields else name if name in slots else getattr(owner, name)


def test_every_room_that_is_drawn_exists_and_every_one_that_exists_is_drawn() -> None:
    drawn = set(re.findall(r"^  (\w+)(?:/|\.py) ", TREE, re.MULTILINE))
    package = Path(plataforma_sdk.__file__).parent
    there = {path.parent.name for path in package.glob("[!_]*/__init__.py")}
    assert drawn == there | {path.stem for path in package.glob("[!_]*.py")}


def test_the_layers_are_those_that_are_enforced() -> None:
    drawn = re.search(r"```text\n(cli\n.*?)```", TREE, re.DOTALL)
    assert drawn is not None
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    enforced = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    assert drawn[1].splitlines() == [re.sub(r"[()]", "", layer) for layer in enforced]


def test_what_is_said_to_be_here_is_here() -> None:
    rows = [(row["here"], row["stands"]) for row in ROW.finditer(SPECIFICATION)]
    assert {stands for _, stands in rows} <= {"here", "in part", "not yet"}
    named = {name for here, stands in rows if stands == "here" for name in re.findall(r"`([\w./]+)`", here)}
    assert sorted(name for name in named if not exists(name)) == []
    assert len(named) > 30


def test_what_is_said_to_be_not_yet_is_not() -> None:
    """When one of them comes, the page has to say so."""
    absent = [
        name
        for row in ROW.finditer(SPECIFICATION)
        if row["stands"] == "not yet"
        for name in re.findall(r"`(\w+)", row["here"])
    ]
    assert sorted(name for name in absent if name in plataforma_sdk.__all__) == []
    assert absent


def test_every_bench_is_on_the_page_of_comparisons_and_every_one_there_exists() -> None:
    page = (ROOT / "docs" / "explanation" / "comparisons.md").read_text("utf-8")
    named = set(re.findall(r"nox -s bench -- (\w+)", page))
    assert named == {path.stem.removeprefix("bench_") for path in (ROOT / "tests" / "bench").glob("bench_*.py")}
