"""Errors both ways: what the module can catch of the host, and what the host sees of the module."""

from __future__ import annotations

import pytest

from plataforma_sdk import hookimpl
from plataforma_sdk.errors import (
    ApiError,
    ApiStatusError,
    GuestError,
    HostCallError,
    PermissionDeniedError,
    PlataformaError,
    QuotaExceededError,
)

from ._suite import Case, case, each, module

FAILS = module(
    """
    def probe(self):
        return self.outer(3)

    def outer(self, n):
        return self.inner(n - 3)

    def inner(self, n):
        return 1 // n

    async def waiting(self):
        await asyncio.sleep(0)
        return self.inner(0)
    """
)


@case(FAILS)
async def test_a_fault_shows_its_file_line_functions_and_source(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("probe")
    error = caught.value
    assert (error.type_name, error.module) == ("ZeroDivisionError", "probe")
    text = "".join(error.traceback)
    line = FAILS.splitlines().index("        return 1 // n") + 1
    assert f"line {line}, in " in text
    assert handle.package.entry_file in text
    assert "return 1 // n" in text
    assert [text.index(name) for name in ("probe", "outer", "inner")] == sorted(
        text.index(name) for name in ("probe", "outer", "inner")
    )


@case(FAILS)
async def test_a_traceback_names_no_file_of_the_host(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("waiting")
    text = "".join(caught.value.traceback)
    assert "inner" in text
    assert "plataforma_sdk" not in text
    assert "site-packages" not in text


RAISED = {
    "builtin": ("raise KeyError('k')", "KeyError", "'k'"),
    "own_class": ("raise Sold('out')", "Sold", "out"),
    "with_cause": ("raise ValueError('outer') from KeyError('inner')", "ValueError", "outer"),
    "bare": ("assert False", "AssertionError", ""),
    "lookup": ("[][1]", "IndexError", "list index out of range"),
    "attribute": ("self.nothing", "AttributeError", "nothing"),
    "name": ("return nothing", "NameError", "nothing"),
    "stop_iteration": ("next(iter([]))", "StopIteration", ""),
    "not_implemented": ("raise NotImplementedError", "NotImplementedError", ""),
}


def raises(type_name, text):
    async def check(host, handle):
        with pytest.raises(GuestError) as caught:
            await handle.call("probe")
        assert caught.value.type_name == type_name
        assert text in caught.value.text
        assert (handle.state, handle.restarts) == ("active", 0)

    return check


test_a_fault_carries_the_name_of_its_class_and_its_text = each(
    Case(
        name=f"raises_{name}",
        source=module(f"def probe(self):\n    {text}", head="class Sold(Exception):\n    pass"),
        check=raises(type_name, message),
    )
    for name, (text, type_name, message) in RAISED.items()
)


@case(module("def probe(self):\n    raise ValueError('x' * 1_000_000)"))
async def test_a_message_is_bounded(host, handle):
    with pytest.raises(GuestError) as caught:
        await handle.call("probe")
    assert 100 < len(caught.value.text) <= 2_000
    assert len(str(caught.value)) < 10_000


@case(
    module(
        """
        def probe(self):
            return self.attempt() + self.ended

        def attempt(self):
            self.ended = []
            try:
                try:
                    raise ValueError("inner")
                except ValueError as error:
                    raise KeyError("outer") from error
                finally:
                    self.ended.append("finally")
            except KeyError as error:
                return [str(error)]
            else:
                return ["else"]
        """
    )
)
async def test_a_module_catches_its_own_faults(host, handle):
    assert await handle.call("probe") == ["'outer'", "finally"]


@case(
    module(
        """
        async def probe(self):
            caught = []
            try:
                await self.storage.get("k")
            except PermissionDeniedError as error:
                caught.append(["denied", isinstance(error, PlataformaError), error.permission, error.module])
            try:
                self.create_window(title="no")
            except Exception as error:
                caught.append(["denied", isinstance(error, PermissionDeniedError), error.permission, error.module])
            try:
                self.permissions.require("api*")
            except InvalidPermissionError as error:
                caught.append(["invalid", "whole segment" in error.problem, error.permission, error.module])
            return caught
        """,
        head="from plataforma_sdk import InvalidPermissionError, PlataformaError",
    )
)
async def test_host_errors_keep_their_class_and_fields_inside_the_module(host, handle):
    assert await handle.call("probe") == [
        ["denied", True, "system.storage", "probe"],
        ["denied", True, "window.create", "probe"],
        ["invalid", True, "api*", "probe"],
    ]


@case(
    module(
        """
        async def denied(self):
            await self.notify("hello")

        async def status(self):
            await self.api_call("/shop/status/418")

        async def wrapped(self):
            try:
                await self.notify("hello")
            except PermissionDeniedError as error:
                raise RuntimeError("cannot notify") from error
        """
    ),
    permissions=("api.shop[GET]",),
)
async def test_host_errors_that_a_module_lets_through_arrive_as_themselves(host, handle):
    with pytest.raises(PermissionDeniedError) as denied:
        await handle.call("denied")
    assert (denied.value.permission, denied.value.module) == ("system.notifications", "probe")
    with pytest.raises(ApiStatusError) as status:
        await handle.call("status")
    assert (status.value.status, status.value.body["path"]) == (418, "/shop/status/418")
    with pytest.raises(GuestError, match="cannot notify"):
        await handle.call("wrapped")


class Billing(ApiError):
    """An error of the host's own, which no module can know."""


class Failing:
    """A plugin whose services fail as services do."""

    @hookimpl
    def plataforma_services(self):
        async def read():
            raise OSError("cannot open /srv/tenants/acme/clipboard.db")

        async def write(text):
            if text == "billing":
                raise Billing("no credit")
            raise QuotaExceededError("clipboard", used=len(text), limit=3, unit="characters")

        return {"clipboard.read": read, "clipboard.write": write}


@case(
    module(
        """
        async def probe(self):
            try:
                await self.clipboard.read()
            except HostCallError as error:
                return [error.type_name, error.text, error.module]

        async def write(self):
            try:
                await self.clipboard.write("long text")
            except QuotaExceededError as error:
                return [error.resource, error.used, error.limit, error.unit, error.module]

        async def let_through(self):
            await self.clipboard.read()

        async def bill(self):
            await self.clipboard.write("billing")
        """,
        head="from plataforma_sdk import HostCallError, QuotaExceededError",
    ),
    permissions=("system.clipboard",),
    settings={"plugins": [Failing()]},
)
async def test_a_failing_host_is_a_name_and_a_text_without_host_paths(host, handle):
    name, text, module_id = await handle.call("probe")
    assert (name, module_id) == ("OSError", "probe")
    assert "cannot open" in text
    assert "/srv" not in text
    assert "acme" not in text
    assert await handle.call("write") == ["clipboard", 9, 3, "characters", "probe"]
    with pytest.raises(HostCallError) as caught:
        await handle.call("let_through")
    assert caught.value.type_name == "OSError"
    with pytest.raises(HostCallError, match="no credit") as caught:
        await handle.call("bill")
    assert caught.value.type_name == "Billing"


@case(
    module(
        """
        def probe(self):
            caught = []
            for attempt in (self.bad_level, self.bad_seconds, self.bad_handler, self.bad_window):
                try:
                    attempt()
                    caught.append("nothing")
                except Exception as error:
                    caught.append("refused")
            return caught

        def bad_level(self):
            self.log("info", {1, 2})

        def bad_seconds(self):
            self.every(-1, self.probe)

        def bad_handler(self):
            self.subscribe("data.x", "not a function")

        def bad_window(self):
            self.create_window(title=7, width="wide")
        """
    ),
    permissions=("window.create", "events.subscribe"),
)
async def test_wrong_arguments_are_refused_where_they_are_given(host, handle):
    assert await handle.call("probe") == ["refused"] * 4


@case(
    module(
        """
        async def begin(self):
            self.task = asyncio.create_task(self.fails())

        async def fails(self):
            raise ValueError("nobody awaits this")

        def probe(self):
            return "fine"
        """
    )
)
async def test_a_fault_in_a_background_task_ends_nothing_else(host, handle):
    await handle.call("begin")
    assert await handle.call("probe") == "fine"
    assert (handle.state, handle.restarts) == ("active", 0)


@case(module("def probe(self):\n    raise PermissionDeniedError('system.storage')"))
async def test_an_error_of_the_platform_that_a_module_raises_is_itself(host, handle):
    with pytest.raises(PlataformaError) as caught:
        await handle.call("probe")
    assert type(caught.value) is PermissionDeniedError
    assert caught.value.permission == "system.storage"
