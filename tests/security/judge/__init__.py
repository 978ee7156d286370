"""Judges what a payload did to the restricted engine: one forked process a payload, so that a crash is a verdict too.

The payload finds a careless host (`_host`) behind the engine's own doors (`_target`), and a function ``leak(x)`` that
accepts any object: whatever it is handed is searched for anything of the host's (`_danger`). A corpus is a JSON list of
``{"name", "cat", "ref", "code"}`` (`_corpus`). ``python -m tests.security.judge --help`` says how to run one.
"""

from tests.security.judge._corpus import (
    CorpusError,
    Payload,
    default_corpora,
    own_corpora,
    read_corpus,
    shared_corpus,
)
from tests.security.judge._danger import dangerous
from tests.security.judge._host import Api
from tests.security.judge._run import Verdict, judge, judge_all

__all__ = [
    "Api",
    "CorpusError",
    "Payload",
    "Verdict",
    "dangerous",
    "default_corpora",
    "judge",
    "judge_all",
    "own_corpora",
    "read_corpus",
    "shared_corpus",
]
