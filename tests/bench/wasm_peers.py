"""The peers of the wasm engine: pyeryx, pydantic-monty, extism where installed; a bare subprocess; plain CPython."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from wasm_work import ARGUMENT, CALLBACKS, FUNCTION, WORK, Contender

_CHILD = """
import sys, json
def send(o):
    sys.stdout.write(json.dumps(o) + "\\n")
    sys.stdout.flush()
def ask(o):
    send(o)
    return sys.stdin.readline()
for line in sys.stdin:
    call = json.loads(line)
    if call["name"] == "callbacks":
        for _ in range(call["n"]):
            ask({"ask": 1})
        send({"answer": None})
    else:
        send({"answer": globals()[call["name"]](*call["args"])})
"""
_ECHO = """
(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (import "extism:host/user" "host" (func $host (param i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "f") (result i32) (local $n i64) (local $at i64) (local $i i64)
    (local.set $n (call $length))
    (local.set $at (call $alloc (local.get $n)))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $i) (local.get $n)))
      (call $store (i64.add (local.get $at) (local.get $i)) (call $load (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (call $output (local.get $at) (local.get $n))
    (i32.const 0))
  (func (export "callbacks") (result i32) (local $i i32)
    (loop $next
      (drop (call $host (i64.const 0)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const %d))))
    (i32.const 0)))
"""


def installed(stack: ExitStack) -> Iterator[Contender]:
    """Make each peer that there is; one that fails to start is named, not hidden."""
    for make in (_eryx, _monty, _extism, _subprocess, _plain):
        try:
            yield make(stack)
        except ImportError:
            continue
        except Exception as error:
            print(f"  {make.__name__[1:]} does not run here: {type(error).__name__}: {str(error)[:100]}")


def _eryx(_: ExitStack) -> Contender:
    import eryx

    def session() -> Any:
        made = eryx.Session(callbacks=[{"name": "host", "fn": lambda x: 1, "description": "answers"}])
        made.execute(FUNCTION + WORK)
        return made

    probe = session()

    def run(code: str) -> Any:
        return probe.execute(f"result = {code}").result

    def memory(count: int) -> Callable[[], None]:
        kept = [session() for _ in range(count)]
        return kept.clear

    return Contender(
        "pyeryx",
        cold=lambda: eryx.Sandbox().execute("result = 1 + 1"),
        warm=lambda: run(f"f({ARGUMENT!r})"),
        callbacks=lambda: probe.execute(f"for _ in range({CALLBACKS}): await host(x=1)"),
        awaited=lambda: probe.execute("await host(x=1)"),
        compute=lambda name: run(f"{name}()"),
        memory=memory,
    )


def _monty(stack: ExitStack) -> Contender:
    from pydantic_monty import Monty

    pool = stack.enter_context(Monty(min_processes=1, max_processes=24))
    limits: Any = {"max_suspensions": 10**9, "max_memory": 128 << 20, "max_feed_duration_secs": 30.0}
    probe = stack.enter_context(pool.checkout(limits=limits))
    probe.feed_run(FUNCTION)
    probe.feed_run(WORK)

    def cold() -> Any:
        with pool.checkout(limits=limits) as session:
            return session.feed_run("1 + 1")

    def memory(count: int) -> Callable[[], None]:
        kept = ExitStack()
        for _ in range(count):
            kept.enter_context(pool.checkout(limits=limits)).feed_run(FUNCTION + WORK)
        return kept.close

    host = {"host": lambda x: 1}
    return Contender(
        "pydantic-monty",
        cold=cold,
        warm=lambda: probe.feed_run("f(d)", inputs={"d": ARGUMENT}),
        callbacks=lambda: probe.feed_run(f"for _ in range({CALLBACKS}): host(1)", external_lookup=host),
        awaited=lambda: probe.feed_run("host(1)", external_lookup=host),
        compute=lambda name: probe.feed_run(f"{name}()"),
        is_here=False,
        memory=memory,
    )


def _extism(_: ExitStack) -> Contender:
    import extism
    from wasmtime import wat2wasm

    code = bytes(wat2wasm(_ECHO % CALLBACKS))

    @extism.host_fn(name="host", namespace="extism:host/user", signature=([extism.ValType.I64], [extism.ValType.I64]))
    def host(_plugin: Any, inputs: Any, outputs: Any) -> None:
        outputs[0].value = 1

    def plugin() -> Any:
        return extism.Plugin(code, wasi=False, functions=[host])

    probe = plugin()
    text = json.dumps({"sum": 3, "n": "x" * 10})

    def memory(count: int) -> Callable[[], None]:
        kept = [plugin() for _ in range(count)]
        return kept.clear

    return Contender(
        "extism, a tiny wasm, no Python",
        cold=lambda: plugin().call("f", b"2"),
        warm=lambda: json.loads(bytes(probe.call("f", text))),
        callbacks=lambda: probe.call("callbacks", b""),
        memory=memory,
        is_python=False,
    )


def _subprocess(stack: ExitStack) -> Contender:
    command = [sys.executable, "-I", "-S", "-u", "-c", FUNCTION + WORK + _CHILD]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def stop(child: subprocess.Popen[str]) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        child.wait(5)
        child.stdout.close()

    def call(child: subprocess.Popen[str], name: str, *args: Any, **more: Any) -> Any:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({"name": name, "args": args, **more}) + "\n")
        while True:
            said = json.loads(child.stdout.readline())
            if "answer" in said:
                return said["answer"]
            child.stdin.write("1\n")

    def cold() -> None:
        child = start()
        call(child, "f", ARGUMENT)
        stop(child)

    def memory(count: int) -> Callable[[], None]:
        kept = [start() for _ in range(count)]
        for child in kept:
            call(child, "f", ARGUMENT)
        return lambda: [stop(child) for child in kept] and None

    probe = start()
    stack.callback(stop, probe)
    return Contender(
        "python -I -S in a subprocess",
        cold=cold,
        warm=lambda: call(probe, "f", ARGUMENT),
        callbacks=lambda: call(probe, "callbacks", n=CALLBACKS),
        awaited=lambda: call(probe, "callbacks", n=1),
        compute=lambda name: call(probe, name),
        is_here=False,
        memory=memory,
        is_boundary=False,
    )


def _plain(_: ExitStack) -> Contender:
    here: dict[str, Any] = {}
    exec(WORK, here)
    return Contender("plain CPython", compute=lambda name: here[name](), is_boundary=False)
