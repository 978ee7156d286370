"""What a value may hold, as bits: where it came from, followed from assignment to assignment by `_flow`.

The names of sources, of sinks and of sensitive places are data, in one file, so that a person can read what is looked
for. **Source:** Ohm et al., "Backstabber's Knife Collection" (2020); Guo et al., "An Empirical Study of Malicious
Code in PyPI Ecosystem" (2023); MITRE ATT&CK; the incidents named beside each rule in `SCAN_RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = [
    "CIPHERED",
    "CLIPBOARD",
    "CLOCK",
    "CREDENTIAL",
    "DATE",
    "DECODED",
    "DECODERS",
    "DIGEST",
    "ENVIRONMENT",
    "EVENT",
    "FORM",
    "HOME",
    "IDENTITY",
    "KEYS",
    "LISTED",
    "NAMED",
    "PACKED",
    "PERSISTENT",
    "PERSONAL",
    "READERS",
    "RECORDS",
    "REMOTE",
    "ROOTS",
    "ROWS",
    "SELF",
    "SINKS",
    "STORED",
    "WHOLE",
    "count_places",
    "labels_of_text",
]

CREDENTIAL: Final = 1 << 0
"""A password, key, token or wallet, or the path of one."""
ENVIRONMENT: Final = 1 << 1
"""The whole environment, or a variable named like a secret."""
IDENTITY: Final = 1 << 2
"""Who and where the machine is."""
CLIPBOARD: Final = 1 << 3
RECORDS: Final = 1 << 4
"""Whole tables, or columns that are secrets."""
FORM: Final = 1 << 5
"""What a person typed into a field for a password or a card."""
KEYS: Final = 1 << 6
"""Keys pressed, or pictures of the screen."""
REMOTE: Final = 1 << 7
"""What came over the network."""
STORED: Final = 1 << 8
"""An asset, a stored value, or what the platform's own API answered."""
DECODED: Final = 1 << 9
"""Decoded, decompressed, decrypted, or put together from numbers."""
HOME: Final = 1 << 10
"""The root or the home directory."""
LISTED: Final = 1 << 11
"""A name that a walk over directories gave."""
PERSISTENT: Final = 1 << 12
"""A place out of which the system, a shell, Python or a tool runs code later."""
EVENT: Final = 1 << 13
"""What another module, or the host, told in an event."""
NAMED: Final = 1 << 14
"""Picked out of something by a name like a secret's; see `EVENT`."""
SELF: Final = 1 << 15
"""The module's own source."""
PACKED: Final = 1 << 16
"""Written as one text, as whole values are to be sent."""
CLOCK: Final = 1 << 17
"""What time it is."""
DATE: Final = 1 << 18
"""A point in time that is written in the source."""
DIGEST: Final = 1 << 19
"""A digest."""
CIPHERED: Final = 1 << 20
"""Encrypted, or mixed with a key."""
ROWS: Final = 1 << 21
"""Whole records, of which nothing was picked."""

PERSONAL: Final = CREDENTIAL | ENVIRONMENT | CLIPBOARD | RECORDS | FORM | KEYS
"""What must not leave."""
WHOLE: Final = PERSONAL & ~RECORDS | ROWS
"""What must not be handed on inside the platform either."""

