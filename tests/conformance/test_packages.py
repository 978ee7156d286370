"""Packages of several files: relative imports, assets, archives, and no way into a neighbour."""

from __future__ import annotations

import pytest

from plataforma_sdk.errors import GuestError, ModuleLoadError
from plataforma_sdk.package import ModulePackage

from ._suite import MANIFEST, case, module, open_host, write_package

SHOP = {
    "money.py": (
        "from decimal import Decimal\n\nRATE = Decimal('0.10')\n\ndef with_tax(price):\n"
        "    return price + price * RATE\n"
    ),
    "models/__init__.py": "from .sale import Sale\nfrom .sale import EMPTY as NOTHING\n",
    "models/sale.py": (
        "from dataclasses import dataclass\nfrom decimal import Decimal\n\nfrom ..money import with_tax\n\n"
        "@dataclass\nclass Sale:\n    item: str\n    price: Decimal\n\n    def total(self):\n"
        "        return with_tax(self.price)\n\nEMPTY = Sale('nothing', Decimal(0))\n"
    ),
    "reports/text.py": "from .. import money\n\ndef rate():\n    return str(money.RATE)\n",
}


@case(
    module(
        """
        def probe(self):
            sale = Sale("book", Decimal("10"))
            return [sale.total(), money.with_tax(Decimal(1)), NOTHING.item, text.rate(), taxed(Decimal(2))]
        """,
        head="""
        from decimal import Decimal
        from . import money
        from .models import NOTHING, Sale
        from .money import with_tax as taxed
        from .reports import text
        """,
    ),
    files=SHOP,
)
async def test_relative_imports_reach_every_file(host, handle):
    assert [str(value) for value in await handle.call("probe")] == ["11.00", "1.10", "nothing", "0.10", "2.20"]


STATE = {"state.py": "SEEN = []\n\ndef add(name):\n    SEEN.append(name)\n    return SEEN\n"}
USES_STATE = module("def probe(self):\n    return state.add(self.id)", head="from . import state")


def test_two_packages_share_no_file(engine, run, tmp_path):
    files = {**STATE, "probe.py": USES_STATE}
    one = write_package(tmp_path / "one", {**files, "module.toml": MANIFEST})
    two = write_package(tmp_path / "two", {**files, "module.toml": MANIFEST.replace('id = "probe"', 'id = "acme/two"')})

    async def main():
        async with open_host(engine, module("")) as (host, first):
            await first.unload()
            handles = [await host.load(package) for package in (one, two)]
            return [await handle.call("probe") for handle in handles]

    assert run(main()) == [["probe"], ["acme/two"]]


@case(USES_STATE, files=STATE)
async def test_a_reload_runs_every_file_again(host, handle):
    await handle.call("probe")
    await handle.reload()
    assert await handle.call("probe") == ["probe"]


@case(
    module("def probe(self):\n    return helper.fail()", head="from .inner import helper"),
    files={"inner/helper.py": "def fail():\n    value = {}\n    return value['gone']\n"},
)
async def test_a_traceback_names_the_file_inside_the_package(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("probe")
    text = "".join(caught.value.traceback)
    assert "inner/helper.py" in text
    assert "line 3, in fail" in text
    assert "value['gone']" in text


@case(module("", head="from .gone import nothing"), is_loaded=False)
async def test_a_file_that_is_not_there_fails_the_load(host, package):
    with pytest.raises((GuestError, ModuleLoadError), match="gone"):
        await host.load(package)


@case(module("", head="from .... import somewhere"), is_loaded=False)
async def test_an_import_does_not_climb_out_of_the_package(host, package):
    with pytest.raises((GuestError, ModuleLoadError)):
        await host.load(package)


@case(module("", head="from .broken import nothing"), files={"broken.py": "x = 1\ndef (:\n"}, is_loaded=False)
async def test_a_syntax_error_in_another_file_names_it(host, package):
    with pytest.raises(ModuleLoadError, match=r"(?s)broken\.py.*line 2|line 2.*broken\.py"):
        await host.load(package)


def test_an_archive_loads_as_its_directory_does(engine, run, tmp_path):
    files = {
        "module.toml": MANIFEST,
        "probe.py": module("async def probe(self):\n    return (await self.asset('assets/a.bin')).hex()"),
        "assets/a.bin": b"\x01\x02",
    }
    package = write_package(tmp_path / "probe", files)
    package.write(tmp_path / "probe.zip")
    again = ModulePackage.from_archive(tmp_path / "probe.zip")

    async def main():
        async with open_host(engine, module("")) as (host, first):
            await first.unload()
            return await (await host.load(again)).call("probe")

    assert (run(main()), again.digest) == ("0102", package.digest)


def test_a_directory_is_read_again_at_a_reload(engine, run, tmp_path):
    write_package(
        tmp_path / "probe", {"module.toml": MANIFEST, "probe.py": module("def probe(self):\n    return 'old'")}
    )

    async def main():
        async with open_host(engine, module("")) as (host, first):
            await first.unload()
            handle = await host.load(tmp_path / "probe")
            old = await handle.call("probe")
            (tmp_path / "probe" / "probe.py").write_text(module("def probe(self):\n    return 'new'"))
            await handle.reload()
            return old, await handle.call("probe")

    assert run(main()) == ("old", "new")


@case(
    module("async def probe(self):\n    return (await self.asset('words.txt')).decode().split()"),
    files={"words.txt": "um dois três"},
)
async def test_a_text_of_the_package_is_an_asset_too(host, handle):
    assert await handle.call("probe") == ["um", "dois", "três"]
