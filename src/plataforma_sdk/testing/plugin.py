"""The pytest plugin: fixtures and a marker, and least privilege as a test result. The one file that imports pytest.

Fixtures begin with ``plataforma_``. The marker configures them::

    @pytest.mark.plataforma("examples/vendas", prompts={"system.clipboard": False}, tier="all")
    async def test_shows_the_revenue(plataforma_environment): ...

``plataforma_environment`` is for async tests, whatever runs them: it is entered by ``async with``. One that neither
pytest-asyncio nor anyio claims is run by this plugin, in a loop of its own. ``plataforma_run`` serves a test that is
no coroutine.

Every pytest run of whoever has the library installed imports this file, so what only tests of modules need is imported
where it is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from plataforma_sdk.testing._account import GrantAccount

if TYPE_CHECKING:
    from plataforma_sdk.testing._api import FakeApi
    from plataforma_sdk.testing._environment import ModuleTestEnvironment
    from plataforma_sdk.testing._permissions import MockPermissionManager
    from plataforma_sdk.types import FakeClock

T = TypeVar("T")

MARKER: Final = "plataforma"
_ACCOUNT: Final = pytest.StashKey[GrantAccount]()
_FAILED: Final = pytest.StashKey[bool]()
_LEAVES_OUT: Final = ("--deselect", "--ignore")
_SETTINGS: Final = frozenset(
    {"grants", "prompts", "limits", "tier", "api", "database", "config", "modules", "clock", "locale"}
)
_HELP: Final = (
    "plataforma(target=None, *, grants=None, prompts=None, limits=None, tier='trusted', api=None, database=None, "
    "config=None, modules=(), clock=None, locale='en'): "
    "the module of this test, what it may do and where it runs; tier='all' runs it in every tier"
)


# --- the run ---------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("plataforma")
    group.addoption(
        "--plataforma-tier", default=None, help="run the tests of modules in this tier, or 'all', whatever they say"
    )
    group.addoption(
        "--plataforma-update-snapshots", action="store_true", help="write the trees of plataforma_snapshot anew"
    )
    parser.addini("plataforma_module", "path of the module under test, relative to the root", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and begin the account of the run."""
    config.addinivalue_line("markers", _HELP)
    config.stash[_ACCOUNT] = GrantAccount()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in the tiers that its marker or the command line names."""
    if "plataforma_tier" not in metafunc.fixturenames:
        return
    from plataforma_sdk.manifest import TIERS

    wanted = metafunc.config.getoption("plataforma_tier") or _settings_of(metafunc.definition).get("tier", "trusted")
    tiers = TIERS if wanted == "all" else tuple([wanted] if isinstance(wanted, str) else wanted)
    unknown = [tier for tier in tiers if tier not in TIERS]
    if unknown:
        pytest.fail(f"{unknown[0]!r} is no tier: write one of {', '.join(TIERS)}, or 'all'", pytrace=False)
    metafunc.parametrize("plataforma_tier", tiers, indirect=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run on grants of a manifest that no test used; hand the account over where xdist runs this worker."""
    import json

    account = session.config.stash[_ACCOUNT]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["plataforma_account"] = json.dumps(account.to_data())
    elif exitstatus == pytest.ExitCode.OK and _is_whole(session) and account.unused():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """List what no test used."""
    unused = config.stash[_ACCOUNT].unused()
    session = terminalreporter._session  # noqa: SLF001 - the only way to it
    if not unused or not _is_whole(session):
        return
    terminalreporter.section("permissions that no test used", red=True)
    for module, permissions in sorted(unused.items()):
        for permission in permissions:
            terminalreporter.line(f"{module}: {permission}: remove the line from module.toml, or test what needs it")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Merge what a worker of xdist has used."""
    import json

    data = getattr(node, "workeroutput", {}).get("plataforma_account")
    if data is not None and error is None:
        node.config.stash[_ACCOUNT].merge(json.loads(data))


def _is_whole(session: pytest.Session) -> bool:
    """Whether all tests ran: of a part, nothing can be said about what no test uses.

    What the ini file leaves out belongs to no run and makes none a part; what the command line leaves out does.
    """
    config, option = session.config, session.config.option
    is_part = option.keyword or option.markexpr or session.shouldstop or _is_resumed(option)
    is_typed = config.args_source is pytest.Config.ArgsSource.ARGS
    is_named = is_typed and any("::" in argument or Path(argument).is_file() for argument in config.args)
    is_left_out = any(str(argument).startswith(_LEAVES_OUT) for argument in config.invocation_params.args)
    return not (is_part or is_named or is_left_out or session.testsfailed)


def _is_resumed(option: Any) -> bool:
    return bool(getattr(option, "lf", False) or getattr(option, "stepwise", False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note that a test has failed: what its environment then has to say would be a second failure for one fault."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test of a module where no other plugin does; both that do come before."""
    if "plataforma_environment" not in pyfuncitem.fixturenames:
        return None
    import asyncio
    import inspect

    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - as pytest itself does
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


