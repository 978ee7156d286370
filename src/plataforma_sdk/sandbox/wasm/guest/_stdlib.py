"""The standard library that a module finds: what is not imported when the runner is built does not exist later."""

from __future__ import annotations

import importlib
import warnings
from typing import Final

__all__ = ["STDLIB", "import_all"]

STDLIB: Final = tuple(
    """
    __future__ abc annotationlib argparse array ast asyncio asyncio.taskgroups asyncio.timeouts atexit base64 binascii
    bisect calendar cmath codecs collections collections.abc colorsys concurrent concurrent.futures configparser
    contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis email email.message
    email.mime.text email.parser email.utils encodings.ascii encodings.charmap encodings.cp1252 encodings.cp437
    encodings.idna encodings.iso8859_1 encodings.latin_1 encodings.punycode encodings.unicode_escape encodings.utf_16
    encodings.utf_8_sig enum errno fnmatch fractions functools gettext glob graphlib gzip hashlib heapq hmac html
    html.entities html.parser http http.cookies importlib importlib.abc importlib.machinery importlib.metadata
    importlib.resources importlib.util inspect io ipaddress itertools json keyword linecache locale logging marshal
    math mimetypes numbers operator os pathlib pickle pkgutil platform posixpath pprint queue quopri random re reprlib
    secrets selectors shlex shutil socket stat statistics string string.templatelib stringprep struct tempfile
    textwrap threading time timeit token tokenize tomllib traceback types typing unicodedata unittest unittest.mock
    urllib urllib.parse uuid warnings weakref xml xml.dom.minidom xml.etree.ElementTree zipfile zipimport zlib
    zoneinfo _strptime _pydatetime _pydecimal
    """.split()  # noqa: SIM905 - a list of a hundred lines says no more
)
"""Names in the order of the alphabet; some exist on newer Pythons only and are skipped where they are missing."""


def import_all() -> tuple[str, ...]:
    """Import the list and return the names that this interpreter does not have."""
    missing = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in STDLIB:
            try:
                importlib.import_module(name)
            except ImportError:
                missing.append(name)
    return tuple(missing)
