"""One sandbox: the namespace that instrumented code runs in, and the importing of its files."""

from __future__ import annotations

import builtins
import decimal
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any, Final

from plataforma_sdk.errors import ModuleLoadError
from plataforma_sdk.sandbox.restricted._breaker import PROCESS, MemoryBreaker
from plataforma_sdk.sandbox.restricted._builtins import Builtins
from plataforma_sdk.sandbox.restricted._cache import CompileCache
from plataforma_sdk.sandbox.restricted._classes import Classes
from plataforma_sdk.sandbox.restricted._containers import Deque, slicer
from plataforma_sdk.sandbox.restricted._costs import COSTS
from plataforma_sdk.sandbox.restricted._decimals import make_decimal_type
from plataforma_sdk.sandbox.restricted._fuel import LimitReached, Meter
from plataforma_sdk.sandbox.restricted._guards import Operators
from plataforma_sdk.sandbox.restricted._iterables import Iterables
from plataforma_sdk.sandbox.restricted._memory import MemoryAccount
from plataforma_sdk.sandbox.restricted._methods import Methods
from plataforma_sdk.sandbox.restricted._names import PREFIX
from plataforma_sdk.sandbox.restricted._policy_calls import BUILTIN_TYPES
from plataforma_sdk.sandbox.restricted._reach import Reach
from plataforma_sdk.sandbox.restricted._sealed import SealedMeta
from plataforma_sdk.sandbox.restricted._texts import Texts
from plataforma_sdk.sandbox.restricted._unraisable import watch_unraisable
from plataforma_sdk.sandbox.restricted._weights import DICTS, Scales
from plataforma_sdk.types import Clock, SystemClock

__all__ = ["Sandbox"]

_HASHED: Final = DICTS | {set, frozenset, type({}.keys())}
_COMPARISONS: Final = {
    "_eq_": operator.eq,
    "_ne_": operator.ne,
    "_lt_": operator.lt,
    "_le_": operator.le,
    "_gt_": operator.gt,
    "_ge_": operator.ge,
}

_SLICED: Final = frozenset({str, bytes, bytearray, list, tuple, range})
_TYPES: Final = {f"_ty_{name}_": getattr(builtins, name) for name in BUILTIN_TYPES}


def _silent(_: str) -> None:
    """Drop the output."""


