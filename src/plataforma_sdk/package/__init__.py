"""Packages: a manifest and files, from a directory, a zip, a component or a text, checked as a whole."""

from plataforma_sdk.package._names import MAX_COMPONENT_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, is_skipped
from plataforma_sdk.package._package import ModulePackage

__all__ = ["MAX_COMPONENT_BYTES", "MAX_FILES", "MAX_FILE_BYTES", "MAX_TOTAL_BYTES", "ModulePackage", "is_skipped"]
