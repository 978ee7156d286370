"""The desktop: modules in windows, live in a browser."""

from plataforma_sdk.web.desktop._prompt import DesktopPrompt

__all__ = ["DesktopPrompt"]
