"""What the library writes to `logging`: records that say which module, and text of modules that can forge nothing.

Logger names begin with ``plataforma_sdk``. Records carry, as attributes, `RECORD_FIELDS`: ``module_id``,
``module_version``, ``engine``, ``call_id`` and ``subject``, None where unknown.
"""

from plataforma_sdk.logs._calls import CURRENT_CALL, ModuleCall, ModuleInfo, call_fields, info_fields
from plataforma_sdk.logs._json import JsonLinesFormatter
from plataforma_sdk.logs._records import RECORD_FIELDS, clean_line, logger_of
from plataforma_sdk.logs._volume import LogVolume

__all__ = [
    "CURRENT_CALL",
    "RECORD_FIELDS",
    "JsonLinesFormatter",
    "LogVolume",
    "ModuleCall",
    "ModuleInfo",
    "call_fields",
    "clean_line",
    "info_fields",
    "logger_of",
]
