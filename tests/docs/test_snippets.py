"""Every snippet of the README and of the documentation runs, in the order of its page.

A block under ``<!-- file: path -->`` is written to that file, other Python blocks are executed, other TOML is read;
each page has a directory of its own, an example's page one with the examples in it. Any other block says why it is
not run, ``<!-- not run: why -->`` on the line before it, or is compared with what was recorded
(``<!-- exchange: name -->``, see ``test_wire.py``).
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.myst import PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(page for page in EXAMPLES.glob("**/*.md") if "node_modules" not in page.parts),
]
FENCE = re.compile(r"^ *```(?P<kind>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
REASON = re.compile(r"<!-- (?:not run: \w.*|exchange: \w+|file: [\w./-]+) -->\s*\Z")
FILE_BLOCK = re.compile(r"^<!-- file: (?P<path>[\w./-]+) -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def write_file(example: Example) -> None:
    path, text = example.parsed
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def parse_files(document: Document) -> Iterable[Region]:
    for block in FILE_BLOCK.finditer(document.text):
        yield Region(block.start(), block.end(), (block["path"], block["text"]), write_file)


def parse_python(document: Document) -> Iterable[Region]:
    files = [block.span() for block in FILE_BLOCK.finditer(document.text)]
    for region in PythonCodeBlockParser()(document):
        if not any(start <= region.start < end for start, end in files):
            yield region


def read_toml(example: Example) -> None:
    tomllib.loads(example.parsed)


def parse_toml(document: Document) -> Iterable[Region]:
    files = [block.span() for block in FILE_BLOCK.finditer(document.text)]
    for block in FENCE.finditer(document.text):
        if block["kind"] == "toml" and not any(start <= block.start() < end for start, end in files):
            yield Region(block.start(), block.end(), block["text"], read_toml)


SYBIL = Sybil(parsers=[parse_files, parse_python, parse_toml], path=str(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if page.is_relative_to(EXAMPLES):
        shutil.copytree(EXAMPLES, "examples", ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for example in SYBIL.parse(page).examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    silent = [
        f"{page.name}:{text.count(chr(10), 0, block.start()) + 1}: {block['kind'] or 'no language'}"
        for block in FENCE.finditer(text)
        if block["kind"] not in {"python", "toml"}
        and not block["kind"].startswith("{")
        and not REASON.search(text[: block.start()])
    ]
    assert silent == [], "put a line '<!-- not run: why -->' before each"
