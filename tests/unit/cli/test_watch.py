"""What counts as a save: the module's own files, whole, wherever the editor wrote them first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from plataforma_sdk.cli._watch import Poller, Waker, best_waker, scan, watch


def wakers() -> list[Waker]:
    return [Poller(0.002), best_waker()]


@pytest.fixture(params=[0, 1], ids=["poller", "best"])
def waker(request: pytest.FixtureRequest) -> Waker:
    return wakers()[request.param]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    root = tmp_path / "module"
    root.mkdir()
    (root / "module.toml").write_text("id = 'm'")
    (root / "m.py").write_text("x = 1")
    return root


def saves(run, root: Path, waker: Waker, *edits) -> list[tuple[str, ...]]:
    """Make one edit after another, each when the one before was seen, and return what was seen."""

    async def main() -> list[tuple[str, ...]]:
        seen = []
        changes = watch(root, waker=waker, known=scan(root))
        for edit in edits:
            edit()
            seen.append((await anext(changes)).files)
        await changes.aclose()
        return seen

    return run(main())


def test_a_write_is_seen(run, module, waker):
    assert saves(run, module, waker, lambda: (module / "m.py").write_text("x = 2 ")) == [("m.py",)]


def test_a_rename_over_the_file_is_a_save_of_it(run, module, waker):
    def save():
        (module / ".m.py.new").write_text("x = 2")
        (module / ".m.py.new").replace(module / "m.py")

    assert saves(run, module, waker, save, save) == [("m.py",), ("m.py",)]


def test_files_saved_together_are_one_change(run, module, waker):
    def save():
        (module / "m.py").write_text("x = 22")
        (module / "n.py").write_text("y = 1")
        (module / "module.toml").unlink()

    assert saves(run, module, waker, save) == [("m.py", "module.toml", "n.py")]


def test_a_new_directory_is_watched_too(run, module, waker):
    def make():
        (module / "sub").mkdir()
        (module / "sub" / "a.py").write_text("1")

    edits = [make, lambda: (module / "sub" / "a.py").write_text("22")]
    assert saves(run, module, waker, *edits) == [("sub/a.py",), ("sub/a.py",)]


@pytest.mark.parametrize("name", ["m.py~", "4913", ".m.py.swp", "#m.py#", "__pycache__/m.pyc", ".git/HEAD", "m.tmp"])
def test_what_an_editor_keeps_for_itself_is_no_save(run, module, name):
    def save():
        (module / name).parent.mkdir(exist_ok=True)
        (module / name).write_text("")
        (module / "m.py").write_text("x = 33")

    assert saves(run, module, Poller(0.002), save) == [("m.py",)]


def test_links_are_not_followed(run, module, tmp_path, waker):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("1")
    (module / "link").symlink_to(outside)
    assert set(scan(module)) == {"module.toml", "m.py", "link"}

    def save():
        (outside / "secret.py").write_text("22")
        (module / "m.py").write_text("x = 44")

    assert saves(run, module, waker, save) == [("m.py",)]


def test_a_directory_that_is_gone_holds_nothing(tmp_path):
    assert scan(tmp_path / "nowhere") == {}


def test_a_watch_that_is_cancelled_ends(run, module, waker):
    async def main():
        async def follow():
            async for _ in watch(module, waker=waker):
                pass

        task = asyncio.create_task(follow())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
