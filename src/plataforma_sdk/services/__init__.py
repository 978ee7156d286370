"""What a permission opens: the database, key-value storage, notifications and the clipboard; all on the host's side."""

from __future__ import annotations

from plataforma_sdk.services._authorizer import AccessKind, DatabaseAccess
from plataforma_sdk.services._clipboard import Clipboard, MemoryClipboard
from plataforma_sdk.services._connection import DatabaseLimits
from plataforma_sdk.services._database import Database, SqliteDatabase
from plataforma_sdk.services._functions import ALLOWED_FUNCTIONS
from plataforma_sdk.services._notifications import Notification, NotificationCenter
from plataforma_sdk.services._staged import StagedStorage
from plataforma_sdk.services._storage import KeyValueStorage

__all__ = [
    "ALLOWED_FUNCTIONS",
    "AccessKind",
    "Clipboard",
    "Database",
    "DatabaseAccess",
    "DatabaseLimits",
    "KeyValueStorage",
    "MemoryClipboard",
    "Notification",
    "NotificationCenter",
    "SqliteDatabase",
    "StagedStorage",
]