# --- one test --------------------------------------------------------------------------------------------------------


@pytest.fixture
def plataforma_tier(request: pytest.FixtureRequest) -> str:
    """The tier of this test; ``tier="all"`` runs it in each."""
    return str(getattr(request, "param", "trusted"))


@pytest.fixture
def plataforma_clock() -> FakeClock:
    """A clock that stands still until it is advanced."""
    from plataforma_sdk.types import FakeClock

    return FakeClock()


@pytest.fixture
def plataforma_api(request: pytest.FixtureRequest) -> FakeApi:
    """The API that the module calls: the marker's routes, and what the test adds by `answer`."""
    from plataforma_sdk.testing._api import FakeApi

    return FakeApi(_settings_of(request.node).get("api"))


@pytest.fixture
def plataforma_permissions(request: pytest.FixtureRequest) -> Iterator[MockPermissionManager]:
    """Permissions for a test of code that takes a `PermissionManager`: the marker's grants and answers."""
    from plataforma_sdk.testing._permissions import MockPermissionManager

    settings = _settings_of(request.node)
    manager = MockPermissionManager(settings.get("grants") or (), answers=settings.get("prompts"))
    yield manager
    if not request.node.stash.get(_FAILED, False):
        manager.assert_expected()
        _check_grants(manager, settings.get("grants") or None)


@pytest.fixture
def plataforma_environment(
    request: pytest.FixtureRequest, plataforma_tier: str, plataforma_api: FakeApi
) -> Iterator[ModuleTestEnvironment]:
    """The environment of the marker's module, to be entered: ``async with plataforma_environment as environment``.

    After the test, requests without an answer fail it, and so do grants that the marker named and nothing used.
    """
    from plataforma_sdk.package import ModulePackage
    from plataforma_sdk.sandbox import ResourceLimits
    from plataforma_sdk.testing._environment import ModuleTestEnvironment

    settings = {name: value for name, value in _settings_of(request.node).items() if name not in ("tier", "api")}
    target = settings.pop("target", None) or _configured(request.config, Path(request.node.path))
    if "plataforma_clock" in request.fixturenames:
        settings.setdefault("clock", request.getfixturevalue("plataforma_clock"))
    limits = settings.pop("limits", None)
    if isinstance(limits, dict):
        limits = ResourceLimits(**limits)
    environment = ModuleTestEnvironment(target, tier=plataforma_tier, api=plataforma_api, limits=limits, **settings)
    yield environment
    if not hasattr(environment, "handle"):
        return
    manager = environment.permissions
    if not request.node.stash.get(_FAILED, False):
        environment.assert_expected()
        _check_grants(manager, settings.get("grants"))
    package = environment.handle.package
    if settings.get("grants") is None and isinstance(package, ModulePackage):
        account = request.config.stash[_ACCOUNT]
        account.add(package.id, manager.granted_at_load, manager.used_grants)


@pytest.fixture
def plataforma_run(
    plataforma_environment: ModuleTestEnvironment,
) -> Callable[[Callable[[ModuleTestEnvironment], Awaitable[T]]], T]:
    """Run an async function in the entered environment, for a test that is no coroutine.

    ::

        def test_counts(plataforma_run):
            async def body(environment):
                await environment.pilot.press("More")
                assert environment.pilot.find("text").text == "1"
            plataforma_run(body)
    """
    import asyncio
    import inspect

    def run(body: Callable[[ModuleTestEnvironment], Awaitable[T]]) -> T:
        async def whole() -> T:
            async with plataforma_environment as environment:
                found = body(environment)
                if not inspect.isawaitable(found):
                    raise TypeError("plataforma_run runs an async function: 'async def body(environment): ...'")
                return await found

        if _is_in_loop():
            pytest.fail(
                "plataforma_run is for a test that is no coroutine: write 'def test_...', or take "
                "plataforma_environment and 'async with plataforma_environment as environment'"
            )
        return asyncio.run(whole())

    return run