class Sandbox:
    """Everything that one module's code can reach.

    Args:
        memory_limit: bytes that the account may hold.
        sources: path -> text of the package's files.
        output: receives what the module prints.
        libraries: name -> function that makes the vetted module; each is made when it is first imported.
        cache: where compiled code is kept.
        module: id of the module, for messages.
        breaker: stops the largest account where the whole process is too large.

    Attributes:
        meter: fuel, clock and memory.
        memory: measures what the module holds.
        roots: returns what the module holds beside the globals of its files.
        clock: time as the module sees it.
        seed: seed of its random numbers, or None.
        namespaces: path of the file -> its globals, of files imported so far.
    """

    def __init__(
        self,
        memory_limit: int,
        *,
        sources: Mapping[str, str] | None = None,
        output: Callable[[str], None] = _silent,
        libraries: Mapping[str, Callable[[Sandbox], Any]] | None = None,
        cache: CompileCache | None = None,
        module: str | None = None,
        breaker: MemoryBreaker = PROCESS,
    ) -> None:
        watch_unraisable()
        self.meter = Meter(memory_limit, breaker)
        self.sources = dict(sources or {})
        self.namespaces: dict[str, dict[str, Any]] = {}
        self.module = module
        self._libraries = dict(libraries or {})
        self.clock: Clock = SystemClock()
        self.seed: int | None = None
        self._loaded: dict[str, Any] = {}
        self._cache = cache or CompileCache()
        self.scales = Scales(self.meter)
        self.operators = Operators(self.meter, self.scales)
        self.iterables = Iterables(self.meter, self.scales, self.operators)
        self.texts = Texts(self.meter, self.scales, self.operators)
        self.classes = Classes(self.meter, self.scales, self.iterables.generator_function)
        self.methods = Methods(self.meter, self.scales, self.operators, self.iterables, self.texts, SealedMeta)
        self.builtins = Builtins(
            self.meter, self.scales, self.operators, self.iterables, self.texts, self.methods, self.classes, output
        )
        self.builtin_table = self.builtins.table()
        self._template = self._make_template()
        self._globals: list[dict[str, Any]] = [self._template]
        self.meter.on_large_text = self._suspect_texts
        self.roots: Callable[[], Iterable[Any]] = tuple
        reach = Reach(self.classes.meta, self.namespaces, self._template)
        self.memory = self.meter.source.watch = MemoryAccount(self.meter, reach, self._more_roots, breaker)

    def _more_roots(self) -> Iterable[Any]:
        return self.roots()

    @functools.cached_property
    def decimal_type(self) -> type[decimal.Decimal]:
        """The class of the module's Decimals."""
        made = make_decimal_type(self.meter.charge)
        self.methods.costs[made] = COSTS[decimal.Decimal]
        return made

    def own_decimal(self, number: decimal.Decimal) -> decimal.Decimal:
        """Return a Decimal of the module's own: one of the host's is not charged for what is done with it."""
        return self.decimal_type(number)

    # --- running -------------------------------------------------------------------------------------------------

    def run_file(self, path: str) -> dict[str, Any]:
        """Run a file of the package once, and return its globals."""
        found = self.namespaces.get(path)
        if found is not None:
            return found
        source = self.sources.get(path)
        if source is None:
            raise ModuleLoadError(f"Module {self.module!r} has no file {path!r}", module=self.module)
        code = self._cache.compile(source, path, module=self.module)
        return self._execute(code, path)

    def run_source(self, source: str, path: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a text as the file `path`; `extra` are names that it finds defined."""
        return self._execute(self._cache.compile(source, path, module=self.module), path, extra)

    def _execute(self, code: CodeType, path: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        namespace = self.new_namespace(path)
        namespace.update(extra or {})
        self.namespaces[path] = namespace
        try:
            exec(code, namespace)  # noqa: S102
        except BaseException:
            del self.namespaces[path]
            namespace["_text_"] = None  # what it defined may live on, and is told nothing more
            self._globals = [names for names in self._globals if names is not namespace]
            raise
        self.meter.check()
        return namespace

    def new_namespace(self, path: str) -> dict[str, Any]:
        """Make the globals of one file."""
        namespace = dict(self._template)
        builtins = dict(self.builtin_table)
        builtins["__import__"] = self._importer(path)
        namespace["__builtins__"] = builtins
        namespace["__name__"] = path.removesuffix(".py").replace("/", ".")
        self._globals.append(namespace)
        return namespace

    def _suspect_texts(self) -> None:
        """Let no text pass for a plain key any longer: the module has made a large one."""
        for names in self._globals:
            names["_text_"] = None

    def guard(self, name: str) -> Any:
        """One of the engine's own functions, by the name that the policy writes."""
        return self._template[name]

    # --- importing -----------------------------------------------------------------------------------------------

    def _importer(self, path: str) -> Callable[..., Any]:
        folder = path.rpartition("/")[0]

        def import_(name: str, _: Any = None, __: Any = None, wanted: Any = (), level: int = 0) -> Any:
            if level:
                return self._import_relative(folder, name, wanted or (), level)
            return self._import_library(name, bool(wanted))

        return import_

    def add_libraries(self, libraries: Mapping[str, Callable[[Sandbox], Any]]) -> None:
        """Offer more modules for import."""
        self._libraries.update(libraries)

    def library(self, name: str) -> Any:
        """Return a vetted module, made at its first use."""
        found = self._loaded.get(name)
        if found is None:
            make = self._libraries.get(name)
            if make is None:
                known = ", ".join(sorted(self._libraries)) or "none"
                raise ImportError(f"{name!r} is not available in the restricted tier; there are: {known}")
            found = self._loaded[name] = make(self)
        return found

    def _import_library(self, name: str, has_names: bool) -> Any:
        found = self.library(name)
        return found if has_names or "." not in name else self.library(name.partition(".")[0])

    def _import_relative(self, folder: str, name: str, wanted: Any, level: int) -> Any:
        base = folder.split("/") if folder else []
        if level - 1 > len(base):
            raise ImportError("a relative import beyond the package")
        base = base[: len(base) - (level - 1)]
        target = [*base, *[part for part in name.split(".") if part]]
        path = "/".join(target)
        members: dict[str, Any] = {}
        for item in wanted:
            inner = "/".join([*target, _unmangle(item)])
            if self._file(inner) is not None:
                members[item] = PackageModule(self.run_file(self._file(inner) or ""), inner)
        file = self._file(path) if path else None
        if file is None and not members:
            raise ImportError(f"the package has no module {'.' * level}{name}")
        return PackageModule(self.run_file(file) if file else {}, path, members)

    def _file(self, path: str) -> str | None:
        return next((name for name in (f"{path}.py", f"{path}/__init__.py") if name in self.sources), None)

    # --- the namespace ---------------------------------------------------------------------------------------------

    def _make_template(self) -> dict[str, Any]:
        names: dict[str, Any] = {
            "_fuel_": self.meter.fuel,
            "_burn_": self._burn,
            "_compress_": itertools.compress,
            "_dead_": self.dead,
            "_charge_": self.meter.charge,
            "_paid_": self._paid,
            "_pos_": self.operators.unary(operator.pos),
            "_neg_": self.operators.unary(operator.neg),
            "_type_": type,
            "_len_": len,
            "_isinstance_": isinstance,
            "_int_": int,
            "_str_": str,
            "_text_": str,
            "_tuple_": tuple,
            "_LISTS_": frozenset({list, Deque}),
            "_Exception_": Exception,
            "_float_": float,
            "_CHEAP_": self.meter.cheap,
            "_NUMERIC_": frozenset({int, float}),
            "_HASHED_": _HASHED,
            "_HIDING_": self.meter.hiding,
        }
        names.update(_TYPES)
        names.update({name: self.operators.compare(apply) for name, apply in _COMPARISONS.items()})
        names.update(self.operators.augmented())
        return names | self._operator_names() | self._iterable_names() | self._call_names()

    def _operator_names(self) -> dict[str, Any]:
        operators, scales = self.operators, self.scales
        return {
            "_grown_": operators.grown,
            "_sub_": operators.set_operator(operator.sub),
            "_or_": operators.set_operator(operator.or_),
            "_and_": operators.set_operator(operator.and_),
            "_xor_": operators.set_operator(operator.xor),
            "_add_": operators.add,
            "_mul_": operators.mul,
            "_pow_": operators.pow,
            "_shl_": operators.shl,
            "_fdiv_": operators.fdiv,
            "_matmul_": operators.matmul,
            "_mod_": self.texts.modulo,
            "_aug_mod_": self.texts.modulo_in_place,
            "_in_": operators.contains,
            "_not_in_": operators.excludes,
            "_hk_": scales.hashed,
            "_weighed_": scales.weigh,
            "_compared_": scales.compared,
            "_keys_": scales.keys,
            "_keyed_": scales.keyed,
            "_fmt_": self.texts.format,
        }

    def _iterable_names(self) -> dict[str, Any]:
        iterables = self.iterables
        return {
            "_star_": iterables.star,
            "_matched_": iterables.matched,
            "_merged_": iterables.merged,
            "_addend_": iterables.addend,
            "_hashable_": iterables.hashable,
            "_display_": iterables.displayed,
            "_slice_": slicer(self.operators.grown, _SLICED),
            "_make_slice_": self.builtin_table["slice"],
            "_set_slice_": iterables.set_slice,
            "_shrink_": iterables.shrunk,
            "_aug_add_": iterables.add_in_place,
            "_aug_bitor_": iterables.or_in_place,
            "_genf_": iterables.generator_function,
            "_corof_": iterables.generator_function,
            "_gs_": iterables.nested,
            "_gn_": iterables.lazy,
            "_acompress_": iterables.compress_async,
        }

    def _call_names(self) -> dict[str, Any]:
        methods, classes, builtins = self.methods, self.classes, self.builtins
        return {
            "_attr_": methods.attribute,
            "_meth_": methods.make_call(classes.meta),
            "_popped_": methods.popped,
            "_m_join_": methods.quick_join(),
            "_m_replace_": methods.quick_replace(),
            "_m_discard_": methods.quick_discard(),
            "_w_": classes.writable,
            "_own_": classes.own_method,
            "_name_of_": builtins.typed.name_of,
            "_generic_": classes.generic,
            "_kind_": builtins.kind,
            "_exc_": classes.caught,
            "_raised_": classes.raised,
            "_meta_": classes.meta,
            "_b_str_": self._short_str,
            "_b_int_": builtins.make_int,
            "_b_float_": builtins.make_float,
            "_b_bool_": bool,
            "_b_range_": self.iterables.make_range,
            "_sum_": builtins.folds.sum_numbers,
            "_counted_": self.iterables.make_counted(),
            "_stepped_": self.iterables.stepped,
            "_listed_": self.iterables.make_listed(),
            "_b_list_": builtins.make_list,
            "_b_tuple_": builtins.make_tuple,
            "_b_set_": builtins.make_set,
            "_b_dict_": builtins.make_dict,
        }

    def _short_str(self, value: Any) -> str:
        kind = type(value)
        return str(value) if kind is str or kind is float else self.texts.text(value)

    def _paid(self, units: int) -> bool:
        self.meter.charge(units)
        return True

    def _burn(self) -> Any:
        for _ in self.meter.fuel:
            return True
        return self.dead()

    def dead(self) -> Any:
        """Raise the limit that emptied the fuel."""
        self.meter.check()
        raise LimitReached("fuel")


class PackageModule(metaclass=SealedMeta):
    """A file of the package as another file imports it: its names, but for the engine's."""

    __slots__ = ("_sdk_members", "_sdk_namespace", "_sdk_path")

    def __init__(self, namespace: Mapping[str, Any], path: str, members: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "_sdk_namespace", namespace)
        object.__setattr__(self, "_sdk_path", path)
        object.__setattr__(self, "_sdk_members", members or {})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a module of the package is read-only; call a function of it")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for place in (self._sdk_members, self._sdk_namespace):
                if name in place:
                    return place[name]
        raise AttributeError(f"{self._sdk_path!r} has no {_unmangle(name)!r}")

    def __repr__(self) -> str:
        return f"<module {self._sdk_path!r}>"


def _unmangle(name: str) -> str:
    return "_" + name[len(PREFIX) :] if name.startswith(PREFIX) else name
