"""What a source does that no honest module does: a kind of source that meets a kind of sink."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from plataforma_sdk.security import _labels as known
from plataforma_sdk.security._facts import Facts, Sink
from plataforma_sdk.security._flow import read_facts
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._misuse import platform_issues
from plataforma_sdk.security._risk import RiskLevel
from plataforma_sdk.security._source import Source

__all__ = ["behaviour_issues"]

_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_METADATA: Final = re.compile(r"169\.254\.169\.254|metadata\.google\.internal|fd00:ec2::254|100\.100\.100\.200")
_DROPS: Final = re.compile(
    r"""discord(?:app)?\.com/api/webhooks|api\.telegram\.org/bot|pastebin\.com/raw|transfer\.sh|gofile\.io|anonfiles
    |file\.io\b|webhook\.site|requestbin|pipedream\.net|burpcollaborator|oastify|interact\.sh|oast\.(?:fun|me|pro|live|site)
    |ngrok(?:-free)?\.(?:io|app)|\.onion\b|hooks\.slack\.com/services|ghostbin|hastebin|rentry\.co|trycloudflare\.com""",
    re.VERBOSE | re.IGNORECASE,
)
_WALLET: Final = re.compile(
    r"\b(?:bc1[a-z0-9]{25,60}|0x[a-fA-F0-9]{40}|T[1-9A-HJ-NP-Za-km-z]{33}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\b"
    r"|\[13\]\[|\(bc1|bc1\[|0x\[a-f|\^0x|\[1-9A-HJ-NP|a-km-zA-HJ-NP",
)
_MINERS: Final = re.compile(
    r"stratum\+(?:tcp|ssl)|xmrig|donate-level|minexmr|nanopool|supportxmr|moneroocean|coinhive|cryptonight|randomx|cpuminer"
    r"|mining\.(?:submit|subscribe|authorize)",
    re.IGNORECASE,
)
_SCRIPT: Final = re.compile(
    r"""(?:curl|wget|iwr|invoke-webrequest|fetch)\b.*(?:\||;|&&|-o|-O)|\biex\b|invoke-expression|downloadstring|encodedcommand
    |-enc\b|-w(?:indowstyle)?\s*hidden|/dev/tcp/|\bnc\b.*\s-e|\bncat\b|bash\s+-i|base64\s+(?:-d|--decode)|certutil|mshta|bitsadmin
    |regsvr32|rundll32|schtasks|crontab|launchctl|systemctl\s+enable|vssadmin|wevtutil|bcdedit|trufflehog|gitleaks
    |gh\0?\s?auth\0?\s?token|dangerously-skip|--yolo|trust-all-tools|chmod\s+\+x|chmod\s+777|mkfifo|rm\s+-rf\s+[/~]|attrib\s+\+h
    |npm\0?\s?publish|twine\0?\s?upload|netsh\s+advfirewall|add-mppreference|useradd|authorized_keys
    |npm\s+(?:install|i)\b.*http|pip\0?\s?install|security\0?\s?find-generic-password""",
    re.VERBOSE | re.IGNORECASE,
)
_PUBLIC_ADDRESS: Final = re.compile(
    r"https?://(?!127\.|10\.|192\.168\.|0\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
_DOMAIN: Final = re.compile(r"\0[^/\s]*\.[a-z][a-z0-9-]+\.?\Z", re.IGNORECASE)
_RESOLVERS: Final = (
    "gethostbyname",
    "gethostbyname_ex",
    "getaddrinfo",
    "resolve",
    "create_connection",
    "open_connection",
)
_PACKERS: Final = re.compile(r"pyarmor_runtime\w*|pytransform|pyconcrete|sourcedefender|__pyarmor__")
_CAPTURING: Final = frozenset(
    {"pynput", "keyboard", "pyHook", "pyxhook", "pyWinhook", "mss", "pyscreenshot", "sounddevice", "pyaudio", "evdev"}
)
_BROWSERS: Final = frozenset({"win32crypt", "browser_cookie3", "browsercookie", "secretstorage", "pypykatz", "lazagne"})
_TELLING: Final = re.compile(
    r"dangerously-skip|--yolo\b|trust-all-tools|/dev/tcp/|encodedcommand|windowstyle\s+hidden|\biex\b|downloadstring"
    r"|(?:curl|wget)\b[^|\n]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|base64\s+(?:-d|--decode)\s*\|",
    re.IGNORECASE,
)
_RUNS: Final = re.compile(r"\b(?:exec|eval|urlopen|system|subprocess|socket|requests)\b")
_MAX_COMMAND_CHARS: Final = 1_000
_MAX_DEPTH: Final = 2
_ANSWERS: Final = re.compile(r"\[(?:system|popen|subprocess|os|sys|__?builtins__|eval|exec|__import__|open|modules)\]")
_FRAMES: Final = re.compile(
    r"(?:gi|cr|ag)_frame\.f_(?:back|globals|builtins|locals)|tb_frame\.(?:f_back\.)*f_builtins|tb_frame\.f_back\.f_globals"
)
"""Frames of generators, and those behind a traceback's; the frame of a traceback itself is what formatters look at."""
_OBJECT_CLASSES: Final = re.compile(r"__(?:class|base|bases|mro)__.*(?:__subclasses__|__globals__)|mro.*__subclasses__")


