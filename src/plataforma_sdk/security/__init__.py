"""What can be said about a module without running it: faults, permissions used against those declared, malice.

`analyse` is what an author asks, `SecurityService` what a registry does.

>>> from plataforma_sdk import ModulePackage
>>> from plataforma_sdk.security import analyse
>>> package = ModulePackage.from_source('''
... from plataforma_sdk import ModuleFramework, ui
... class Hello(ModuleFramework):
...     async def on_load(self):
...         self.rows = await self.api_call("/vendas/clientes")
...     def render(self):
...         return ui.txet("hello")
... ''', id="hello", exclude=["restricted"])
>>> [finding.rule for finding in analyse(package)]
['undeclared-permission', 'unknown-element']
"""

from plataforma_sdk.security._advisories import AdvisoryDatabase, write_advisories
from plataforma_sdk.security._analysis import analyse, used_permissions
from plataforma_sdk.security._findings import RULES, Finding, Severity
from plataforma_sdk.security._gate import Grades
from plataforma_sdk.security._issue import Issue
from plataforma_sdk.security._policy import ScanPolicy
from plataforma_sdk.security._results import ScanResult, SecurityScanResult
from plataforma_sdk.security._risk import Dimension, RiskLevel, ScanStatus
from plataforma_sdk.security._rules import SCAN_RULES, ScanRule
from plataforma_sdk.security._sarif import sarif_log
from plataforma_sdk.security._scanner import Scanner, ScanReport, ScanRequest
from plataforma_sdk.security._service import SecurityService

__all__ = [
    "RULES",
    "SCAN_RULES",
    "AdvisoryDatabase",
    "Dimension",
    "Finding",
    "Grades",
    "Issue",
    "RiskLevel",
    "ScanPolicy",
    "ScanReport",
    "ScanRequest",
    "ScanResult",
    "ScanRule",
    "ScanStatus",
    "Scanner",
    "SecurityScanResult",
    "SecurityService",
    "Severity",
    "analyse",
    "sarif_log",
    "used_permissions",
    "write_advisories",
]
