"""Scanners that ask another tool, where it is installed: ruff, bandit, detect-secrets and yara.

Each runs on a copy of the sources in a directory of its own, in a process with a time limit; yara on the bytes alone.
None of them runs what it scans. One that is absent did not run, and says how to get it.
"""

from plataforma_sdk.security.extras._tools import BanditScanner, DetectSecretsScanner, RuffScanner
from plataforma_sdk.security.extras._yara import YaraScanner

__all__ = ["BanditScanner", "DetectSecretsScanner", "RuffScanner", "YaraScanner"]