def behaviour_issues(path: str, facts: Facts, *, depth: int = 0) -> Iterator[Issue]:
    """Find what a source does that no honest module does.

    Args:
        path: of the source.
        facts: what its pass has found.
        depth: how deep it stands in texts of other sources.
    """
    for sink in facts.sinks:
        check = _CHECKS.get(sink.kind)
        if check is not None:
            yield from check(path, sink)
    yield from _clipboard(path, facts)
    yield from _imported(path, facts)
    yield from _named(path, facts)
    yield from _escapes(path, facts)
    yield from _sockets(path, facts)
    yield from _scripts(path, facts)
    yield from platform_issues(path, facts)
    yield from _inner_sources(path, facts, depth)


# --- sinks ----------------------------------------------------------------------------------------------------------


def _code(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & known.DECODED:
        yield Issue.of("runs-what-it-decoded", path, sink.line, f"{sink.name} runs what was decoded")
    elif sink.labels & (known.REMOTE | known.EVENT):
        yield Issue.of("runs-what-it-fetched", path, sink.line, f"{sink.name} runs what came from outside the module")
    elif sink.labels & (known.STORED | known.CLIPBOARD):
        yield Issue.of("runs-what-it-fetched", path, sink.line, f"{sink.name} runs what was read from a store")


def _pickle(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & (known.REMOTE | known.STORED | known.CLIPBOARD | known.DECODED):
        yield Issue.of("runs-what-it-fetched", path, sink.line, f"{sink.name} unpickles what came from elsewhere")


def _process(path: str, sink: Sink) -> Iterator[Issue]:
    found = _SCRIPT.search(sink.text.replace("\0", " ")) or _SCRIPT.search(sink.text)
    if found:
        yield Issue.of("runs-a-script", path, sink.line, f"{sink.name} is told {found.group()[:60]!r}")
    elif sink.labels & known.REMOTE:
        yield Issue.of("runs-what-it-fetched", path, sink.line, f"{sink.name} starts what came over the network")
    elif sink.labels & (known.DECODED | known.STORED):
        yield Issue.of("runs-what-it-decoded", path, sink.line, f"{sink.name} starts what was decoded or stored")
    elif sink.labels & known.CREDENTIAL or (sink.name == "webbrowser.open" and sink.labels & known.PERSONAL):
        yield Issue.of("leaks-secrets", path, sink.line, f"{sink.name} is given {_what(sink.labels)}")


def _network(path: str, sink: Sink) -> Iterator[Issue]:
    personal = sink.labels & known.PERSONAL
    if sink.is_method and sink.name.rpartition(".")[2] in ("put", "request", "send", "post") and not _is_sending(sink):
        return
    if personal:
        yield Issue.of("leaks-secrets", path, sink.line, f"{sink.name} sends {_what(personal)}")
    elif sink.labels & known.EVENT and sink.labels & known.NAMED:
        yield Issue.of("leaks-secrets", path, sink.line, f"{sink.name} sends secrets that were picked out of events")
    elif sink.labels & known.HOME and sink.labels & known.LISTED:
        yield Issue.of("leaks-secrets", path, sink.line, f"{sink.name} sends files that a walk through the home found")
    elif sink.first_labels & (known.IDENTITY | known.PACKED) and _is_look_up(sink):
        yield Issue.of("reports-the-machine", path, sink.line, f"{sink.name} asks for a domain that carries data")
    elif sink.first_labels & known.DECODED and not sink.first.text and not sink.is_method:
        yield Issue.of("hidden-name", path, sink.line, f"the address that {sink.name} is given is decoded first")
    elif _PUBLIC_ADDRESS.search(sink.text) and sink.name.rpartition(".")[2] != "Request":
        message = f"{sink.name} uses a server that has a number and no name"
        yield Issue.of("known-drop", path, sink.line, message, risk=RiskLevel.HIGH)
    elif sink.labels & known.IDENTITY and (_ADDRESS.search(sink.text) or _DROPS.search(sink.text)):
        yield Issue.of("reports-the-machine", path, sink.line, f"{sink.name} sends the names of user or machine")


def _is_look_up(sink: Sink) -> bool:
    return sink.name.rpartition(".")[2] in _RESOLVERS and _DOMAIN.search(sink.first.text) is not None


def _is_sending(sink: Sink) -> bool:
    """Whether a method that many things have is one of the network here: it names an address, or a library of it."""
    room = sink.name.partition(".")[0].removesuffix("()")
    return bool(_ADDRESS.search(sink.text)) or room in (
        "requests",
        "httpx",
        "httpx2",
        "aiohttp",
        "socket",
        "urllib3",
        "http",
    )


def _what(labels: int) -> str:
    names = {
        known.CREDENTIAL: "credentials",
        known.ENVIRONMENT: "the environment",
        known.CLIPBOARD: "the clipboard",
        known.RECORDS: "whole records",
        known.FORM: "what was typed into a secret field",
        known.KEYS: "keys or pictures of the screen",
    }
    return " and ".join(name for label, name in names.items() if labels & label)


def _read(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.first_labels & known.CREDENTIAL or (sink.is_method and sink.labels & known.CREDENTIAL):
        yield Issue.of("reads-credentials", path, sink.line, f"{sink.name} opens {_shown(sink)}")


def _shown(sink: Sink) -> str:
    return repr(sink.first.text.replace("\0", "..."))[:80] if sink.first.text else "a place of credentials"


def _write(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.first_labels & known.PERSISTENT or (sink.is_method and sink.labels & known.PERSISTENT):
        yield Issue.of("stays-behind", path, sink.line, f"{sink.name} writes {_shown(sink)}")
    elif sink.labels & known.LISTED and sink.labels & known.CIPHERED and sink.in_loop:
        yield Issue.of("destroys-files", path, sink.line, f"{sink.name} encrypts what a walk found")
    elif sink.labels & known.HOME and sink.labels & known.LISTED:
        yield Issue.of("destroys-files", path, sink.line, f"{sink.name} writes over what a walk found")


def _copy(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.labels & known.PERSISTENT:
        yield Issue.of("stays-behind", path, sink.line, f"{sink.name} puts something where it will be run")
    elif sink.labels & known.CREDENTIAL:
        yield Issue.of("reads-credentials", path, sink.line, f"{sink.name} copies credentials")


def _delete(path: str, sink: Sink) -> Iterator[Issue]:
    is_bulk = sink.labels & known.HOME and (sink.labels & known.LISTED or sink.first.text in ("/", "~", "C:\\"))
    if is_bulk or (
        sink.name == "shutil.rmtree" and sink.labels & known.HOME and "\0" not in sink.text and "/" not in sink.text
    ):
        yield Issue.of("destroys-files", path, sink.line, f"{sink.name} removes what lies under root or home")


def _windows_registry(path: str, sink: Sink) -> Iterator[Issue]:
    yield Issue.of("stays-behind", path, sink.line, f"{sink.name} writes the registry of Windows")


def _request(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.in_loop:
        yield Issue.of("nags-for-permissions", path, sink.line, "a permission is asked for in a loop")


def _listener(path: str, sink: Sink) -> Iterator[Issue]:
    if sink.name.startswith(("pynput", "keyboard", "mouse")):
        yield Issue.of("captures-input", path, sink.line, f"{sink.name} listens to every key")


_CHECKS: Final[dict[str, Callable[[str, Sink], Iterator[Issue]]]] = {
    "code": _code,
    "pickle": _pickle,
    "process": _process,
    "network": _network,
    "read": _read,
    "write": _write,
    "copy": _copy,
    "delete": _delete,
    "registry": _windows_registry,
    "request": _request,
    "Listener": _listener,
}


# --- the whole file -------------------------------------------------------------------------------------------------


def _clipboard(path: str, facts: Facts) -> Iterator[Issue]:
    reads = [sink for sink in facts.sinks if sink.name.endswith("clipboard.read") or sink.name == "pyperclip.paste"]
    writes = [sink for sink in facts.sinks if sink.name.endswith("clipboard.write") or sink.name == "pyperclip.copy"]
    if not reads:
        return
    if writes and any(_WALLET.search(text) for text, _ in facts.strings):
        yield Issue.of(
            "swaps-the-clipboard", path, writes[0].line, "an address on the clipboard is replaced by another"
        )
    repeated = {sink.first.dotted.rpartition(".")[2] for sink in facts.sinks if sink.kind == "every"}
    for sink in reads:
        if sink.function in repeated or sink.in_loop:
            yield Issue.of(
                "watches-the-clipboard", path, sink.line, f"{sink.function} reads the clipboard again and again"
            )


def _imported(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.imports:
        root = name.partition(".")[0]
        if root in _CAPTURING or name in ("PIL.ImageGrab", "pyautogui"):
            yield Issue.of("captures-input", path, line, f"{name} is imported, which captures keys, screen or sound")
        elif _PACKERS.match(name):
            yield Issue.of(
                "runs-what-it-decoded", path, line, f"{name} is the run time of a packer, and what it runs is encrypted"
            )
        elif root in _BROWSERS:
            yield Issue.of("reads-credentials", path, line, f"{name} is imported, which opens stores of passwords")


def _named(path: str, facts: Facts) -> Iterator[Issue]:
    for text, line in (*facts.strings, *facts.decoded):
        if len(text) > 2_000 or ("\n" in text and len(text) > 400):  # noqa: PLR2004 - prose and data
            continue
        if _METADATA.search(text) and text.count(" ") < 4:  # noqa: PLR2004 - prose speaks of it too
            yield Issue.of("asks-the-metadata-service", path, line, f"{text[:60]!r} is a cloud's metadata service")
        if _MINERS.search(text) and text.count(" ") < 12:  # noqa: PLR2004
            yield Issue.of("mines-coins", path, line, f"{text[:60]!r} belongs to a miner")
        if _DROPS.search(text):
            yield Issue.of(
                "known-drop", path, line, f"{text[:60]!r} is an address that serves to take or leave things unseen"
            )
    for text, line in facts.decoded:
        if _ADDRESS.match(text):
            yield Issue.of("hidden-name", path, line, f"the address {text[:60]!r} is hidden")


def _escapes(path: str, facts: Facts) -> Iterator[Issue]:
    for name, line in facts.attributes:
        if _OBJECT_CLASSES.search(name) or _FRAMES.search(name):
            yield Issue.of("leaves-the-sandbox", path, line, f"{name[:80]} leads out of a Python jail")
        elif name.startswith(("__globals__[", "f_globals[", "f_builtins[")) and _ANSWERS.search(name):
            yield Issue.of("leaves-the-sandbox", path, line, f"{name[:80]} takes what the module was not given")
    for lookup in facts.lookups:
        if lookup.labels & known.DECODED:
            yield Issue.of(
                "hidden-name", path, lookup.line, "what is looked up here has a name made of numbers or code"
            )
        elif lookup.labels & (known.REMOTE | known.STORED | known.EVENT):
            yield Issue.of("runs-what-it-fetched", path, lookup.line, "the name of what runs comes from outside")
    for name, line in facts.hidden:
        yield Issue.of("hidden-name", path, line, f"the name {name[:60]!r} is built in place of being written")


def _sockets(path: str, facts: Facts) -> Iterator[Issue]:
    names = {sink.name for sink in facts.sinks}
    shells = [
        sink
        for sink in facts.sinks
        if sink.name in ("pty.spawn", "os.dup2") or "/bin/sh" in sink.text or "cmd.exe" in sink.text
    ]
    has_socket = any(name.startswith("socket.") for name in names)
    if has_socket and shells:
        yield Issue.of(
            "opens-a-shell", path, shells[0].line, "a socket and a shell are joined", risk=RiskLevel.CRITICAL
        )


def _scripts(path: str, facts: Facts) -> Iterator[Issue]:
    """Find commands that stand apart from the process that is given them."""
    if not any(sink.kind == "process" for sink in facts.sinks):
        return
    for text, line in facts.strings:
        found = _TELLING.search(text) if len(text) < _MAX_COMMAND_CHARS else None
        if found:
            yield Issue.of(
                "runs-a-script", path, line, f"a process is started, and {found.group()[:60]!r} stands ready for it"
            )


def _inner_sources(path: str, facts: Facts, depth: int) -> Iterator[Issue]:
    """Read texts that are themselves sources, where something here writes, runs or starts what it is given."""
    kinds = {sink.kind for sink in facts.sinks}
    if depth >= _MAX_DEPTH or not kinds & {"code", "process", "write"}:
        return
    for text, line in facts.strings:
        if "import" in text and _RUNS.search(text):
            source = Source.parse(path, text)
            if source.tree is not None:
                for issue in behaviour_issues(path, read_facts(source.tree), depth=depth + 1):
                    yield attrs.evolve(issue, line=line, message=f"in a text: {issue.message}")
