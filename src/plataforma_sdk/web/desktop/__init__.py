"""The desktop: modules in windows, live in a browser."""

from plataforma_sdk.web.desktop._decisions import DesktopDecisions
from plataforma_sdk.web.desktop._prompt import DesktopPrompt
from plataforma_sdk.web.desktop._tasks import DesktopTasks

__all__ = ["DesktopDecisions", "DesktopPrompt", "DesktopTasks"]
