"""Permissions over the small universe of `naive`, without its word ``zz``."""

from __future__ import annotations

from hypothesis import strategies as st

_SEGMENT = st.sampled_from(("api", "external", "events", "a", "*"))
_TOPIC = st.lists(st.sampled_from(("x", "*")), min_size=1, max_size=3).map(".".join)


def _scope(name: str) -> st.SearchStrategy[str]:
    if name == "api.external":
        return st.sampled_from(("h.com", "i.com"))
    family = name.partition(".")[0]
    if family == "api":
        return st.sampled_from(("GET", "PUT"))
    return _TOPIC if family == "events" else st.sampled_from(("A", "B"))


def _with_scopes(name: str) -> st.SearchStrategy[str]:
    if name.startswith("*"):
        return st.just(name)
    scopes = st.lists(_scope(name), min_size=1, max_size=2).map(lambda found: f"{name}[{','.join(found)}]")
    return st.just(name) | scopes


names = (
    st.lists(_SEGMENT, min_size=1, max_size=3).map(".".join).filter(lambda name: not name.startswith("api.external."))
)
permissions = (names | st.sampled_from(("api.external", "api.a", "events.a"))).flatmap(_with_scopes)
some = st.lists(permissions, max_size=6)
patterns = st.lists(st.sampled_from(("a", "b", "*")), min_size=1, max_size=4).map(".".join)
