"""Events: whose a topic is, who hears it, in which order, and what a fault stops."""

from __future__ import annotations

import asyncio

import pytest

from plataforma_sdk.errors import HostCallError, ModuleStateError, PermissionDeniedError, PlataformaError

from ._suite import MANIFEST, case, make_package, module

BOTH = ("events.emit", "events.subscribe")

LISTENS = module(
    """
    async def on_load(self):
        self.seen = []
        self.first = self.subscribe("data.first", self.on_event)
        self.subscribe("data.many.*", self.on_event_later)

    def on_event(self, event):
        self.seen.append([event.topic, event.data, event.source])

    async def on_event_later(self, event):
        await asyncio.sleep(0)
        self.seen.append([event.topic, event.data, event.source])

    def stop(self):
        was = self.first.is_active
        self.first.unsubscribe()
        self.first.unsubscribe()
        return [was, self.first.is_active, self.first.topic]

    def probe(self):
        return self.seen
    """
)


@case(LISTENS, permissions=BOTH)
async def test_topics_and_patterns_reach_plain_and_async_handlers(host, handle):
    for topic in ("data.first", "data.many.a.b", "data.other", "data.many"):
        await host.events.emit(topic, {"n": 1})
    assert await handle.call("probe") == [["data.first", {"n": 1}, None], ["data.many.a.b", {"n": 1}, None]]


@case(LISTENS, permissions=BOTH)
async def test_an_ended_subscription_hears_nothing(host, handle):
    assert await handle.call("stop") == [True, False, "data.first"]
    await host.events.emit("data.first")
    assert await handle.call("probe") == []


@case(LISTENS, permissions=BOTH)
async def test_the_order_of_a_topic_is_kept(host, handle):
    deliveries = [host.events.emit("data.many.n", n) for n in range(20)]
    for delivery in deliveries:
        await delivery
    assert [data for _, data, _ in await handle.call("probe")] == list(range(20))


@case(LISTENS, permissions=BOTH)
async def test_an_event_after_a_revocation_is_not_delivered(host, handle):
    handle.permissions.revoke("events.subscribe")
    delivery = await host.events.emit("data.first")
    assert (delivery.delivered, await handle.call("probe")) == (0, [])


@case(
    module(
        """
        def probe(self):
            for topic in ("saved", "module.probe.again"):
                self.emit(topic, [topic])
        """
    ),
    permissions=BOTH,
)
async def test_a_module_emits_under_its_own_namespace(host, handle):
    heard = []
    with host.events.subscribe("module.*", lambda event: heard.append((event.topic, event.data, event.source))):
        await handle.call("probe")
    assert heard == [
        ("module.probe.saved", ["saved"], "probe"),
        ("module.probe.again", ["module.probe.again"], "probe"),
    ]


@case(module("def probe(self, topic):\n    self.emit(topic)"), permissions=BOTH)
async def test_another_namespace_is_refused(host, handle):
    for topic in ("module.other.saved", "plataforma.module.error", "module.probex.saved"):
        with pytest.raises(PermissionDeniedError) as caught:
            await handle.call("probe", topic)
        assert caught.value.reason == "not its namespace"


@case(module("def probe(self, topic):\n    self.emit(topic)"), permissions=BOTH)
async def test_a_topic_outside_the_grammar_is_refused(host, handle):
    for topic in ("", "A", "a..b", "a.*", "a b", "é"):
        with pytest.raises(PlataformaError):
            await handle.call("probe", topic)


@case(LISTENS, permissions=BOTH, is_loaded=False)
async def test_a_retained_value_is_received_at_once_and_passes_the_same_check(host, package):
    await host.events.emit("data.first", "kept", retain=True)
    await host.events.emit("data.many.n", "kept too", retain=True)
    handle = await host.load(package)
    async with asyncio.timeout(5):
        while len(await handle.call("probe")) < 2:
            await asyncio.sleep(0.01)
    assert sorted(data for _, data, _ in await handle.call("probe")) == ["kept", "kept too"]


@case(LISTENS.replace('"data.first"', '"plataforma.module.*"'), permissions=BOTH)
async def test_a_module_hears_of_the_platform_only_about_itself(host, handle):
    for module_id in ("other", "probe"):
        await host.events.emit("plataforma.module.error", {"module": module_id})
    await host.load(make_package(module(""), id="other"))
    assert {data["module"] for _, data, _ in await handle.call("probe")} == {"probe"}


@case(
    module("def probe(self, topic):\n    return self.subscribe(topic, self.render).topic"),
    manifest=MANIFEST
    + '[permissions.required]\n"events.subscribe" = "all"\n[events]\nconsumed = ["data.a", "data.b.*"]\n',
    grants=("events.subscribe",),
)
async def test_only_consumed_topics_are_subscribed(host, handle):
    for topic in ("data.a", "data.b.c", "data.b.*", "module.probe.own"):
        assert await handle.call("probe", topic) == topic
    for topic in ("data.c", "data.*", "*", "data.b"):
        with pytest.raises(PermissionDeniedError) as caught:
            await handle.call("probe", topic)
        assert caught.value.line == f'consumed = ["{topic}"]'
        assert "[events] in module.toml" in str(caught.value)


@case(
    module(
        """
        async def on_load(self):
            self.heard = asyncio.Event()
            self.subscribe("data.go", self.on_go)

        def on_go(self, event):
            self.heard.set()

        async def probe(self):
            self.emit("waiting")
            await self.heard.wait()
            return "heard"
        """
    ),
    permissions=BOTH,
)
async def test_an_event_arrives_while_a_call_waits(host, handle):
    waiting = asyncio.Event()
    host.events.subscribe("module.probe.waiting", lambda event: waiting.set())
    call = asyncio.create_task(handle.call("probe"))
    await waiting.wait()
    await host.events.emit("data.go")
    assert await call == "heard"


