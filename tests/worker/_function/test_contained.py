"""User code hurts only itself: whatever a function raises or leaves behind, its task has a result."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from conductor_async.errors import NonRetryableException
from conductor_async.worker import worker_task
from conductor_async.worker._function.interrupts import is_interrupt
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, hosting, worker  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio


class Custom(BaseException):
    pass


RAISED = [
    (GeneratorExit, "FAILED_WITH_TERMINAL_ERROR", "GeneratorExit"),
    (KeyboardInterrupt, "FAILED", "KeyboardInterrupt"),
    (lambda: SystemExit(2), "FAILED", "SystemExit: 2"),
    (lambda: Custom("odd"), "FAILED", "Custom: odd"),
    (lambda: StopIteration(1), "FAILED", "StopIteration"),
    (StopAsyncIteration, "FAILED", "StopAsyncIteration"),
    (lambda: asyncio.CancelledError("mine"), "FAILED", "CancelledError: mine"),
    (lambda: BaseExceptionGroup("all", [KeyboardInterrupt(), ValueError("x")]), "FAILED", "ValueError: x"),
    (lambda: ExceptionGroup("no", [NonRetryableException("never")]), "FAILED_WITH_TERMINAL_ERROR", "never"),
]


of_all_kinds = pytest.mark.parametrize(("error", "status", "reason"), RAISED, ids=[each[2] for each in RAISED])


@of_all_kinds
async def test_whatever_a_coroutine_raises_fails_its_task_alone(error: Any, status: str, reason: str):
    async def coroutine(bad: bool) -> str:
        await anyio.lowlevel.checkpoint()
        if bad:
            raise error()
        return "good"

    await check_isolation(coroutine, status, reason)


@of_all_kinds
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_whatever_a_function_in_a_thread_raises_fails_its_task_alone(error: Any, status: str, reason: str):
    def plain(bad: bool) -> str:
        if bad:
            raise error()
        return "good"

    await check_isolation(plain, status, reason)


async def check_isolation(function: Any, status: str, reason: str) -> None:
    server = FakeConductor()
    server.put(bad=True)
    server.put(bad=False)
    server.put(bad=True)
    async with hosting(server, worker(function, concurrency=2)):
        await server.until(lambda: len(server.results) == 3)
    assert sorted(server.statuses()) == sorted(["COMPLETED", status, status])
    failed = next(each for each in server.results if each["status"] != "COMPLETED")
    assert reason in failed["reasonForIncompletion"]


@pytest.mark.parametrize("position", ["before the coroutine", "in a validator", "in a serializer"])
async def test_a_generator_exit_outside_of_the_coroutine(position: str):
    if position == "before the coroutine" and anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        pytest.skip("it runs in a thread, which the jumping clock of trio does not wait for")
    from typing import Annotated

    from pydantic import AfterValidator, BaseModel, PlainSerializer

    def broken(value: int) -> int:
        raise GeneratorExit

    class Result(BaseModel):
        n: Annotated[int, PlainSerializer(broken)] = 1

    async def decorated() -> None: ...

    def decorator() -> Any:
        raise GeneratorExit

    decorator.__wrapped__ = decorated  # type: ignore[attr-defined]

    async def validated(n: Annotated[int, AfterValidator(broken)]) -> None: ...

    async def serialized() -> Any:
        return Result()

    server = FakeConductor()
    server.put(n=1)
    validated.__annotations__ = {"n": Annotated[int, AfterValidator(broken)]}
    functions = {"before the coroutine": decorator, "in a validator": validated, "in a serializer": serialized}
    async with hosting(server, worker(functions[position])):
        await server.until(lambda: server.results)
    assert server.results[0]["status"].startswith("FAILED")


def opened(kind: str) -> Any:
    return {
        "scope": lambda: anyio.CancelScope(),
        "deadline": lambda: anyio.move_on_after(0.1),
        "timeout": lambda: anyio.fail_after(60),
        "task group": lambda: anyio.create_task_group(),
    }[kind]()


@pytest.mark.parametrize("kind", ["scope", "deadline", "timeout", "task group"])
async def test_a_scope_left_open_by_a_generator(kind: str, caplog: pytest.LogCaptureFixture):
    if kind == "task group" and anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
        pytest.skip("trio complains of the generator when it is closed")
    kept: list[AsyncGenerator[int]] = []

    async def numbers() -> AsyncGenerator[int]:
        async with contextlib.AsyncExitStack() as stack:
            scope = opened(kind)
            await stack.enter_async_context(scope) if hasattr(scope, "__aenter__") else stack.enter_context(scope)
            with anyio.CancelScope():
                yield 1

    @worker_task("job", concurrency=2)
    async def job(bad: bool) -> int:
        if not bad:
            await anyio.sleep(0.3)
            return 0
        kept.append(numbers())
        return await anext(kept[-1])

    server = FakeConductor()
    server.put(bad=False)
    server.put(bad=True)
    server.put(bad=True)
    server.put(bad=False)
    async with hosting(server, job):
        await server.until(lambda: len(server.results) == 4)
        for each in kept:
            with contextlib.suppress(RuntimeError):  # its scopes are closed already
                await each.aclose()
    assert server.statuses() == ["COMPLETED"] * 4
    said = [record.getMessage() for record in caplog.records if "open" in record.getMessage()]
    assert len(said) == 2
    assert "'job'" in said[0]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("what", ["cancels its task", "cancels its task and returns", "leaves a timeout open"])
async def test_a_cancellation_of_the_asyncio_task_stays_there(what: str):
    kept: list[Any] = []

    @worker_task("job", concurrency=6)
    async def job(bad: bool) -> str:
        if not bad:
            await asyncio.sleep(0.3)
            return "good"
        if what == "leaves a timeout open":
            kept.append(asyncio.timeout(0.1))
            await kept[-1].__aenter__()
            return "left open"
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        if what == "cancels its task":
            await asyncio.sleep(1)
        return "returned"

    server = FakeConductor()
    server.put(5, bad=False)
    server.put(bad=True)
    async with hosting(server, job):
        await server.until(lambda: len({each["taskId"] for each in server.results}) == 6)
        server.put(bad=False)
        await server.until(lambda: any(each["taskId"] == "t7" for each in server.results))
    assert server.statuses().count("COMPLETED") >= 6
    assert "IN_PROGRESS" not in server.statuses()


# -- the parts -----------------------------------------------------------------------------------------


def test_an_interrupt_is_told_from_a_raise_statement():
    def raised() -> BaseException:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            return error

    def interrupted() -> BaseException:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            signal.raise_signal(signal.SIGINT)
            return SystemExit()
        except KeyboardInterrupt as error:
            return error
        finally:
            signal.signal(signal.SIGINT, before)

    assert not is_interrupt(raised())
    assert is_interrupt(interrupted())
    assert not is_interrupt(ValueError())