_PLACES: Final = re.compile(
    r"""\.ssh[/\\]|\bid_(?:rsa|ed25519|ecdsa|dsa)\b|\.aws[/\\]|\.config[/\\]gcloud|\.azure[/\\]|\.kube[/\\]config|\.docker[/\\]config
    |\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.gitconfig|\.gnupg|\.bash_history|\.zsh_history|\.env\Z|\.vault-token
    |/etc/(?:passwd|shadow)|Login\ Data|Local\ State|Web\ Data|leveldb|key4\.db|logins\.json|cookies\.sqlite|Cookies\Z
    |wallet\.dat|keystore|Exodus|Electrum|Atomic[/\\]|Ethereum|metamask|nkbihfbeogaeaoehlefnkodbefgpgknn|\.solana
    |SUPERVISOR_TOKEN|container_environment|secrets\.ya?ml|auth_provider|\.storage/auth|serviceaccount/token
    |/proc/[^/\s]+/(?:environ|mem|maps|fd\b)|Keychains?[/\\]|login\.keychain
    |tdata|Telegram\ Desktop|\.minecraft|ssfn|loginusers\.vdf
    |\.terraform|\.dockercfg|filezilla|winscp|\.purple|\.config[/\\]gh[/\\]|hosts\.yml|\.cargo[/\\]credentials""",
    re.VERBOSE | re.IGNORECASE,
)
_PERSISTENT_PLACES: Final = re.compile(
    r"""\.bashrc|\.zshrc|\.profile\b|\.bash_profile|\.zprofile|crontab|cron\.d|/etc/cron|systemd/|LaunchAgents|LaunchDaemons
    |autostart|Start\ Menu|\bStartup\b|CurrentVersion\\+Run|sitecustomize|usercustomize|\.pth\Z|authorized_keys
    |\.vscode[/\\]|\.git[/\\]hooks|\.github[/\\]workflows|/etc/rc\.local|/etc/ld\.so\.preload|/etc/sudoers|init\.d/|PowerShell_profile
    |\.config/fish|/custom_components|claude_desktop_config|\.cursor[/\\]|\.claude[/\\]""",
    re.VERBOSE | re.IGNORECASE,
)
ROOTS: Final = frozenset({"/", "~", "~/", "..", "C:\\", "C:/", "$HOME", "/home", "/root", "/Users", "C:\\Users"})
"""Where everything of a person, or of a machine, begins."""
_SECRET_NAME: Final = re.compile(
    r"token|secret|passw|\bpwd\b|credential|api_?key|access_?key|private_?key|auth(?!or)|mnemonic|seed_?phrase",
    re.IGNORECASE,
)
_FIELDS: Final = re.compile(
    r"passw|senha|\bpin\b|\bcvv\b|\bcvc\b|card_?n|cartao|cartão|\bpan\b|\botp\b|mnemonic|seed_?phrase|private_?key|secret_?key|\biban\b"
    r"|(?:frase|seed|recovery|wallet).{0,12}(?:recupera|secreta|semente|phrase|words)|chave.?privada|private.?key"
    r"|\bsemente\b|\bseed\b|\b(?:12|24|doze|twelve)\s+(?:palavras|words)|c.digo\s+d[eo]\s+(?:autentica|seguran|verifica)|security\s+code",
    re.IGNORECASE,
)
_SECRET_COLUMNS: Final = re.compile(
    r"select\s+\*\s+from|passw|senha|\bhash\b|password_hash|token|secret|\bcpf\b|card|cartao|\bssn\b", re.IGNORECASE
)
_MAX_PLACE_CHARS: Final = 200


def labels_of_text(text: str) -> int:
    """Label a constant by the place that it names; prose, which speaks of places, is none."""
    if len(text) > _MAX_PLACE_CHARS or "\n" in text or text.count(" ") > 5:  # noqa: PLR2004 - a sentence
        return 0
    labels = CREDENTIAL if _PLACES.search(text) else 0
    if _PERSISTENT_PLACES.search(text):
        labels |= PERSISTENT
    return labels


def is_secret_name(name: str) -> bool:
    """Whether a variable is named like a secret."""
    return _SECRET_NAME.search(name) is not None


def is_field(name: str) -> bool:
    """Whether a form's field is named like a secret."""
    return _FIELDS.search(name) is not None


def count_places(texts: Iterable[str]) -> int:
    """Count the different places of credentials that texts name."""
    found = (_PLACES.search(text) for text in texts if len(text) <= _MAX_PLACE_CHARS and text.count(" ") < 2)  # noqa: PLR2004
    return len({match.group().lower().strip("/\\")[:3] for match in found if match})  # id_rsa and id_dsa are one


def is_sensitive_query(sql: str) -> bool:
    """Whether a query reads whole rows, or columns that are secrets."""
    return _SECRET_COLUMNS.search(sql) is not None


DECODERS: Final = frozenset(
    {
        *(
            f"base64.{name}"
            for name in ("b64decode", "urlsafe_b64decode", "standard_b64decode", "b32decode", "b16decode")
        ),
        *(f"base64.{name}" for name in ("b85decode", "a85decode", "decodebytes", "decodestring", "z85decode")),
        "binascii.unhexlify",
        "binascii.a2b_base64",
        "binascii.a2b_hex",
        "bytes.fromhex",
        "bytearray.fromhex",
        "codecs.decode",
        "marshal.loads",
        "zlib.decompress",
        "gzip.decompress",
        "bz2.decompress",
        "lzma.decompress",
        "zlib.decompressobj",
        "zstandard.decompress",
    }
)
"""Calls whose result is `DECODED`."""

DECODING_METHODS: Final = frozenset(
    {"decrypt", "fromhex", "unhexlify", "b64decode", "urlsafe_b64decode", "b85decode", "a85decode", "b32decode"}
)

DATES: Final = (
    "datetime.datetime",
    "datetime.date",
    *(f"datetime.{kind}.fromisoformat" for kind in ("date", "datetime")),
)
"""Calls that make a point in time of constants."""

