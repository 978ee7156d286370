"""The vetted library: what a module may import beside its own files and `plataforma_sdk`.

Two kinds. Where C is worth having, a sealed namespace of functions, each bounded (`_numbers`, `_texts`, `_dates`,
`_collections`, `_patterns`); for the rest, Python source under ``guest/`` that runs under the policy itself: it can do
no more than the module that imports it, and burns its fuel. No module object and no class of the host's is handed out.
"""

from plataforma_sdk.sandbox.restricted._vetted._table import LIBRARIES, LIBRARY_NAMES

__all__ = ["LIBRARIES", "LIBRARY_NAMES"]
