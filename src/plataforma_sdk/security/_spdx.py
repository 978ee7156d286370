"""Reads SPDX licence expressions: ``MIT``, ``Apache-2.0 OR MIT``, ``GPL-2.0-only WITH Classpath-exception-2.0``.

The table holds the licences that packages of the index name; `packaging` knows all 700, and is asked where installed.

**Source:** SPDX specification 2.3, annex D; PEP 639.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["licences_of"]

_NAMES: Final = (
    "0BSD AAL AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0 "
    "Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear "
    "BSD-4-Clause BSL-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.1 CNRI-Python "
    "CPL-1.0 ECL-2.0 EFL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only "
    "GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG IPL-1.0 ISC "
    "LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later LPPL-1.3c "
    "MIT MIT-0 MIT-CMU MPL-1.0 MPL-1.1 MPL-2.0 MS-PL MS-RL MulanPSL-2.0 NCSA NTP ODbL-1.0 OFL-1.1 OLDAP-2.8 "
    "OpenSSL OSL-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 QPL-1.0 Ruby SISSL Sleepycat TCL "
    "Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Xnet Zlib ZPL-2.0 ZPL-2.1"
)
_KNOWN: Final = frozenset(_NAMES.split())
_FOLDED: Final = {name.lower(): name for name in _KNOWN}
_TOKEN: Final = re.compile(r"\s*(\(|\)|[A-Za-z0-9][A-Za-z0-9.+:-]*)")
_OWN: Final = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+", re.IGNORECASE)
_MAX_CHARS: Final = 500


def licences_of(expression: str) -> list[list[str]]:
    """Read an expression into its alternatives, each the licences that hold together.

    Raises:
        ValueError: it is no SPDX expression; the message says where.

    >>> licences_of("Apache-2.0 OR (MIT AND ISC)")
    [['Apache-2.0'], ['MIT', 'ISC']]
    """
    if len(expression) > _MAX_CHARS:
        raise ValueError(f"it is longer than {_MAX_CHARS} characters")
    reader = _Reader(list(_tokens(expression)))
    found = reader.alternatives()
    if reader.tokens:
        raise ValueError(f"{reader.tokens[0]!r} stands after its end")
    return found


def _tokens(expression: str) -> Iterator[str]:
    at = 0
    text = expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + 20].strip()!r} is no part of an expression")
        yield found[1]
        at = found.end()


class _Reader:
    """Takes tokens from the front; OR binds weakest, WITH strongest."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def _take(self, word: str) -> bool:
        if self.tokens and self.tokens[0].upper() == word:
            self.tokens.pop(0)
            return True
        return False

    def alternatives(self) -> list[list[str]]:
        found = self._together()
        while self._take("OR"):
            found += self._together()
        return found

    def _together(self) -> list[list[str]]:
        found = self._one()
        while self._take("AND"):
            others = self._one()
            if len(found) * len(others) > _MAX_CHARS:
                raise ValueError("it has too many alternatives")
            found = [[*one, *other] for one in found for other in others]
        return found

    def _one(self) -> list[list[str]]:
        if self._take("("):
            found = self.alternatives()
            if not self._take(")"):
                raise ValueError("a parenthesis is not closed")
            return found
        if not self.tokens:
            raise ValueError("a licence is missing")
        name = _licence(self.tokens.pop(0))
        if self._take("WITH") and not (self.tokens and self.tokens.pop(0)):
            raise ValueError("the exception after WITH is missing")
        return [[name]]


def _licence(token: str) -> str:
    known = _FOLDED.get(token.removesuffix("+").lower()) or (token if _OWN.fullmatch(token) else _asked(token))
    if known is None:
        raise ValueError(f"{token!r} is no SPDX identifier")
    return known


def _asked(token: str) -> str | None:
    try:
        licenses = importlib.import_module("packaging.licenses")  # not a dependency, and its older releases lack it
    except ImportError:
        return None
    try:
        return str(licenses.canonicalize_license_expression(token))
    except ValueError:
        return None
