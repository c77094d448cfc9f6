"""Checked by mypy and pyright, never run: what `@worker_task` keeps of a function's types."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_type

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    SimpleTask,
    TaskContext,
    TaskInProgress,
    WorkerHost,
    get_task_context,
    worker_task,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine


@worker_task("greet")
async def greet(name: str, times: int = 1) -> str:
    return f"Hello, {name}" * times


@worker_task(task_definition_name="add", concurrency=4, poll_interval=timedelta(seconds=1))
def add(a: int, *, b: int) -> int:
    return a + b


@worker_task()
async def sometimes(key: str) -> str | TaskInProgress:
    context = get_task_context()
    assert_type(context, TaskContext)
    return TaskInProgress(30) if context.poll_count < 2 else key


@worker_task("count")
async def count(key: str, context: TaskContext | None = None) -> int:
    return context.retry_count if context else 0


class Shouter:
    def shout(self, text: str) -> str:
        return text.upper()


shout = worker_task("shout")(Shouter().shout)


async def calls() -> None:
    greeting: Coroutine[Any, Any, str] = greet("Ada")
    assert_type(await greeting, str)
    assert_type(await greet("Ada", times=2), str)
    assert_type(add(1, b=2), int)
    assert_type(shout("hey"), str)
    await greet(name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await greet()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    add(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def tasks(workflow: ConductorWorkflow) -> None:
    assert_type(greet.task("ref", name="Ada"), SimpleTask[str])
    assert_type(greet.task("ref", "Ada", 3), SimpleTask[str])
    assert_type(add.task("ref", 1, b=2), SimpleTask[int])
    assert_type(shout.task("ref", text="hey"), SimpleTask[str])
    assert_type(sometimes.task("ref", key="x"), SimpleTask[str])  # what it is in the end
    assert_type(count.task("ref", key="x"), SimpleTask[int])  # the default is for the type checkers
    greet.task("ref", name=workflow.input("name"), times=workflow.input.times)
    greet.task("ref")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    greet.task("ref", nmae="Ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    greet.task("ref", name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    greet.task(name="Ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def hosts(conductor: ConductorClient) -> None:
    WorkerHost(conductor, [greet, add, sometimes, shout], grace=timedelta(seconds=5))
    WorkerHost(conductor, [calls])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    worker_task("greet", cocurrency=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
