"""The front end's files, as text: what they may not do, and that they are whole. Pure modules run under node."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import plataforma_sdk
from plataforma_sdk.ui import CATALOGUE

STATIC = Path(plataforma_sdk.__file__).parent / "web" / "desktop" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
JS_TESTS = sorted(Path(__file__).with_name("js").glob("*.test.mjs"))

FROM_TEXT = {
    "markup": r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|setHTMLUnsafe|srcdoc)\b",
    "code": r"\beval\s*\(|\bnew\s+Function\b|\bdocument\s*\.\s*write|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]",
    "style": r"setAttribute\(\s*[\"'`](?:style|on\w+)[\"'`]",
}
"""What is made from text -> how it is written."""
REFUSALS = {"dom.js": ("const FORBIDDEN = new Set",)}
"""Lines that name what is forbidden in order to refuse it."""


def id_of(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


def lines_that_match(path: Path, pattern: str) -> list[str]:
    refusals = REFUSALS.get(path.name, ())
    lines = (line for line in path.read_text("utf-8").splitlines() if not line.startswith(refusals or ("\0",)))
    return [line for line in lines if re.search(pattern, line)]


@pytest.mark.parametrize("path", SCRIPTS, ids=id_of)
@pytest.mark.parametrize("pattern", FROM_TEXT.values(), ids=FROM_TEXT)
def test_script_makes_nothing_from_text(path: Path, pattern: str) -> None:
    """Text of a module reaches the page by textContent alone, under a policy that would refuse anything else."""
    assert lines_that_match(path, pattern) == []


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_file_names_no_other_host(path: Path) -> None:
    """A page that works without a network, and tells nobody that it is open."""
    addresses = re.findall(r"(?:https?:|wss?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+", path.read_text("utf-8"))

    assert [address for address in addresses if "www.w3.org" not in address] == []


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.html")), ids=id_of)
def test_page_holds_no_code_and_no_style(path: Path) -> None:
    """The policy of the page allows files only."""
    text = path.read_text("utf-8")

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", text) == []


def test_every_element_of_the_catalogue_has_a_renderer() -> None:
    """An element that the catalogue has and the desktop lacks would be shown as a plugin's."""
    index = (STATIC / "js" / "elements" / "index.js").read_text("utf-8")
    names = re.search(r"export const elements = Object\.freeze\(\{(.*?)\}\)", index, re.DOTALL)

    assert names is not None
    assert set(re.findall(r"\w+", names[1])) == set(CATALOGUE)


def keys_of(path: Path) -> list[str]:
    return re.findall(r'^\s+"([a-z]+\.[\w.-]+)":', path.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "english", sorted((STATIC / "js" / "locales").glob("*.en.js")), ids=lambda path: path.name.split(".")[0]
)
def test_locales_have_the_same_keys(english: Path) -> None:
    """Nobody meets a text of the other language in the middle of theirs."""
    portuguese = english.with_name(english.name.replace(".en.", ".pt-BR."))

    assert len(keys_of(english)) == len(set(keys_of(english)))
    assert keys_of(portuguese) == keys_of(english)


def test_every_text_of_an_element_is_in_the_locales() -> None:
    """A key that nobody wrote would be shown itself."""
    known = set(keys_of(STATIC / "js" / "locales" / "elements.en.js"))
    source = "".join(path.read_text("utf-8") for path in SCRIPTS if path.parent.name != "locales")
    used = set(re.findall(r'"(elements\.[a-z_]+\.[a-z_]+)"', source))

    assert used == known


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_pure_modules_under_node() -> None:
    """Codec, formats, numbers, patches, order and connection, each with its own tests beside this file."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", *map(str, JS_TESTS)], capture_output=True, text=True, check=False
    )

    assert JS_TESTS
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if not line.startswith("# Sub"))


def test_every_icon_is_in_the_reference() -> None:
    """An author finds there what they may name."""
    shapes = re.search(r"const SHAPES = \{(.*?)\n\};", (STATIC / "js" / "icons.js").read_text("utf-8"), re.DOTALL)
    page = (Path(__file__).parents[4] / "docs" / "reference" / "elements.md").read_text("utf-8")
    listed = page.rpartition("It has:")[2]

    assert shapes is not None
    assert re.findall(r"`([a-z-]+)`", listed) == sorted(re.findall(r'^  "?([a-z-]+)"?:', shapes[1], re.MULTILINE))
