"""The desktop: modules in windows, live in a browser."""

from plataforma_sdk.web.desktop._app import desktop_app
from plataforma_sdk.web.desktop._desktop import Desktop
from plataforma_sdk.web.desktop._features import Feature, Session
from plataforma_sdk.web.desktop._launcher import Launchable
from plataforma_sdk.web.desktop._protocol import WireLimits

__all__ = ["Desktop", "Feature", "Launchable", "Session", "WireLimits", "desktop_app"]
