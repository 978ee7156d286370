"""Windows on the host's side, and which of a person's actions in them are passed on to a module."""

from __future__ import annotations

from plataforma_sdk.windows._events import AcceptedEvent, UiEvent
from plataforma_sdk.windows._manager import WindowManager
from plataforma_sdk.windows._window import Window

__all__ = ["AcceptedEvent", "UiEvent", "Window", "WindowManager"]
