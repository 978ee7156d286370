"""`Desktop`: a host, the pages that look at it, and the features that they have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Self

from plataforma_sdk.errors import ModuleStateError, PlataformaError
from plataforma_sdk.package import ModulePackage
from plataforma_sdk.permissions import clean_text
from plataforma_sdk.runtime import ModuleHandle, ModuleHost
from plataforma_sdk.types import Event, Subscription
from plataforma_sdk.web.desktop._access import Access
from plataforma_sdk.web.desktop._features import Feature
from plataforma_sdk.web.desktop._frames import ChartSource, Frames
from plataforma_sdk.web.desktop._jobs import Jobs
from plataforma_sdk.web.desktop._launcher import Launchable, Launcher
from plataforma_sdk.web.desktop._notices import Notifications, Toasts
from plataforma_sdk.web.desktop._protocol import Bye, WireLimits, checked_locale, error_fields
from plataforma_sdk.web.desktop._session import PageSession
from plataforma_sdk.web.desktop._sessions import Sessions
from plataforma_sdk.web.desktop._windows import WindowWatch
from plataforma_sdk.windows import UiEvent, Window

__all__ = ["Desktop"]

LOCALES: Final = ("pt-BR", "en")
_DEFAULT_TITLE: Final = "Plataforma"
_GOODBYES_S: Final = 3.0
"""For all pages together; one that does not read is left."""

Answer = Callable[[PageSession, Mapping[str, Any]], Awaitable[Any]]


class Desktop:
    """What `desktop_app` serves. Use it in the loop of its host; it ends before the host does.

    Entered by the application's lifespan, or by ``async with`` where an application is mounted in another; where
    neither was done it begins with the first page, and goes with the process.

    Args:
        host: whose modules are shown.
        access: who may look.
        features: parts with messages of their own, beside notifications and toasts.
        modules: what the launcher may load, beside what is or was loaded.
        charts: where charts are drawn; None shows tables. Closed with the desktop.
        limits: of pages.
        title: of the page.
        mark: word and hue that stand on the desktop's own dialogs; by default those of the secret.
    """

    def __init__(
        self,
        host: ModuleHost,
        access: Access,
        *,
        features: Iterable[Feature] = (),
        modules: Iterable[ModulePackage | Launchable] = (),
        charts: ChartSource | None = None,
        limits: WireLimits | None = None,
        title: str | None = None,
        mark: tuple[str, int] | None = None,
    ) -> None:
        self.host = host
        self.access = access
        self.charts = charts
        self.limits = limits or WireLimits()
        self.title = title or _DEFAULT_TITLE
        self.mark = mark or access.mark()
        self.toasts = Toasts(host)
        self.features: tuple[Feature, ...] = (Notifications(host), self.toasts, *features)
        self.sessions = Sessions(host.windows, Frames(charts), self.limits, self._ended)
        self.launcher = Launcher(host, modules)
        self._windows = WindowWatch(host, self._show)
        self._jobs = Jobs()
        self._subscriptions: list[Subscription] = []
        self._starting = asyncio.Lock()
        self._is_started = False
        self._is_closed = False
        self._own: Mapping[str, Answer] = {"event": self._on_event, "close": self._on_close, "show": self._on_show}

    # --- lifecycle -------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._is_closed = False
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Begin to listen to the host; a second call does nothing, nor does one after the end."""
        async with self._starting:
            if self._is_started or self._is_closed:
                return
            self._is_started = True
            self._subscriptions.append(self.host.events.subscribe("plataforma.module.*", self._on_module))
            for feature in self.features:
                await feature.start()

    async def aclose(self) -> None:
        """Say goodbye to all pages and free everything; a second call does nothing."""
        self._is_closed = True
        if not self._is_started:
            return
        self._is_started = False
        await self._say_goodbye()
        for subscription in self._subscriptions:
            subscription.unsubscribe()
        self._subscriptions.clear()
        self._windows.end()
        await self._jobs.aclose()
        for feature in reversed(self.features):
            await feature.aclose()
        if self.charts is not None:
            await self.charts.aclose()

    async def _say_goodbye(self) -> None:
        """Tell every page that this is the end, and wait until they have been told."""
        connections = [session.connection for session in self.sessions if session.connection is not None]
        for connection in connections:
            connection.end("shutdown")
        for session in self.sessions:
            self.sessions.end(session)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYES_S):
                for connection in connections:
                    await connection.gone()

    def address(self, base_url: str, *, subject: str | None = None) -> str:
        """Return the address of the page with a token that lets one browser in, once, within ten minutes.

        Args:
            base_url: where the application is reached, ``"http://127.0.0.1:8000/desktop"``.
            subject: in whose name; the host's by default.
        """
        return f"{base_url.rstrip('/')}/?token={self.access.new_token(subject or self.host.subject)}"

    # --- pages -----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Begin, where nobody has entered the desktop.

        Raises:
            Bye: it has ended.
        """
        await self.start()
        if self._is_closed:
            raise Bye("shutdown")

    def join(self, session: PageSession, *, seen: Mapping[str, Any] | None) -> None:
        """Welcome a page; `seen` are the revisions that one has which came back."""
        session.welcome(self._welcome(session, is_resumed=seen is not None))
        if seen is None:
            session.show_all()
        else:
            session.resume(seen)
        if not self._windows.is_watching:
            self._windows.begin()
        for feature in self.features:
            feature.joined(session)

    def _welcome(self, session: PageSession, *, is_resumed: bool) -> dict[str, Any]:
        word, hue = self.mark
        return {
            "type": "welcome",
            "session": session.id,
            "resumed": is_resumed,
            "subject": session.subject,
            "locale": session.locale,
            "mark": {"text": word, "hue": hue},
            "title": self.title,
            "modules": self.launcher.list(),
            "limits": {
                "max_message_bytes": self.limits.max_message_bytes,
                "max_messages_per_s": self.limits.max_messages_per_s,
            },
            "locales": list(LOCALES),
        }

    def _ended(self, session: PageSession) -> None:
        for feature in self.features:
            feature.left(session)
        if not len(self.sessions):
            self._windows.end()

    # --- what the host tells ---------------------------------------------------------------------------------------

    def _show(self, window: Window) -> None:
        is_news = not window.is_open or window.tree is None  # opened or closed: the launcher lists it
        if not window.is_open:
            self.launcher.note_closed(window.module)
        for session in self.sessions:
            session.show(window)
        if is_news:
            self._tell_modules()

    def _tell_modules(self) -> None:
        if len(self.sessions):
            message = {"type": "modules", "modules": self.launcher.list()}
            for session in self.sessions:
                session.send(message, replaces="modules")

    def _on_module(self, event: Event) -> None:
        state, module_id = event.topic.rpartition(".")[2], str(event.data.get("module"))
        if state in {"loaded", "reloaded", "restarted"}:
            self._windows.renew(module_id)
        elif state == "unloaded" and module_id not in self.host.modules:
            self._windows.drop(module_id)
        if state != "error":
            self._tell_modules()

    # --- what pages tell -------------------------------------------------------------------------------------------

    def receive(self, session: PageSession, message: Mapping[str, Any]) -> None:
        """Take a message: what has a number is worked on in the background and acknowledged when it is done.

        One that takes long does not hold up those after it: a person must be able to stop a module that hangs.
        """
        kind, seq = message["type"], message.get("seq")
        if kind == "resync":
            session.show_again(message["module"], message["window"])
        elif kind == "size":
            session.resize(message["module"], message["window"], message["width"])
        elif kind in {"locale", "theme"}:
            self._on_look(session, message)
        elif kind == "ping":
            session.send({"type": "pong", "at": message["at"]}, replaces="pong")
        elif not isinstance(seq, int):
            self._jobs.start(self._unasked(session, message), kind)
        elif session.is_new(seq):
            if kind in self._own and len(session.running) >= self.limits.max_running:
                text = f"{self.limits.max_running} actions of this page are still running"
                session.acknowledge(seq, ok=False, error={"code": "busy", "text": text, "advice": "wait for them"})
                return
            session.running.add(seq)
            self._jobs.start(self._answer(session, seq, message), kind)

    def _on_look(self, session: PageSession, message: Mapping[str, Any]) -> None:
        if message["type"] == "theme":
            session.theme = "dark" if message["theme"] == "dark" else "light"
            return
        session.locale = checked_locale(message["locale"], session.locale)
        session.show_all()  # charts are drawn in the language of the page

    async def _answer(self, session: PageSession, seq: int, message: Mapping[str, Any]) -> None:
        try:
            value = await self._handle(session, message)
        except PlataformaError as error:
            session.acknowledge(seq, ok=False, error=error_fields(error))
        except asyncio.CancelledError:
            raise
        except Exception:
            session.acknowledge(seq, ok=False, error={"code": "internal", "text": "The desktop failed", "advice": ""})
            raise
        else:
            session.acknowledge(seq, ok=True, value=value)
        finally:
            session.running.discard(seq)

    async def _unasked(self, session: PageSession, message: Mapping[str, Any]) -> None:
        """Take a message that no acknowledgement is due for; a refusal is shown."""
        try:
            await self._handle(session, message)
        except PlataformaError as error:
            session.send({"type": "toast", "level": "error", "module": error.module, **error_fields(error)})

    async def _handle(self, session: PageSession, message: Mapping[str, Any]) -> Any:
        kind = message["type"]
        own = self._own.get(kind)
        if own is not None:
            return await own(session, message)
        takers = [feature for feature in self.features if kind in feature.receives]
        if not takers:
            raise PlataformaError(f"This desktop has nothing that takes {kind!r}")
        values = [await feature.receive(session, message) for feature in takers]
        return next((value for value in values if value is not None), None)

    async def _on_event(self, session: PageSession, message: Mapping[str, Any]) -> None:
        await self._module(message).dispatch(UiEvent.from_data(message["event"]), session=session.id)

    async def _on_close(self, session: PageSession, message: Mapping[str, Any]) -> None:  # noqa: ARG002 - an Answer
        await self._module(message).close_window(message["window"])

    async def _on_show(self, session: PageSession, message: Mapping[str, Any]) -> Any:  # noqa: ARG002 - an Answer
        work = self.launcher.show(message["module"])
        self._tell_modules()
        try:
            return {"state": await work}
        finally:
            self._tell_modules()

    def _module(self, message: Mapping[str, Any]) -> ModuleHandle:
        module_id = message["module"]
        handle = self.host.modules.get(module_id)
        if handle is None:
            shown = clean_text(module_id, 64)
            raise ModuleStateError(f"Module {shown!r} is not loaded: start it from the launcher", module=shown)
        return handle
