"""Keys and tokens in a text, by the shapes that their issuers gave them so that they can be found.

**Source:** GitHub, "Secret scanning patterns"; GitGuardian, "State of Secrets Sprawl"; each prefix is documented by its
issuer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from plataforma_sdk.security._facts import Facts
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._risk import RiskLevel

__all__ = ["entropy", "secret_issues"]

_SHAPES: Final[tuple[tuple[str, str], ...]] = (
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b"),
    ("a Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{20,}\b"),
    ("an OpenAI or Anthropic key", r"\bsk-(?:proj-|ant-|svcacct-)[A-Za-z0-9_-]{20,}\b"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,}"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}\b"),
    ("a Telegram bot's token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    ("a private key", r"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP |ENCRYPTED )?PRIVATE KEY"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}"),
    (
        "an address with a password",
        r"\b[a-z][a-z0-9+.-]{2,20}://[^\s/:@{}<>$%]{1,64}:(?!//)[^\s/:@{}<>$%*]{6,64}@[\w.-]+\.\w",
    ),
)
_ANY: Final = re.compile("|".join(f"(?P<s{number}>{shape})" for number, (_, shape) in enumerate(_SHAPES)))
_PLACEHOLDER: Final = re.compile(
    r"example|sample|dummy|placeholder|your|changeme|xxxx|\*\*\*|0000|1234567890|abcdef|<|\.\.\.|user:pass|foo:bar|password@|test",
    re.IGNORECASE,
)
_HEX_OR_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_\-\\x]+")
_MIN_PACKED_CHARS: Final = 400
_MIN_PACKED_BITS: Final = 4.5


def secret_issues(path: str, facts: Facts) -> Iterator[Issue]:
    """Find keys in the texts of a source, and long texts that may hold anything."""
    for text, line in facts.strings:
        found = _ANY.search(text)
        if found and not _PLACEHOLDER.search(found.group()):
            kind = _SHAPES[int((found.lastgroup or "s0")[1:])][0]
            yield Issue.of("secret-in-source", path, line, f"{kind} stands here: {found.group()[:6]}...")
        if len(text) >= _MIN_PACKED_CHARS and _HEX_OR_BASE64.fullmatch(text) and entropy(text) > _MIN_PACKED_BITS:
            message = f"{len(text):,} characters of {entropy(text):.1f} bits each"
            yield Issue.of("packed-data", path, line, message, risk=RiskLevel.LOW)


def entropy(text: str) -> float:
    """Return the bits that each character carries, by how often each is there."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if total else 0.0
