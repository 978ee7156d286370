"""The module with wheels, with a small wheel built here in place of the one that an index has."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from plataforma_sdk import ManifestError, ModuleHost, ModulePackage

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "with-wheels"
TABULATE = '''
def tabulate(rows, headers, tablefmt):
    """Write the cells, as this test can check them."""
    assert (headers, tablefmt) == ("keys", "github")
    lines = [list(rows[0]), *(row.values() for row in rows)]
    return "\\n".join(" | ".join(str(cell) for cell in line) for line in lines)
'''


def small_wheel() -> bytes:
    """Make what a wheel is: a zip with code, and with what it says about itself."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("tabulate.py", TABULATE)
        archive.writestr(
            "tabulate-0.10.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tabulate\nVersion: 0.10.0\n"
        )
        archive.writestr("tabulate-0.10.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tabulate-0.10.0.dist-info/RECORD", "")
    return data.getvalue()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example without the wheel that its README fetches, and the small one in its place, not yet named."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "relatorio", ignore=shutil.ignore_patterns("__pycache__", "*.whl")))
    (copy / "wheels").mkdir(exist_ok=True)
    (copy / "wheels" / "tabulate-0.10.0-py3-none-any.whl").write_bytes(small_wheel())
    return copy


def test_it_writes_a_table_with_the_package_that_it_carries(example: Path) -> None:
    manifest = example / "module.toml"
    digest = hashlib.sha256(small_wheel()).hexdigest()
    manifest.write_text(re.sub(r"sha256:\w+", f"sha256:{digest}", manifest.read_text("utf-8")), "utf-8")

    async def main() -> str:
        async with ModuleHost() as host:
            relatorio = await host.load(example)
            written = await relatorio.call("escrever", [{"produto": "Café", "total": 3}])
            assert (await relatorio.render())["props"]["value"] == written
            return written

    assert asyncio.run(main()) == "produto | total\nCafé | 3"


def test_another_wheel_than_the_manifest_names_is_refused(example: Path) -> None:
    with pytest.raises(ManifestError, match=r"is another file: it has sha256:\w{64}"):
        ModulePackage.from_directory(example)


def test_a_wheel_that_was_not_fetched_is_told_by_name(example: Path) -> None:
    (example / "wheels" / "tabulate-0.10.0-py3-none-any.whl").unlink()
    with pytest.raises(ManifestError, match=r"tabulate-0\.10\.0-py3-none-any\.whl"):
        ModulePackage.from_directory(example)
