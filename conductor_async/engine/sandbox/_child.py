"""The program of a sandbox's child process: reads jobs from stdin, computes, writes results to stdout.

It runs as a script, with nothing of this package imported: a child starts in some tens of milliseconds. Each message is
a length of eight bytes and JSON. The first one configures the child, and each later one is a job.

A child has no environment and an empty working directory. Once its library is loaded, it can open no more files, start
no processes, and write none: the kernel refuses it. The kernel also ends a child whose job runs too long, by an alarm:
that works whatever the job does, and also when the parent is gone.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__: list[str] = []

_HEADER = struct.Struct(">Q")


class _Jq:
    """Runs jq queries. A job is `[query, document]`, as text; the result is the list of the query's results."""

    def __init__(self, settings: dict[str, Any]) -> None:
        import jq

        self._jq: Any = jq
        absent = frozenset(settings["absent"])
        builtins: list[str] = self._jq.compile("builtins").input_value(None).first()
        self._prelude = "".join(_overriding(*name.split("/")) for name in builtins if name.split("/")[0] in absent)
        self._prelude += "null as $ENV | null as $__prog_args |\n"
        self._compiled = functools.lru_cache(256)(self._compile)

    def __call__(self, query: str, document: str) -> list[Any]:
        return list(self._compiled(query).input_text(document))

    def _compile(self, query: str) -> Any:
        # What stands before a query overrides names, whatever its text does to hide them. Modules can only be imported
        # at the start of a program, so that a query cannot do it any more.
        return self._jq.compile(self._prelude + (query if query.strip() else "."))


def _overriding(name: str, arity: str) -> str:
    parameters = ";".join(f"p{number}" for number in range(int(arity)))
    signature = f"{name}({parameters})" if parameters else name
    return f'def {signature}: error("Function {name}/{arity} does not exist"); '


class _JavaScript:
    """Runs JavaScript. A job is `[text]`; the result is its value as text, or the message if it cannot be parsed.

    With `changes_builtins`, a job may change built-in objects: none runs in the same V8 after it.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        from py_mini_racer import MiniRacer, init_mini_racer

        # With its memory keys, V8 crashes in threads that are older than its first use.
        init_mini_racer(flags=("--single-threaded", "--no-memory-protection-keys"), ignore_duplicate_init=True)
        self._racer_type = MiniRacer
        self._settings = settings
        self._racer: Any = self._new_racer()

    def _new_racer(self) -> Any:
        racer = self._racer_type()
        racer.set_hard_memory_limit(self._settings["heap_bytes"])
        racer.eval(self._settings["harness"])
        return racer

    def __call__(self, text: str, *, changes_builtins: bool = False) -> str:
        from py_mini_racer import JSOOMException, JSParseException

        if self._racer is None:
            with _files_allowed():
                self._racer = self._new_racer()
        racer, self._racer = self._racer, None
        try:
            value = str(racer.eval(text))
        except JSParseException as error:
            value = str(error)
        except JSOOMException as error:
            raise MemoryError from error
        if not changes_builtins:
            self._racer = racer
        return value


class _Regex:
    """Matches a pattern against texts. A job is `[pattern, flags, texts]`; the result says whether any text matches."""

    def __init__(self, settings: dict[str, Any]) -> None:
        del settings

    def __call__(self, pattern: str, flags: int, texts: list[str]) -> bool:
        matcher = re.compile(pattern, flags)
        return any(matcher.fullmatch(text) for text in texts)


_KINDS: dict[str, Callable[[dict[str, Any]], Callable[..., Any]]] = {
    "jq": _Jq,
    "javascript": _JavaScript,
    "regex": _Regex,
}


def _main() -> None:
    jobs, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no result
    settings = _receive(jobs)
    if settings is None:
        return
    try:
        compute = _KINDS[settings["kind"]](settings)
    except ImportError as error:
        _send(results, {"missing": str(error)})
        return
    _lock_up(settings["memory_bytes"])
    _send(results, {"ready": True})
    while (job := _receive(jobs)) is not None:
        _set_alarm(job["time_limit"])
        try:
            response: dict[str, Any] = {"value": compute(*job["arguments"], **job.get("options", {}))}
        except MemoryError:
            response = {"failure": "memory"}
        except Exception as error:  # noqa: BLE001 - the boundary of what a definition computes
            response = {"error": str(error)}
        try:
            _send(results, response)
        except (MemoryError, RecursionError, ValueError) as error:
            _send(results, {"error": f"{type(error).__name__}: {error}"})
        _set_alarm(0)


def _lock_up(memory_bytes: int) -> None:
    _set_limit("RLIMIT_NOFILE", 0)
    _set_limit("RLIMIT_FSIZE", 0)
    _set_limit("RLIMIT_CORE", 0)
    _set_limit("RLIMIT_DATA", memory_bytes)


@contextlib.contextmanager
def _files_allowed() -> Generator[None]:
    """While the context is open, libraries may open files."""
    _set_limit("RLIMIT_NOFILE", 64)
    try:
        yield
    finally:
        _set_limit("RLIMIT_NOFILE", 0)


def _set_limit(name: str, value: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):  # not all systems have all limits
        import resource

        limit = getattr(resource, name)
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))


def _set_alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _receive(stream: BinaryIO) -> dict[str, Any] | None:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None  # the parent is gone, or wants no more
    message: dict[str, Any] = json.loads(stream.read(_HEADER.unpack(header)[0]))
    return message


def _send(stream: BinaryIO, message: dict[str, Any]) -> None:
    encoded = json.dumps(message).encode()
    stream.write(_HEADER.pack(len(encoded)) + encoded)
    stream.flush()


if __name__ == "__main__":
    _main()