def _is_in_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.fixture
def plataforma_snapshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a tree with the text that an earlier run wrote beside the test: ``plataforma_snapshot(pilot.tree)``.

    ``--plataforma-update-snapshots`` writes it anew. One file serves all tiers, since a tree is the same in each.
    """
    from plataforma_sdk.testing._compare import snapshot_of

    name = getattr(request.node, "originalname", request.node.name)
    folder = Path(request.node.path).parent / "snapshots"
    taken: list[str] = []

    def compare(tree: Any, label: str = "") -> None:
        label = label or (str(len(taken) + 1) if taken else "")
        taken.append(label)
        path = folder / f"{Path(request.node.path).stem}.{name}{'.' + label if label else ''}.txt"
        text = snapshot_of(tree) + "\n"
        if request.config.getoption("plataforma_update_snapshots") or not path.exists():
            if os.environ.get("CI") and not path.exists():
                pytest.fail(f"there is no snapshot {path}: run the test once, look at it and commit it")
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _compare_texts(path, text)

    return compare


def _compare_texts(path: Path, text: str) -> None:
    import difflib

    expected = path.read_text(encoding="utf-8")
    if text != expected:
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), "snapshot", "tree", lineterm="", n=1)
        pytest.fail(f"the tree is not as in {path.name}:\n" + "\n".join(lines), pytrace=False)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say in which elements two trees differ."""
    if op != "==" or not (_is_tree(left) and _is_tree(right)):
        return None
    from plataforma_sdk.testing._compare import explain_difference

    return ["the trees differ:", *explain_difference(left, right)]  # type: ignore[arg-type]


def _is_tree(value: object) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"type", "key", "props", "children"}
    node = sys.modules.get("plataforma_sdk.testing._node")  # where it was not imported, nothing is one
    return node is not None and isinstance(value, node.Node)


def _settings_of(node: Any) -> dict[str, Any]:
    """Merge the markers of a test, the nearest one first."""
    settings: dict[str, Any] = {}
    for marker in node.iter_markers(MARKER):
        unknown = marker.kwargs.keys() - _SETTINGS - {"target"}
        if unknown or len(marker.args) > 1:
            what = repr(min(unknown)) if unknown else "second argument"
            pytest.fail(f"@pytest.mark.{MARKER} has no {what}: {_HELP}", pytrace=False)
        given = {**({"target": marker.args[0]} if marker.args else {}), **marker.kwargs}
        settings = {**given, **settings}
    return settings


def _configured(config: pytest.Config, test: Path) -> Path:
    """Find the module that no marker names: the ini file's, one around the test, or one in a folder of the root."""
    named = config.getini("plataforma_module")
    root = config.rootpath
    for place in [root / named] if named else [*test.parents, *sorted(root.glob("*/"))]:
        if (place / "module.toml").is_file():
            return place
    where = f"in {root / named}, which plataforma_module names" if named else f"around {test} or in a folder of {root}"
    pytest.fail(
        f"no module to test: there is no module.toml {where}; set plataforma_module in the ini file, or name it in "
        f"@pytest.mark.{MARKER}(path)",
        pytrace=False,
    )


def _check_grants(manager: MockPermissionManager, named: Iterable[str] | None) -> None:
    """Fail on grants that a marker names and nothing used; those that the manifest does not declare do nothing."""
    if named is None:
        return
    undeclared = [name for name in named if not any(_overlap(name, held) for held in manager.granted_at_load)]
    unused = [*manager.unused_grants, *undeclared]
    if unused:
        told = f"; module.toml does not declare {', '.join(undeclared)}" if undeclared else ""
        pytest.fail(
            f"granted, and not used: {', '.join(unused)}; leave them out of grants=, or test what needs them{told}",
            pytrace=False,
        )


def _overlap(one: str, other: str) -> bool:
    from plataforma_sdk.permissions import is_within

    return is_within([one], [other]) or is_within([other], [one])
