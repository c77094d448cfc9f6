"""Tests whose cases differ only in data: one test that loops over them, and names the case that fails."""

from __future__ import annotations

import functools
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@contextmanager
def case(name: object) -> Iterator[None]:
    """Names the case in the failure of a test that loops over several."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {name}")
        raise


def each_case(
    names: str | Sequence[str], values: Iterable[Any], ids: Iterable[str] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Runs a test for each of the values, as one test. Used like `pytest.mark.parametrize`.

    The cases share the test's fixtures.
    """
    parameters = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    cases = [dict(zip(parameters, each if len(parameters) > 1 else (each,), strict=True)) for each in values]
    labels = list(ids) if ids is not None else [f"number {number} of {names}" for number in range(1, len(cases) + 1)]

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        def run(**fixtures: Any) -> None:
            for label, arguments in zip(labels, cases, strict=True):
                with case(label):
                    test(**fixtures, **arguments)

        async def run_async(**fixtures: Any) -> None:
            for label, arguments in zip(labels, cases, strict=True):
                with case(label):
                    await test(**fixtures, **arguments)

        looped: Any = functools.wraps(test)(run_async if inspect.iscoroutinefunction(test) else run)
        signature = inspect.signature(test)
        fixtures = [each for each in signature.parameters.values() if each.name not in parameters]
        looped.__signature__ = signature.replace(parameters=fixtures)
        return looped  # type: ignore[no-any-return]

    return decorate
