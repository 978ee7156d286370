"""The desktop: modules in windows, live in a browser."""

from plataforma_sdk.web.desktop._app import desktop_app
from plataforma_sdk.web.desktop._decisions import DesktopDecisions
from plataforma_sdk.web.desktop._desktop import Desktop
from plataforma_sdk.web.desktop._features import Feature, Session
from plataforma_sdk.web.desktop._launcher import Launchable
from plataforma_sdk.web.desktop._prompt import DesktopPrompt
from plataforma_sdk.web.desktop._protocol import WireLimits
from plataforma_sdk.web.desktop._tasks import DesktopTasks

__all__ = [
    "Desktop",
    "DesktopDecisions",
    "DesktopPrompt",
    "DesktopTasks",
    "Feature",
    "Launchable",
    "Session",
    "WireLimits",
    "desktop_app",
]
