"""What gives a module away by itself: texts, names and searches, in a source or in the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from plataforma_sdk.manifest import locate_keys
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Facts
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._scope import RESULT

__all__ = ["PLEADING", "package_issues", "quote", "telltale_issues"]

_MIN_PLACES: Final = 3
_HOST_NAMES: Final = frozenset(
    f"plataforma_sdk.{name}"
    for name in ("ModuleHost", "ModuleSandbox", "ModuleRegistry", "PermissionManager", "EventBus", "WindowManager")
)
_HOST_ROOMS: Final = frozenset(
    f"plataforma_sdk.{name}"
    for name in ("runtime", "sandbox", "registry", "services", "api", "sync", "web", "cli", "integrations", "plugins")
)
PLEADING: Final = re.compile(
    r"""(?:cli(?:que|car)|aperte|pressione|click|press|tap)\s+(?:em\s+|on\s+)?["']?(?:permitir|aceitar|sempre|allow|accept|always)
    |permitir\s+sempre|always\s+allow
    |(?:plataforma|platform|administra\w+|suporte|support)\s+(?:exige|requires|demands|solicita)\b
    |(?:exigid|requerid|aprovad|autorizad|verificad|solicitad)[oa]\s+pel[oa]\s+(?:\w+\s+){0,2}(?:ti\b|plataforma|administra|suporte|seguran)
    |(?:required|approved|requested|verified|authori[sz]ed)\s+by\s+(?:the\s+|your\s+)?(?:it\b|admin|platform|security|support|microsoft|google)
    |(?:obrigat\S+|mandatory)\s+(?:\w+\s+){0,2}(?:seguran|security)|(?:seguran\S+|security\s+\w+)\s+(?:obrigat|mandatory)
    |(?:necess\S+|obrigat\S+|required|needed)\s+(?:para|for)\s+(?:o\s+|the\s+)?(?:funcionamento|operation)\s+(?:da|of\s+the)\s+plat
    |(?:seus|sua|your)\s+(?:dados|arquivos|conta|data|files|account)\s+(?:ser|will\s+be\s)\S*\s*(?:perd|apag|bloq|suspen|lost|delet|lock)""",
    re.VERBOSE | re.IGNORECASE,
)
_PRETENDING: Final = re.compile(
    r"""(?:sess\S+|session|login|acesso|conta|account|password|senha)\s+(?:\S+\s+){0,4}(?:expirou|expirad\w+|expired|has\s+expired|bloquead\w+|suspens\w+|locked)
    |(?:entre|entrar|acesse|autentique-se|sign\s+in|log\s+in|login)\s+(?:novamente|de\s+novo|outra\s+vez|again)
    |(?:verif\w+|valid\w+|confirm\w*)\s+(?:sua|a\s+sua|your)\s+(?:conta|identidade|account|identity|carteira|wallet)
    |(?:re-?enter|redigite)\s+(?:your|sua)""",
    re.VERBOSE | re.IGNORECASE,
)
_TO_ASSISTANTS: Final = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|your\s+|the\s+){0,3}(?:previous|prior|above|earlier)\s+(?:instructions|rules|prompts)"
    r"|you\s+are\s+an?\s+(?:AI|autonomous)\s+(?:agent|assistant)\b"
    r"|ignor[ea]\s+(?:todas\s+)?(?:as|las)\s+instru|(?:voc.|tu)\s+(?:.|eres)\s+um?n?\s+(?:agente|assistente|asistente)\s+(?:de\s+)?(?:IA|intelig)",
    re.IGNORECASE,
)
_RANSOM: Final = re.compile(
    r"(?:files|data|database|arquivos|dados|banco\s+de\s+dados)\s+(?:\S+\s+){0,3}(?:encrypted|criptografad|cifrad|sequestrad|stolen|roubad)"
    r".{0,400}(?:bitcoin|\bbtc\b|monero|\bxmr\b|resgate|ransom|pague|\bpay\b)",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS_PATTERN: Final = re.compile(
    r"\[13\]\[|\(bc1|bc1\[|0x\[a-f|\^0x|\[1-9A-HJ-NP|a-km-zA-HJ-NP|\[(?:0-9a-f|a-f0-9|\\da-f|0-9a-fA-F|a-fA-F0-9)\]\{8\}-"
    r"|\[A-Z\]\{2\}(?:\\d|\[0-9\])\{2\}|\\d\{4[4-8]\}|\\d\{5\}\\?\.\\d\{5\}"
)
"""Patterns of wallets, of Pix keys, of IBANs and of the numbers of Brazilian bank slips."""
_PAYEE: Final = re.compile(
    r"bc1[a-z0-9]{25,60}|0x[a-fA-F0-9]{40}|T[1-9A-HJ-NP-Za-km-z]{33}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|[A-Z]{2}\d{2}[A-Z0-9]{11,30}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{44,48}",
)
_BLIND: Final = frozenset({"bcc", "cco", "blind_copy", "bccrecipients"})
_ACCOUNT: Final = frozenset(
    {
        "banco",
        "agencia",
        "conta",
        "bank",
        "branch",
        "account",
        "account_number",
        "iban",
        "bic",
        "swift",
        "routing",
        "pix",
    }
)
_ACCOUNT_NUMBER: Final = re.compile(r"[\dXx./-]{3,}|[A-Z]{2}\d{2}[A-Z0-9 ]{11,40}|[\w.+-]+@[\w.-]+")
_WORD_END: Final = re.compile(r"\w*")
_SUBSTITUTING: Final = frozenset({"sub", "subn"})
_MAX_ADDRESS_CHARS: Final = 200
_ANALYSTS: Final = re.compile(
    r"(?:vm(?:toolsd|waretray|wareuser|srvc|acthlp|usrvc)|vbox(?:service|tray|guest)|qemu(?:-ga)?|xenservice|prl_(?:cc|tools)|joeboxserver"
    r"|wireshark|fiddler|httpdebuggerui|procmon(?:64)?|processhacker|x(?:32|64|96)dbg|ollydbg|windbg|ida(?:q|64)?|pestudio|dumpcap"
    r"|sandboxie|sbiedll|cuckoo|regmon|tcpview|virtualbox|vmware|hyper-?v|parallels|kvm)(?:\.(?:exe|dll))?",
    re.IGNORECASE,
)
_MIN_ANALYSTS: Final = 3
_SEARCHED: Final = frozenset({"difficulty", "dificuldade", "target", "alvo", "midstate"})


def telltale_issues(path: str, facts: Facts) -> Iterator[Issue]:
    """Find what gives a source away by itself.

    Args:
        path: of the source.
        facts: what its pass has found.
    """
    yield from _endpoints(path, facts)
    yield from _named(path, facts)
    yield from _payees(path, facts)
    yield from _machine(path, facts)
    yield from _host(path, facts)


def _endpoints(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.endpoints.items():
        if facts.labels_of(((0, RESULT + name),)) & known.WHOLE:
            yield Issue.of("hands-on-records", path, line, f"the endpoint {name} answers with whole records or secrets")


def _named(path: str, facts: Facts) -> Iterator[Issue]:
    places = known.count_places(text for text, _ in facts.strings)
    if places >= _MIN_PLACES:
        yield Issue.of("lists-credentials", path, None, f"it names {places} places where credentials lie")
    searches = [line for line, value in facts.searches if (value.labels | facts.labels_of(value.reads)) & known.DIGEST]
    if searches:
        yield Issue.of("mines-coins", path, searches[0], "it searches in a loop for a digest below a bound")
    elif (
        "nonce" in facts.names and _SEARCHED & set(facts.names) and any(name == "hashlib" for name, _ in facts.imports)
    ):
        yield Issue.of("mines-coins", path, None, "it searches for a nonce whose digest meets a target")
    for text, line in facts.strings:
        if facts.secret_fields and _PRETENDING.search(text[:400]):
            yield Issue.of(
                "asks-in-anothers-name", path, line, f"beside a field for a secret it says {quote(_PRETENDING, text)}"
            )
        if _TO_ASSISTANTS.search(text[:4000]):
            yield Issue.of("instructs-an-assistant", path, line, f"it says {quote(_TO_ASSISTANTS, text)}")
        if _RANSOM.search(text[:4000]):
            yield Issue.of("demands-ransom", path, line, f"it says {quote(_RANSOM, text)}")


def _payees(path: str, facts: Facts) -> Iterator[Issue]:
    """Find addresses of a stranger that are put into what is sent: blind copies, and accounts of a bank."""
    if not any(sink.kind in ("api", "network") for sink in facts.sinks):
        return
    accounts: dict[int, set[str]] = {}
    for key, value, line in facts.entries:
        if key.lower() in _BLIND and value.exact and "@" in value.text:
            message = f"{value.text[:60]!r} gets a blind copy of what is sent"
            remedy = "send to whom the person chose, and to nobody else"
            yield Issue.of("swaps-addresses", path, line, message, remedy=remedy)
        elif key.lower() in _ACCOUNT and value.exact and _ACCOUNT_NUMBER.fullmatch(value.text):
            accounts.setdefault(line, set()).add(key.lower())
    for line, keys in accounts.items():
        if len(keys) > 1:
            yield Issue.of(
                "swaps-addresses", path, line, "an account of a bank stands in the source, and calls are made"
            )


def _machine(path: str, facts: Facts) -> Iterator[Issue]:
    for line in facts.removals:
        yield Issue.of("removes-itself", path, line, "the module removes or moves its own source")
    for line in facts.pixels:
        yield Issue.of("beacon-in-a-picture", path, line, "a picture that nobody sees has an address that is computed")
    for line in facts.machine_code:
        yield Issue.of("runs-machine-code", path, line, "memory is made, or written, that is run as machine code")
    watched = [line for text, line in facts.strings if len(text) < _MAX_ADDRESS_CHARS and _ANALYSTS.fullmatch(text)]
    if len(watched) >= _MIN_ANALYSTS:
        message = f"it names {len(watched)} tools and machines of those who analyse"
        yield Issue.of("hides-from-analysis", path, watched[0], message)


def _host(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.imports:
        room = ".".join(name.split(".")[:2])
        is_private = name.startswith("plataforma_sdk.") and "._" in name
        if name in _HOST_NAMES or room in _HOST_ROOMS or is_private:
            yield Issue.of("reaches-into-the-host", path, line, f"{name} is the host's side of the platform")
    for name, line in facts.attributes:
        is_other = "." in name and not name.startswith(("plataforma_sdk", "sys.modules"))
        if is_other and name.endswith("=") and not name.endswith("._="):  # the underscore of gettext and of consoles
            yield Issue.of(
                "reaches-into-the-host",
                path,
                line,
                f"{name.removesuffix('=')} is replaced for everybody in the process",
            )
        if (name.startswith("plataforma_sdk") and name.endswith("=")) or name.endswith("_runtime"):
            yield Issue.of("reaches-into-the-host", path, line, f"{name.removesuffix('=')} belongs to the platform")


def quote(pattern: re.Pattern[str], text: str) -> str:
    """Show what a pattern found, to the end of its last word."""
    found = pattern.search(text)
    if found is None:
        return "so"
    end = _WORD_END.match(text, found.end())
    return repr(text[found.start() : end.end() if end else found.end()][:60])


# --- the whole package ------------------------------------------------------------------------------------------------


def package_issues(package: ModulePackage, facts: Mapping[str, Facts]) -> Iterator[Issue]:
    """Find what the files of a package, and its manifest, give away together.

    Args:
        package: the package.
        facts: path -> what the pass over that source has found.
    """
    yield from _reasons(package)
    yield from _addresses({path: found for path, found in facts.items() if path in package.sources})


def _addresses(files: Mapping[str, Facts]) -> Iterator[Issue]:
    """Find whoever knows what an address of payment looks like, and has another to put in its place."""
    if not any(sink.kind in ("api", "network") for facts in files.values() for sink in facts.sinks):
        return
    if not any(_SUBSTITUTING & function.calls for facts in files.values() for function in facts.functions.values()):
        return
    texts = [(text, path, line) for path, facts in files.items() for text, line in facts.strings]
    texts = [item for item in texts if len(item[0]) < _MAX_ADDRESS_CHARS]
    if any(_ADDRESS_PATTERN.search(text) for text, _, _ in texts):
        for path, line in [(path, line) for text, path, line in texts if _PAYEE.fullmatch(text)][:1]:
            message = "an address of payment stands here, and elsewhere a pattern that finds others and replaces them"
            yield Issue.of("swaps-addresses", path, line, message)


def _reasons(package: ModulePackage) -> Iterator[Issue]:
    """Find reasons of permissions that speak for the platform, threaten, or tell the person what to press."""
    lines = locate_keys(package.files["module.toml"].decode("utf-8-sig"))
    permissions = package.manifest.permissions
    for kind, reasons in (("required", permissions.required), ("optional", permissions.optional)):
        for permission, reason in reasons.items():
            if PLEADING.search(reason):
                line = lines.get(("permissions", kind, permission))
                message = f"the reason of {permission!r} says {quote(PLEADING, reason)}"
                yield Issue.of("pleads-for-permissions", "module.toml", line, message)
