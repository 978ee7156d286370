"""The standard library that a module finds: what is not imported when the runner is built does not exist later."""

from __future__ import annotations

import importlib
import warnings
from typing import Final

__all__ = ["STDLIB", "import_all"]

STDLIB: Final = tuple(
    """
    __future__ abc annotationlib argparse array ast asyncio asyncio.taskgroups asyncio.timeouts atexit base64
    binascii bisect calendar cmath codecs collections collections.abc colorsys concurrent concurrent.futures
    concurrent.futures.thread configparser contextlib contextvars copy copyreg csv dataclasses datetime decimal
    difflib dis doctest email email.message email.mime.text email.parser email.utils encodings.ascii
    encodings.charmap encodings.cp1252 encodings.cp437 encodings.idna encodings.iso8859_1 encodings.latin_1
    encodings.punycode encodings.unicode_escape encodings.utf_16 encodings.utf_8_sig enum errno fnmatch fractions
    functools getpass gettext glob graphlib gzip hashlib heapq hmac html html.entities html.parser http
    http.cookiejar http.cookies http.server importlib importlib.abc importlib.machinery importlib.metadata
    importlib.metadata._adapters importlib.metadata._collections importlib.metadata._functools
    importlib.metadata._itertools importlib.metadata._meta importlib.metadata._text importlib.resources
    importlib.resources._adapters importlib.resources._common importlib.resources._functional
    importlib.resources._itertools importlib.resources.abc importlib.resources.readers importlib.resources.simple
    importlib.util inspect io ipaddress itertools json keyword linecache locale logging marshal math mimetypes
    ntpath numbers operator optparse os pathlib pickle pkgutil platform plistlib posixpath pprint queue quopri
    random re reprlib secrets selectors shlex shutil socket socketserver stat statistics string string.templatelib
    stringprep struct subprocess tempfile textwrap threading time timeit token tokenize tomllib traceback types
    typing unicodedata unittest unittest.async_case unittest.mock unittest._log urllib urllib.error urllib.parse
    urllib.request uuid warnings weakref wsgiref.headers xml xml.dom.minidom xml.etree.ElementTree xml.sax
    xml.sax.saxutils zipfile zipfile._path zipimport zlib zoneinfo _strptime _pydatetime _pydecimal
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
