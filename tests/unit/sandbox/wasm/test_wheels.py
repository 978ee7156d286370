"""What a module imports from the wheels that its package carries."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile

import pytest

from plataforma_sdk import ModuleHost, ModulePackage
from plataforma_sdk.errors import GuestError, ModuleLoadError, ResourceLimitError

COLOURS = {
    "colours/__init__.py": "from colours.names import NAMES\n__version__ = '1.0'\n",
    "colours/names.py": "NAMES = ['red']\ndef fail():\n    raise ValueError('no such colour')\n",
    "colours/data/table.txt": "red 255 0 0\n",
    "colours_space/inner/__init__.py": "HERE = __name__\n",
    "colours-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Colours\nVersion: 1.0\n",
    "colours-1.0.dist-info/RECORD": "colours/__init__.py,,\n",
    "colours-1.0.dist-info/entry_points.txt": "[colours.plugins]\nred = colours.names:NAMES\n",
}

MODULE = """
from plataforma_sdk import ModuleFramework, ui
{head}

class Module(ModuleFramework):
    async def on_load(self):
        pass

    def render(self):
        return ui.text("")

    def probe(self):
{body}
"""


def wheel(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


def package(body, wheels, head=""):
    files = {f"wheels/{name}-py3-none-any.whl": content for name, content in wheels.items()}
    declared = {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in files.items()}
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return ModulePackage.from_source(MODULE.format(head=head, body=lines), id="m", files=files, wheels=declared)


def probe(body, wheels=None, head="", engine="wasm"):
    async def run():
        async with ModuleHost(engine=engine) as host:
            module = await host.load(package(body, wheels or {"colours-1.0": wheel(COLOURS)}, head))
            return await module.call("probe")

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("import colours; return [colours.__version__, colours.NAMES]", ["1.0", ["red"]], id="package"),
        pytest.param("from colours import names; return names.__file__", "wheel:/colours/names.py", id="file"),
        pytest.param("import colours_space.inner as i; return i.HERE", "colours_space.inner", id="namespace package"),
        pytest.param(
            "import pkgutil; return pkgutil.get_data('colours', 'data/table.txt').decode()",
            "red 255 0 0\n",
            id="pkgutil",
        ),
        pytest.param(
            "from importlib.resources import files\nreturn files('colours').joinpath('data', 'table.txt').read_text()",
            "red 255 0 0\n",
            id="importlib.resources",
        ),
        pytest.param(
            "from importlib.metadata import entry_points, version\n"
            "return [version('colours'), [point.name for point in entry_points(group='colours.plugins')]]",
            ["1.0", ["red"]],
            id="importlib.metadata",
        ),
        pytest.param("import inspect, colours.names as n\nreturn inspect.getsource(n.fail)[:3]", "def", id="source"),
        pytest.param("import colours\nreturn 'colours' in dir() and __name__.startswith('module')", True, id="names"),
    ],
)  # fmt: skip
def test_what_a_wheel_offers(body, expected):
    assert probe(body) == expected


def test_an_error_in_a_wheel_shows_the_authors_own_lines():
    with pytest.raises(GuestError, match="no such colour") as caught:
        probe("from colours.names import fail; fail()")
    assert "module.py" in caught.value.traceback[0]


def test_a_wheel_cannot_stand_in_for_the_standard_library_or_the_modules_files():
    evil = wheel({"json.py": "loads = None\n", "plataforma_sdk/__init__.py": "", "module_package/module.py": "x = 1\n"})
    assert probe("import json; return json.loads('[1]')", {"evil-1.0": evil}) == [1]


def test_a_wheel_of_attrs_comes_before_the_runners_own():
    own = wheel({"attr/__init__.py": "__version__ = 'own'\n", "attrs/__init__.py": "from attr import __version__\n"})
    head = "import attrs"
    assert probe("return [attrs.__version__, bool(ui.text('x'))]", {"attrs-1.0": own}, head) == ["own", True]


@pytest.mark.parametrize(
    ("wheels", "problem"),
    [
        pytest.param({"bad-1.0": b"no zip"}, "is no wheel", id="no zip"),
        pytest.param({"a-1.0": wheel({"x.py": ""}), "b-1.0": wheel({"x.py": ""})}, "is in both", id="twice"),
    ],
)
def test_what_cannot_be_imported_does_not_load(wheels, problem):
    with pytest.raises(ModuleLoadError, match=problem):
        probe("return 1", wheels)


def test_restricted_refuses_wheels_by_name():
    with pytest.raises(ModuleLoadError, match="carries wheels"):
        probe("return 1", engine="restricted")


def test_a_bomb_ends_by_the_modules_own_memory_limit():
    bomb = wheel({"bomb.py": "x = 1\n" + "#" * 400_000_000})
    with pytest.raises((ResourceLimitError, GuestError), match=r"(?i)memory"):
        probe("return 1", {"bomb-1.0": bomb}, head="import bomb")