@case(
    module(
        """
        async def on_load(self):
            self.heard = asyncio.Event()
            self.subscribe("data.go", self.on_go)
            self.emit("loading")
            await self.heard.wait()

        def on_go(self, event):
            self.heard.set()
        """
    ),
    permissions=BOTH,
    is_loaded=False,
)
async def test_an_event_arrives_while_on_load_waits(host, package):
    host.events.subscribe("module.probe.loading", lambda event: host.events.emit("data.go"))
    assert (await host.load(package)).state == "active"


@case(
    module(
        """
        async def on_load(self):
            self.heard = asyncio.Event()
            self.steps = []
            self.subscribe("data.wait", self.on_wait)
            self.subscribe("data.go", self.on_go)

        async def on_wait(self, event):
            self.steps.append("waits")
            await self.heard.wait()
            self.steps.append("goes on")

        async def on_go(self, event):
            self.steps.append("go")
            self.heard.set()

        def probe(self):
            return self.steps
        """
    ),
    permissions=BOTH,
)
async def test_an_event_of_another_topic_arrives_while_a_handler_waits(host, handle):
    """Order is kept per (module, topic), and handlers interleave at awaits."""
    first = host.events.emit("data.wait")
    second = host.events.emit("data.go")
    async with asyncio.timeout(5):
        await second
        await first
    assert await handle.call("probe") == ["waits", "go", "goes on"]


@case(
    module(
        """
        async def on_load(self):
            self.seen = []
            self.subscribe("data.fail", self.on_fail)
            self.subscribe("data.*", self.on_any)

        def on_fail(self, event):
            raise ValueError("one handler")

        def on_any(self, event):
            self.seen.append(event.topic)

        def probe(self):
            return self.seen
        """
    ),
    permissions=BOTH,
)
async def test_a_handlers_fault_is_reported_and_stops_nobody(host, handle):
    reports = []
    host.events.subscribe("plataforma.module.error", lambda event: reports.append(event.data))
    delivery = await host.events.emit("data.fail")
    assert (delivery.delivered, [fault.owner for fault in delivery.errors]) == (1, ["probe"])
    assert await handle.call("probe") == ["data.fail"]
    assert [report["module"] for report in reports] == ["probe"]


ANSWERS = module(
    """
    async def on_load(self):
        self.subscribe("module.other.sum", self.on_sum)
        self.subscribe("module.other.fails", self.on_fails)
        self.subscribe("module.other.silent", self.on_silent)

    async def on_sum(self, event):
        await asyncio.sleep(0)
        return {"sum": sum(event.data), "asked by": event.source}

    def on_fails(self, event):
        raise ValueError("cannot say")

    async def on_silent(self, event):
        await asyncio.Event().wait()
    """
)
ASKS = module(
    """
    async def probe(self, name, data=None, timeout_s=5.0):
        return await self.request("module.other." + name, data, timeout_s=timeout_s)
    """
)


@case(ASKS, permissions=BOTH)
async def test_a_request_is_answered_by_the_topics_owner(host, handle):
    await host.load(make_package(ANSWERS, id="other", permissions=BOTH))
    assert await handle.call("probe", "sum", [1, 2]) == {"sum": 3, "asked by": "probe"}
    assert await host.events.request("module.other.sum", [3], timeout_s=5) == {"sum": 3, "asked by": None}


@case(ASKS, permissions=BOTH)
async def test_a_request_without_an_owner_is_refused(host, handle):
    with pytest.raises(ModuleStateError, match="Nobody answers"):
        await handle.call("probe", "sum", [1])


@case(ASKS, permissions=BOTH)
async def test_a_request_ends_with_its_time_and_with_a_fault(host, handle):
    await host.load(make_package(ANSWERS, id="other", permissions=BOTH))
    with pytest.raises(HostCallError) as caught:
        await handle.call("probe", "silent", timeout_s=0.05)
    assert caught.value.type_name == "TimeoutError"
    with pytest.raises(HostCallError, match="cannot say") as caught:
        await handle.call("probe", "fails")
    assert caught.value.type_name == "ValueError"


@case(ASKS, permissions=("events.subscribe",))
async def test_a_request_needs_the_permission_to_emit(host, handle):
    await host.load(make_package(ANSWERS, id="other", permissions=("events.subscribe",)))
    with pytest.raises(PermissionDeniedError, match=r"events\.emit\[module\.other\.sum\]"):
        await handle.call("probe", "sum", [1])


PING = module(
    """
    async def on_load(self):
        self.count = 0
        self.subscribe("data.start", self.on_ping)
        self.subscribe("module.probe.ping" if self.id == "other" else "module.other.ping", self.on_ping)

    def on_ping(self, event):
        self.count += 1
        self.emit("ping", len(event.causes))

    def probe(self):
        return self.count
    """
)


@case(PING, permissions=BOTH)
async def test_modules_that_answer_each_other_come_to_an_end(host, handle):
    depths = []
    host.events.subscribe("module.*", lambda event: depths.append(len(event.causes)))
    other = await host.load(make_package(PING, id="other", permissions=BOTH))
    await host.events.emit("data.start")
    ended = -1
    while ended < len(depths):
        ended = len(depths)
        await asyncio.sleep(0.05)
    assert 20 < max(depths) < 32
    assert min(await handle.call("probe"), await other.call("probe")) > 10
