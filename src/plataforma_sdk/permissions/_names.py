"""The permission names of the platform."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["PERMISSIONS"]


class PERMISSIONS(StrEnum):
    """The names that guard something in every host; a member works wherever its text does.

    A scope narrows a name: ``f"{PERMISSIONS.DATABASE_READ}[Customer]"``. Relative API paths may also be asked for
    one by one, as ``api.<first segment>``.

    **Source:** specification, "Permission System", ``PERMISSIONS``.

    >>> PERMISSIONS.STORAGE == "system.storage"
    True
    """

    DATABASE_READ = "database.read"
    """SELECT through the database service; scopes are tables."""
    DATABASE_WRITE = "database.write"
    """INSERT, UPDATE and DELETE through the database service; scopes are tables."""
    API_EXTERNAL = "api.external"
    """Absolute ``https`` URLs; scopes are hosts. No wildcard grants it."""
    API_INTERNAL = "api.internal"
    """Every relative API path; scopes are methods."""
    WINDOW_CREATE = "window.create"
    """Open windows."""
    WINDOW_MODAL = "window.modal"
    """Open windows that hold the person until they are closed; needs ``window.create`` too."""
    NOTIFICATIONS = "system.notifications"
    """Show notifications."""
    STORAGE = "system.storage"
    """Key-value storage of the module's own."""
    CLIPBOARD = "system.clipboard"
    """Read and write the person's clipboard."""
    EVENTS_EMIT = "events.emit"
    """Emit under the module's own namespace; scopes are topics."""
    EVENTS_SUBSCRIBE = "events.subscribe"
    """Receive events; scopes are topics."""
