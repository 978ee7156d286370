"""Every text of the desktop is in both languages, and none is left over."""

import re
from pathlib import Path

import plataforma_sdk

STATIC = Path(plataforma_sdk.__file__).parent / "web" / "desktop" / "static"
LOCALES = sorted((STATIC / "js" / "locales").glob("desktop.*.js"))
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted((STATIC / "js").glob("*.js")))
KEY = re.compile(r'^  "(desktop\.[^"]+)": (.*),$', re.MULTILINE)


def texts_of(path: Path) -> dict[str, str]:
    return dict(KEY.findall(path.read_text("utf-8")))


def test_languages_have_the_same_texts_with_the_same_arguments() -> None:
    """Nobody meets a text of the other language, nor a name in braces, in the middle of theirs."""
    first, *others = [
        {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in texts_of(path).items()} for path in LOCALES
    ]

    assert len(LOCALES) == 2
    assert list(first) == sorted(first, key=lambda key: key.removeprefix("desktop."))
    assert others == [first]


def test_every_text_that_is_named_is_there_and_none_is_left_over() -> None:
    """A key that nobody wrote would be shown itself; one that nobody names is dead."""
    known = set(texts_of(LOCALES[0]))
    named = set(re.findall(r'"(desktop\.[a-z_]+(?:\.[a-z_]+)?)"', SOURCE))
    families = {found.split("${")[0] for found in re.findall(r"`(desktop\.[^`]+\$\{[^`]*)`", SOURCE)}

    assert named - known == set()
    assert {family for family in families if not any(key.startswith(family) for key in known)} == set()
    assert {key for key in known - named if not key.startswith(tuple(families))} == set()
