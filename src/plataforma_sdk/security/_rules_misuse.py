"""The rules of the malware scan for what is done to the platform, or through it; the columns are those of
`_rules_malware`."""

from __future__ import annotations

from typing import Final

__all__ = ["MISUSE"]

MISUSE: Final[tuple[tuple[str, str, str, str, str, str], ...]] = (
    (
        "hands-on-records",
        "sh",
        (
            "whole records, credentials or what was typed into a secret field go out in an event or an endpoint's"
            " answer, or a typed secret is kept"
        ),
        "Whoever listens gets them without the permission that the module needed.",
        "Salesloft Drift (2025); CWE-200, CWE-441",
        "tell what changed, by ids and sums, and let the listener ask for itself",
    ),
    (
        "beacon-in-a-picture",
        "sh",
        "the address of a picture carries secrets, or whole values that were packed into it",
        "The viewer fetches it, so data leaves without any permission of the network.",
        "EchoLeak, CVE-2025-32711; ATT&CK T1567",
        "show pictures at addresses that say only which picture",
    ),
    (
        "copies-itself",
        "sc",
        "the module reads its own source and writes or sends it",
        "That is how a worm spreads.",
        "Octopus Scanner (2020), Shai-Hulud (2025); ATT&CK T1080",
        "remove it: the registry distributes modules",
    ),
    (
        "lists-credentials",
        "sh",
        "three or more places are named where credentials lie",
        "Nobody needs such a list but who collects them.",
        "Shai-Hulud (2025), litellm (2026); ATT&CK T1552.001",
        "remove it: a credential is attached by the host, api_auth",
    ),
    (
        "destroys-records",
        "sh",
        "every row of tables whose names are computed is changed or deleted, or of one table without a condition",
        "Nothing brings them back.",
        "node-ipc (2022); ATT&CK T1485, T1565.001",
        "name the table, and say WHERE",
    ),
    (
        "ends-the-process",
        "sh",
        "a process is ended or signalled",
        "It is the host's, and everybody's who runs in it.",
        "Sharp7Extend (2025); ATT&CK T1489, CWE-705",
        "raise an exception, or return",
    ),
    (
        "waits-for-a-date",
        "sh",
        "code, a process, a pickle, a deletion or an exit is reached only before or after a date in the source",
        "Whoever tries the module before sees nothing: that is a logic bomb.",
        "Sharp7Extend (2025), SUNBURST (2020); ATT&CK T1497.003, CWE-511",
        "remove it, or let the person set the date",
    ),
    (
        "reaches-into-the-host",
        "sh",
        "the host's objects, frames or side of this library are used or changed",
        "A module is given all that it may use by ModuleFramework; what is beside it is a way around permissions.",
        "CWE-653, CWE-912; ATT&CK T1574",
        "use self: what it lacks is the host's to give",
    ),
    (
        "pleads-for-permissions",
        "sh",
        "the reason of a permission speaks for the platform, threatens, or says what to press",
        "The person decides by a sentence that is not true.",
        "ShadyPanda (2025); ATT&CK T1204, CWE-451",
        "say in a sentence what the module does with it",
    ),
    (
        "asks-in-anothers-name",
        "sh",
        "a window has a field for a secret and says that a session or an account has ended",
        "It looks like the platform's own question: phishing.",
        "lottie-player (2024); ATT&CK T1056.002",
        "leave signing in to the platform",
    ),
    (
        "obeys-from-afar",
        "sh",
        "a server or another module chooses what is called, where something is sent, or which statement runs",
        "Whoever is there uses the permissions of this module: a confused deputy.",
        "XcodeGhost (2015), SUNBURST (2020); CWE-441, CWE-918, CWE-89; ATT&CK T1071",
        "write the address and the statement, and pass values as parameters",
    ),
    (
        "swaps-addresses",
        "sh",
        "an address or key of payment stands in the source, beside a pattern that finds others",
        "What the person pays then goes to somebody else.",
        "chalk and debug (2025), colourama (2018); ATT&CK T1565.002",
        "take the payee from the platform, unchanged",
    ),
    (
        "floods",
        "sh",
        "events, notifications, calls or stored values are made ten thousand times or more in a loop",
        "It keeps the host and the other modules from their work.",
        "purescript-installer (2019); ATT&CK T1499, CWE-770",
        "send one with a list, or a page at a time",
    ),
    (
        "runs-machine-code",
        "sc",
        "memory is made that can be run, or another process's is written",
        "No promise of Python holds for machine code.",
        "CCleaner (2017), Cobalt Strike loaders such as pymafka (2022); ATT&CK T1055, T1620",
        "remove it: another language belongs into a .wasm",
    ),
    (
        "hides-from-analysis",
        "sh",
        "three or more tools and virtual machines are named that analysts use",
        "It behaves while it is looked at.",
        "W4SP and Blank Grabber (2022-2023); ATT&CK T1497, T1622",
        "remove it",
    ),
    (
        "listens",
        "sh",
        "a server listens on every interface of the machine",
        "It opens the host's network to whoever reaches it.",
        "soopsocks (2025); ATT&CK T1090",
        "answer under [endpoints]: register_endpoint",
    ),
    (
        "removes-itself",
        "sh",
        "the module removes, empties or moves its own source",
        "What has run is then not what lies there.",
        "AccessPress Themes (2022), axios (2026); ATT&CK T1070.004",
        "remove it",
    ),
    (
        "demands-ransom",
        "sh",
        "a text says that data was encrypted or taken, and asks for money",
        "That is extortion.",
        "requests-typosquats with ransomware (Phylum, 2022); ATT&CK T1486",
        "remove it",
    ),
    (
        "instructs-an-assistant",
        "sh",
        "a text speaks to an assistant that reads the source or the window, and overrules its instructions",
        "An agent may do what it says, with its person's rights.",
        "Amazon Q for VS Code (2025), s1ngularity (2025); OWASP LLM01",
        "remove it",
    ),
)