DERIVING: Final = ("hashlib.pbkdf2_hmac", "hashlib.scrypt", "hmac.new", "hmac.digest", "cryptography.fernet.Fernet")
"""Calls that are given a secret, whatever its name is: its place among the arguments is that of `SECRET_PLACES`."""
SECRET_PLACES: Final = {"hashlib.pbkdf2_hmac": 1}

COUNTING: Final = frozenset({"len", "bool", "any", "all", "isinstance", "sum", "type", "callable"})
"""Calls after which nothing personal is left."""

READERS: Final[dict[str, int]] = {
    **dict.fromkeys(("json.dumps", "base64.b64encode", "base64.urlsafe_b64encode", "base64.b32encode"), PACKED),
    **dict.fromkeys(("time.time", "time.localtime", "time.gmtime", "time.time_ns", "datetime.date.today"), CLOCK),
    **dict.fromkeys(("datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow"), CLOCK),
    "ord": PACKED,
    **dict.fromkeys(("importlib.util.find_spec", "site.getsitepackages", "site.getusersitepackages"), PERSISTENT),
    **dict.fromkeys(("sysconfig.get_path", "sysconfig.get_paths"), PERSISTENT),
    **dict.fromkeys(("zlib.compress", "gzip.compress", "bz2.compress", "lzma.compress", "pickle.dumps"), PACKED),
    **dict.fromkeys(("binascii.hexlify", "binascii.b2a_base64", "urllib.parse.urlencode", "repr"), PACKED),
    "urllib.request.urlopen": REMOTE,
    "urllib.request.urlretrieve": REMOTE,
    "urllib.urlopen": REMOTE,
    "urllib2.urlopen": REMOTE,
    **{f"{library}.get": REMOTE for library in ("requests", "httpx", "httpx2", "aiohttp", "urllib3")},
    **{f"{library}.request": REMOTE for library in ("requests", "httpx", "httpx2", "aiohttp")},
    "requests.post": REMOTE,
    "httpx.post": REMOTE,
    "getpass.getuser": IDENTITY,
    "os.getlogin": IDENTITY,
    "socket.gethostname": IDENTITY,
    "socket.getfqdn": IDENTITY,
    "platform.node": IDENTITY,
    "platform.uname": IDENTITY,
    "uuid.getnode": IDENTITY,
    "os.uname": IDENTITY,
    "pyperclip.paste": CLIPBOARD,
    "PIL.ImageGrab.grab": KEYS,
    "PIL.ImageGrab.grabclipboard": CLIPBOARD,
    "pyautogui.screenshot": KEYS,
    "win32crypt.CryptUnprotectData": CREDENTIAL,
    "browser_cookie3.load": CREDENTIAL,
    "browser_cookie3.chrome": CREDENTIAL,
    "keyring.get_password": CREDENTIAL,
    "keyring.get_credential": CREDENTIAL,
    "google.auth.default": CREDENTIAL,
    "os.walk": LISTED,
    "os.listdir": LISTED,
    "os.scandir": LISTED,
    "glob.glob": LISTED,
    "glob.iglob": LISTED,
    "pathlib.Path.home": HOME,
    "marshal.loads": DECODED,
    **dict.fromkeys(
        ("stegano.lsb.reveal", "stegano.lsbset.reveal", "stegano.exifHeader.reveal", "stepic.decode"), DECODED
    ),
}
"""Calls whose result holds what the bits say."""

READING_METHODS: Final[dict[str, int]] = {
    "get_credentials": CREDENTIAL,
    "get_frozen_credentials": CREDENTIAL,
    "recv": REMOTE,
    "recvfrom": REMOTE,
    "rglob": LISTED,
    "iterdir": LISTED,
    "asset": STORED,
    "encrypt": CIPHERED,
    "hex": PACKED,
}
"""Methods whose result holds what the bits say, whoever has them."""

