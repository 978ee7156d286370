"""The rules of the scans: what each looks for, why, where that is known from, and what to do about it.

`docs/reference/security-rules.md` is written from this table, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from plataforma_sdk.security._risk import Dimension, RiskLevel

__all__ = ["SCAN_RULES", "ScanRule"]


@attrs.frozen(kw_only=True)
class ScanRule:
    """One thing that a scan looks for.

    Attributes:
        name: as in a finding: ``"runs-what-it-fetched"``.
        scan: the scan that looks for it.
        dimension: what it harms.
        risk: how much; an issue may say another.
        what: what the source does where the rule fires.
        why: what that leads to.
        source: the incident, standard or paper that it is known from.
        remedy: what the author does about it.
    """

    name: str
    scan: str
    dimension: Dimension
    risk: RiskLevel
    what: str
    why: str
    source: str
    remedy: str


_RISKS: Final = {"c": RiskLevel.CRITICAL, "h": RiskLevel.HIGH, "m": RiskLevel.MEDIUM, "l": RiskLevel.LOW}
_DIMENSIONS: Final = {"s": Dimension.SECURITY, "r": Dimension.RELIABILITY, "m": Dimension.MAINTAINABILITY}
_Row = tuple[str, str, str, str, str, str]

_MALWARE: Final[tuple[_Row, ...]] = (
    (
        "runs-what-it-fetched",
        "sc",
        "code, a process or a pickle is given what came over the network, from a store or from an asset",
        "What was scanned is then not what runs: the second stage comes later, and may differ for each victim.",
        "ua-parser-js (2021), The Great Suspender (2021), PyPI droppers; CWE-494",
        "ship the code in the package, and read data with json",
    ),
    (
        "runs-what-it-decoded",
        "sc",
        "code, a process or a pickle is given what was decoded, decompressed, decrypted or put together from numbers",
        "Nobody packs code in order that it be read.",
        "event-stream (2018), W4SP (2022), BlazeStealer (2023), xz-utils CVE-2024-3094; ATT&CK T1027",
        "ship the code as source",
    ),
    (
        "hidden-name",
        "sc",
        "the name of a builtin, a module or an attribute is built out of pieces before it is looked up",
        "It hides from a reader what is called.",
        "PyPI malware with chr() (Phylum, 2023); ATT&CK T1027.010",
        "write the name",
    ),
    (
        "leaks-secrets",
        "sc",
        (
            "credentials, the environment, the clipboard, whole records, keys pressed, or what a person typed into a secret"
            " field go to another server"
        ),
        "The person gave them to this application, and to nobody else.",
        "ctx (2022), torchtriton (2022), Shai-Hulud (2025), Magecart (2018); ATT&CK T1041, CWE-200",
        "keep them inside the platform: let the host attach credentials (api_auth), and send sums in place of records",
    ),
    (
        "reports-the-machine",
        "sh",
        "the names of the user and the machine go to another server",
        "It tells an attacker whom the package has reached, and is what dependency confusion begins with.",
        "Birsan, Dependency Confusion (2021); ATT&CK T1082",
        "do not collect them",
    ),
    (
        "reads-credentials",
        "sh",
        "a file or a store that holds credentials, wallets or tokens is opened",
        "A module has no business with the keys of its host or of the person.",
        "torchtriton (2022), Home Assistant custom integrations (2021), s1ngularity (2025); ATT&CK T1552.001, T1555",
        "ask the host for what is needed: a credential is attached by api_auth, a setting is in [config]",
    ),
    (
        "asks-the-metadata-service",
        "sh",
        "the address of a cloud's metadata service is used",
        "It hands out the credentials of the machine.",
        "Capital One (2019); ATT&CK T1552.005",
        "remove it",
    ),
    (
        "swaps-the-clipboard",
        "sc",
        "the clipboard is read and written, and the source knows what a wallet's address looks like",
        "The person pastes the attacker's address.",
        "colourama (2018); ATT&CK T1565.002",
        "write to the clipboard only what the person asked to copy",
    ),
    (
        "watches-the-clipboard",
        "sh",
        "the clipboard is read again and again, not when the person asks",
        "People copy passwords.",
        "colourama (2018), iOS 14 clipboard notices (2020); ATT&CK T1115",
        "read it in the handler of a button",
    ),
    (
        "captures-input",
        "sh",
        "keys, the screen, the microphone or the camera are captured",
        "It sees everything that the person does, in every application.",
        "PyPI key loggers (2022); ATT&CK T1056.001, T1113",
        "remove it: a module sees its own windows",
    ),
    (
        "runs-a-script",
        "sc",
        "a shell is told to fetch and run, to hide, to open a way in, or to search for keys",
        "That is a dropper or a back door.",
        "Darcula theme (2023), s1ngularity (2025); ATT&CK T1059",
        "remove it: a module has no processes",
    ),
    (
        "opens-a-shell",
        "sc",
        "a socket is joined to a shell or to the standard streams",
        "Whoever is at the other end commands the machine.",
        "maratlib (2021); ATT&CK T1059.004",
        "remove it",
    ),
    (
        "stays-behind",
        "sc",
        "something is written where the system, a shell, Python or a tool will run it later",
        "It outlives the module, and runs outside its boundary.",
        "colorsama (2023), Shai-Hulud workflows (2025), .pth stealers (2024); ATT&CK T1547, T1053, T1546",
        "remove it: what must run again belongs to every()",
    ),
    (
        "destroys-files",
        "sc",
        "files under the root or the home directory are overwritten or removed in bulk",
        "Nothing brings them back.",
        "node-ipc (2022); ATT&CK T1485, T1486",
        "remove it: a module stores in self.storage",
    ),
    (
        "mines-coins",
        "sh",
        "the source names a miner, a mining pool or its protocol",
        "It spends the host's electricity for somebody else.",
        "ua-parser-js (2021), coinhive; ATT&CK T1496",
        "remove it",
    ),
    (
        "leaves-the-sandbox",
        "sc",
        "object's subclasses, a function's globals or a frame's are walked, as a way out of a Python jail goes",
        "No honest module needs it, and each known escape does.",
        "CVE-2023-37271 and CVE-2023-41039 (RestrictedPython), Jinja2 CVE-2019-10906",
        "use what the module was given",
    ),
    (
        "reversed-text",
        "sh",
        "the source holds bidirectional controls",
        "A reader sees another program than the interpreter.",
        "Trojan Source, CVE-2021-42574",
        "remove them, or write them as escapes: \\u202e",
    ),
    (
        "invisible-text",
        "sc",
        "the source holds runs of characters that nobody sees",
        "A payload can be written in them.",
        "GlassWorm (2025); Unicode TR36",
        "remove them, or write them as escapes",
    ),
    (
        "look-alike-name",
        "sh",
        "an identifier is written in letters that look like others, or that Python reads as others",
        "A reader, and a search, take it for another name.",
        "onyxproxy (2023), CVE-2021-42694; PEP 672",
        "write identifiers in one script",
    ),
    (
        "code-out-of-sight",
        "sh",
        "code stands behind a wide gap, right of what an editor shows",
        "A reader does not see it.",
        "W4SP (2022)",
        "put it on a line of its own",
    ),
    (
        "meaningless-names",
        "sh",
        "most names are made of letters that cannot be told apart",
        "The source was put through an obfuscator.",
        "BlazeStealer (2023), pyobfuscate, Hyperion; ATT&CK T1027",
        "ship the source as it was written",
    ),
    (
        "packed-data",
        "sl",
        "a long text of high entropy stands in the source",
        "It may hold anything.",
        "Backstabber's Knife Collection (2020)",
        "keep data in an asset, in a form that can be read",
    ),
    (
        "known-drop",
        "sm",
        "an address is named that serves mostly to take stolen data, or second stages, unseen",
        "Its owner cannot be told, and nobody answers for it.",
        "W4SP webhooks (2022), PyPI Telegram stealers (2024); ATT&CK T1567, T1102",
        "use a server of your own, and declare it",
    ),
    (
        "secret-in-source",
        "sh",
        "the source holds a key, token or password",
        "Everybody who gets the package has it, and a registry never forgets a version.",
        "CWE-798; OWASP ASVS 2.10.4",
        "revoke it, and let the host attach it: api_auth, or a secret in [config]",
    ),
    (
        "nags-for-permissions",
        "sh",
        "a permission is asked for in a loop",
        "People grant what does not stop asking.",
        "MFA fatigue, Uber (2022); ATT&CK T1621",
        "ask once, when the person uses what needs it",
    ),
    (
        "phishes",
        "sh",
        "a form asks for the password of another service",
        "The person gives it to the module.",
        "AgreeTo (2026), Office add-ins; ATT&CK T1056.002",
        "let the host sign the person in",
    ),
    (
        "program-in-package",
        "sh",
        "a file of the package is a program, a library or a script of the system",
        "A module cannot use it; somebody else may.",
        "xz-utils CVE-2024-3094, VS Code extensions with programs (2023); ATT&CK T1036",
        "remove it, or compile it to WebAssembly",
    ),
    (
        "disguised-file",
        "sh",
        "a file is not what its name says",
        "It hides from whoever goes by names.",
        "xz-utils CVE-2024-3094; ATT&CK T1036.008",
        "name it as what it is",
    ),
    (
        "active-asset",
        "sm",
        "a picture or a page of the package holds a script",
        "A viewer that shows it as it is would run it.",
        "CWE-79; SVG in OWASP File Upload",
        "remove the script",
    ),
    (
        "unreadable",
        "sh",
        "a file cannot be analysed: it is too deep, too large, damaged or encrypted",
        "What cannot be read cannot be vouched for.",
        "GuardDog and Bandit both skip such files, which malware has used",
        "simplify or split it",
    ),
)

_STATIC: Final[tuple[_Row, ...]] = (
    (
        "syntax",
        "rm",
        "a file is no Python of the version that scans",
        "It does not load there; the guest may run a newer Python.",
        "Python language reference",
        "correct it",
    ),
    (
        "undeclared-permission",
        "sm",
        "a permission is needed that the manifest does not declare",
        "The host refuses it, and whoever reads the manifest does not learn of it.",
        "CWE-250; least privilege",
        "declare it, with the reason",
    ),
    (
        "dead-grant",
        "sl",
        "a permission is declared that nothing needs",
        "What a module can do, it can be misled to do.",
        "CWE-250; least privilege",
        "remove it",
    ),
    (
        "foreign-topic",
        "sm",
        "an event is emitted under another module's name, or the platform's",
        "It is refused; let through, it would be a forgery.",
        "CWE-346",
        "emit under module.<id>.",
    ),
    (
        "unconsumed-topic",
        "rm",
        "a topic is subscribed to that the manifest does not name",
        "It is refused.",
        "semantics of [events]",
        "add it to consumed",
    ),
    (
        "unknown-endpoint",
        "rm",
        "an endpoint is registered that the manifest does not name",
        "It is refused.",
        "semantics of [endpoints]",
        "add it to [endpoints]",
    ),
    (
        "unknown-element",
        "rm",
        "an element is built that does not exist",
        "The window cannot be rendered.",
        "reference of elements",
        "correct its name",
    ),
    (
        "placeholder-reason",
        "ml",
        "a permission's reason is still to be written",
        "The person who is asked reads it.",
        "reference of the manifest",
        "say why",
    ),
    (
        "dynamic-code",
        "sm",
        "exec, eval or compile is given what is not constant",
        "A scan cannot say what runs.",
        "CWE-95; Bandit B102, B307",
        "use a table of functions, or ast.literal_eval",
    ),
    (
        "dynamic-import",
        "sl",
        "a module is imported whose name is computed",
        "A scan cannot say which.",
        "CWE-829",
        "import it by name",
    ),
    (
        "unsafe-pickle",
        "sm",
        "an object is read by pickle or its like",
        "A pickle is a program.",
        "CWE-502; Bandit B301",
        "use json",
    ),
    (
        "starts-a-process",
        "sm",
        "a process is started",
        "A module has none in wasm; elsewhere it leaves the boundary.",
        "CWE-78; Bandit B602 to B607",
        "ask the host: api_call",
    ),
    (
        "loads-native-code",
        "sm",
        "native code is loaded or memory is read",
        "It ends every promise that Python makes.",
        "CWE-114; ATT&CK T1055",
        "remove it: another language belongs into a .wasm",
    ),
    (
        "opens-a-connection",
        "sl",
        "a library of the network is used in place of api_call",
        "There are no sockets in wasm, and nobody could see or limit it elsewhere.",
        "semantics of api_call",
        "use api_call, and declare the permission",
    ),
    (
        "changes-the-interpreter",
        "sm",
        "builtins, loaded modules or a function's code are replaced",
        "Whoever runs in the same interpreter is changed with it.",
        "CWE-471",
        "write a function of your own",
    ),
    (
        "endless-loop",
        "rh",
        "a loop that runs at load never ends or waits",
        "The module does not load, and is stopped by its limits.",
        "colors and faker (2022); CWE-835",
        "give it an end, or use every()",
    ),
    (
        "memory-bomb",
        "rh",
        "a constant expression takes more memory than there is",
        "The module is stopped by its limits.",
        "CWE-789",
        "compute what is needed, when it is needed",
    ),
    (
        "swallows-everything",
        "ml",
        "an except clause catches everything and does nothing",
        "It hides faults, and cancellation too.",
        "CWE-390; Bandit B110",
        "catch what is expected, and log it",
    ),
    (
        "long-function",
        "ml",
        "a function is longer than 100 lines",
        "Nobody can see all of it at once.",
        "SonarQube S138",
        "give its parts names",
    ),
    (
        "deep-nesting",
        "ml",
        "a function has more than 15 ways through it",
        "It cannot be tested.",
        "McCabe (1976); SonarQube S3776",
        "give its parts names",
    ),
    (
        "wasm-import",
        "sh",
        "the .wasm imports what no host provides",
        "It does not load.",
        "reference of the wire",
        "build it for the world plataforma:module",
    ),
    (
        "wasm-undeclared",
        "sm",
        "the .wasm names a function of the host whose permission is not declared",
        "The host refuses it.",
        "CWE-250; least privilege",
        "declare the permission, with the reason",
    ),
)

_OTHERS: Final[tuple[tuple[str, _Row], ...]] = (
    (
        "dependency-audit",
        (
            "vulnerable-dependency",
            "sh",
            "a dependency or a wheel has a known vulnerability",
            "It is the module's, too.",
            "OSV schema; CWE-1395",
            "take the version that mends it",
        ),
    ),
    (
        "dependency-audit",
        (
            "malicious-dependency",
            "sc",
            "a dependency or a wheel is known as malware",
            "It does what it is known for.",
            "OSV MAL- records (OpenSSF malicious-packages)",
            "remove it, and revoke what it may have seen",
        ),
    ),
    (
        "dependency-audit",
        (
            "vulnerable-range",
            "sm",
            "a dependency's range admits versions with a known vulnerability beside those without",
            "An old lock keeps the vulnerable one.",
            "OSV schema; CWE-1395",
            "begin the range where it is mended",
        ),
    ),
    (
        "licence",
        (
            "licence-missing",
            "ml",
            "the manifest names no licence",
            "Nobody may use it, in law.",
            "choosealicense.com, No License",
            "name one: licence = 'MIT'",
        ),
    ),
    (
        "licence",
        (
            "licence-unknown",
            "mm",
            "the licence is no SPDX expression",
            "No tool can tell what it permits.",
            "SPDX 2.3, annex D; PEP 639",
            "use an SPDX identifier, or LicenseRef-...",
        ),
    ),
    (
        "licence",
        (
            "licence-refused",
            "mh",
            "the licence is not among those that the policy admits",
            "Whoever runs this registry does not distribute it.",
            "ScanPolicy.licences",
            "choose another, or ask the registry",
        ),
    ),
    (
        "performance",
        (
            "trial-limit",
            "rh",
            "the trial load broke a hard limit",
            "It does so on every host.",
            "semantics of limits",
            "do less in on_load",
        ),
    ),
    (
        "performance",
        (
            "trial-unloadable",
            "rh",
            "the package does not load in wasm",
            "It loads on no host.",
            "semantics of packages",
            "run it once: plataforma run",
        ),
    ),
    (
        "performance",
        (
            "trial-raised",
            "rl",
            "on_load failed in a host that grants nothing",
            "A module that is refused should say so and go on.",
            "semantics of permissions",
            "catch PermissionDeniedError",
        ),
    ),
    (
        "performance",
        (
            "slow-load",
            "rm",
            "loading takes more time, fuel or memory than the policy admits",
            "Every start of every host waits for it.",
            "ScanPolicy.max_load_ms and its like",
            "do it later, or keep the result in an asset",
        ),
    ),
    (
        "extra",
        (
            "external",
            "sm",
            "another tool has found something",
            "See that tool.",
            "ruff, bandit, detect-secrets, yara",
            "see the message",
        ),
    ),
    (
        "extra",
        (
            "scanner-failed",
            "rh",
            "a scanner raised, or took longer than its time",
            "What it would have found is not known.",
            "ScanPolicy.timeout_s",
            "tell whoever wrote the scanner; the package may be made to hurt it",
        ),
    ),
)


def _rules() -> Iterator[ScanRule]:
    tables = (("malware", _MALWARE), ("static-analysis", _STATIC))
    for scan, row in [*((scan, row) for scan, rows in tables for row in rows), *_OTHERS]:
        name, code, what, why, source, remedy = row
        yield ScanRule(
            name=name,
            scan=scan,
            dimension=_DIMENSIONS[code[0]],
            risk=_RISKS[code[1]],
            what=what,
            why=why,
            source=source,
            remedy=remedy,
        )


SCAN_RULES: Final[Mapping[str, ScanRule]] = MappingProxyType({rule.name: rule for rule in _rules()})
"""Name -> rule, in the order of the reference."""