_SUBPROCESS: Final = ("Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
_OS_PROCESS: Final = (
    *("system", "popen", "startfile", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe"),
    *("execl", "execle", "execlp", "execlpe", "spawnl", "spawnle", "spawnlp", "spawnv", "spawnve", "spawnvp"),
)

SINKS: Final[dict[str, str]] = {
    **dict.fromkeys(("exec", "eval", "compile", "execfile"), "code"),
    **dict.fromkeys(("runpy.run_path", "runpy.run_module", "types.FunctionType", "types.CodeType"), "code"),
    **dict.fromkeys(("code.interact", "code.InteractiveInterpreter", "timeit.timeit", "cProfile.run"), "code"),
    **dict.fromkeys(("pickle.loads", "pickle.load", "dill.loads", "cloudpickle.loads", "yaml.unsafe_load"), "pickle"),
    **dict.fromkeys(("_pickle.loads", "_pickle.load", "cPickle.loads", "cPickle.load", "pandas.read_pickle"), "pickle"),
    **dict.fromkeys(("_pickle.Unpickler", "dill.load", "cloudpickle.load", "shelve.open"), "pickle"),
    **dict.fromkeys(("pickle.Unpickler", "jsonpickle.decode", "yaml.load", "joblib.load", "torch.load"), "pickle"),
    **{f"subprocess.{name}": "process" for name in _SUBPROCESS},
    **{f"os.{name}": "process" for name in _OS_PROCESS},
    **dict.fromkeys(("pty.spawn", "asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec"), "process"),
    **dict.fromkeys(("commands.getoutput", "popen2.popen2", "platform.popen", "webbrowser.open"), "process"),
    **dict.fromkeys(("ctypes.CDLL", "ctypes.cdll.LoadLibrary", "ctypes.WinDLL", "ctypes.PyDLL"), "native"),
    **dict.fromkeys(("ctypes.CFUNCTYPE", "ctypes.memmove", "ctypes.string_at", "ctypes.cast"), "native"),
    **dict.fromkeys(("urllib.request.urlopen", "urllib.request.Request", "urllib.request.urlretrieve"), "network"),
    **dict.fromkeys(("urllib.urlopen", "urllib2.urlopen", "urllib2.Request"), "network"),
    **{
        f"{library}.{verb}": "network"
        for library in ("requests", "httpx", "httpx2", "aiohttp")
        for verb in ("get", "post", "put", "patch", "request", "head", "delete", "Session", "Client", "AsyncClient")
    },
    **dict.fromkeys(("http.client.HTTPConnection", "http.client.HTTPSConnection"), "network"),
    **dict.fromkeys(
        ("socket.socket", "socket.create_connection", "socket.gethostbyname", "socket.gethostbyname_ex"), "network"
    ),
    **dict.fromkeys(("socket.getaddrinfo", "smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP"), "network"),
    **dict.fromkeys(("asyncio.open_connection", "websockets.connect", "websocket.create_connection"), "network"),
    **dict.fromkeys(("paramiko.SSHClient", "telebot.TeleBot", "dns.resolver.resolve"), "network"),
    **dict.fromkeys(("shutil.rmtree", "os.remove", "os.unlink", "os.rmdir", "os.truncate"), "delete"),
    **dict.fromkeys(
        ("shutil.copy", "shutil.copyfile", "shutil.copy2", "shutil.move", "os.rename", "os.symlink"), "copy"
    ),
    "print": "tell",
    "mmap.mmap": "native",
    **dict.fromkeys(("asyncio.start_server", "http.server.HTTPServer", "http.server.ThreadingHTTPServer"), "listen"),
    **dict.fromkeys(("socketserver.TCPServer", "socketserver.ThreadingTCPServer", "socket.create_server"), "listen"),
    **dict.fromkeys(("os._exit", "os.abort", "os.kill", "os.killpg", "signal.raise_signal"), "exit"),
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._getframe"), "host"),
    **dict.fromkeys(("sys.settrace", "sys.setprofile", "threading.settrace", "sys.addaudithook"), "host"),
    "ui.image": "image",
    "plataforma_sdk.ui.image": "image",
    **dict.fromkeys(("winreg.SetValueEx", "winreg.SetValue", "_winreg.SetValueEx"), "registry"),
}
"""Call -> kind of the place where a value ends."""

SINK_METHODS: Final[dict[str, str]] = {
    **dict.fromkeys(("sendall", "sendto", "sendmail", "send_message", "storbinary", "storlines"), "network"),
    **dict.fromkeys(("post", "put", "urlopen", "upload_file", "upload_fileobj", "put_object"), "network"),
    **dict.fromkeys(("send", "request"), "network"),
    **dict.fromkeys(("unlink", "rmdir", "rmtree"), "delete"),
    **dict.fromkeys(("write_text", "write_bytes"), "write"),
    **dict.fromkeys(("write", "writelines"), "fill"),
    **dict.fromkeys(("getaddrinfo", "gethostbyname"), "network"),
    **dict.fromkeys(("log", "notify"), "tell"),
    **dict.fromkeys(("bind", "create_server"), "listen"),
    "query": "query",
    "emit": "emit",
    "execute": "execute",
    **dict.fromkeys(("exec_module", "runsource", "runcode", "run_cell"), "code"),
}
"""Method -> kind of the place where a value ends, whoever has it."""
