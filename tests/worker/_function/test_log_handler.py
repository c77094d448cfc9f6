"""Log records of worker functions in their tasks' logs, read back from the server."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    TaskDef,
    TaskInProgress,
    WorkerHost,
    get_task_context,
    worker_task,
)

if TYPE_CHECKING:
    from conductor_async.models import TaskExecLog

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]

shop = logging.getLogger("shop.packing")


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    shop.setLevel(logging.DEBUG)
    yield
    shop.setLevel(logging.NOTSET)


@pytest.fixture
async def conductor(server_url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


async def logged(conductor: ConductorClient, *workers: Any, **options: Any) -> list[list[TaskExecLog]]:
    """Returns the logs of one task of each worker."""
    for worker in workers:
        definition = TaskDef(name=worker.task_definition_name, retry_count=0, response_timeout_seconds=60)
        await conductor.metadata.register_task_def(definition)
    workflow = ConductorWorkflow(executor=conductor.executor, name=f"{workers[0].task_definition_name}_flow", version=1)
    for worker in workers:
        workflow >> worker.task(f"{worker.task_definition_name}_ref")
    async with WorkerHost(conductor, workers, **options):
        run = await workflow.execute()
    tasks = (await conductor.workflow.get_workflow(run.workflow_id)).tasks
    return [await conductor.task.get_task_logs(task.task_id) for task in tasks]


def texts(lines: list[TaskExecLog]) -> list[str]:
    return [line.log for line in lines]


async def test_records_of_coroutines_and_threads_reach_their_task(
    conductor: ConductorClient, new_name: NewName
) -> None:
    @worker_task(new_name("first"))
    async def first() -> None:
        shop.debug("too low")
        shop.info("he said %r\nl2 é", "hi")
        get_task_context().log("by hand")
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, shop.warning, "from a thread of it")

    @worker_task(new_name("second"))
    def second() -> None:
        try:
            raise LookupError("no box")
        except LookupError:
            shop.exception("caught")

    in_first, in_second = await logged(conductor, first, second, task_log_level="INFO")
    # Formatted, in order, with their times in milliseconds.
    assert texts(in_first) == [
        "INFO shop.packing: he said 'hi'\nl2 é",
        "by hand",
        "WARNING shop.packing: from a thread of it",
    ]
    assert all(line.created_time > 1_600_000_000_000 for line in in_first)
    [caught] = texts(in_second)
    assert caught.startswith("ERROR shop.packing: caught\nTraceback")
    assert caught.endswith("LookupError: no box")


async def test_records_below_task_log_level_are_not_copied(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("silent"))
    async def silent() -> None:
        shop.error("not for the task")

    @worker_task(new_name("loud"), task_log_level="ERROR")
    async def loud() -> None:
        shop.warning("not this")
        shop.error("this")

    assert [texts(lines) for lines in await logged(conductor, silent, loud)] == [[], ["ERROR shop.packing: this"]]


async def test_two_hosts_copy_a_record_once(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("once"), task_log_level="INFO")
    async def once() -> None:
        shop.info("a line")

    async with WorkerHost(conductor, [once]):
        assert [texts(lines) for lines in await logged(conductor, once)] == [["INFO shop.packing: a line"]]


async def test_failed_and_handed_back_tasks_have_their_records(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("again"), task_log_level="INFO")
    async def again() -> TaskInProgress | None:
        shop.info("try %d", get_task_context().poll_count)
        if get_task_context().poll_count == 1:
            return TaskInProgress(0)
        raise LookupError("no box")

    [lines] = [texts(each) for each in await logged(conductor, again)]
    assert lines[:2] == ["INFO shop.packing: try 1", "INFO shop.packing: try 2"]
    assert lines[2].endswith("LookupError: no box\n")


async def test_the_handler_is_removed_when_the_host_stops(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("tidy"), task_log_level="INFO")
    async def tidy() -> None: ...

    before = list(logging.getLogger().handlers)
    async with WorkerHost(conductor, [tidy]):
        assert len(logging.getLogger().handlers) == len(before) + 1
    assert logging.getLogger().handlers == before


async def test_a_level_that_hides_records_is_warned_about(
    conductor: ConductorClient, new_name: NewName, caplog: pytest.LogCaptureFixture
) -> None:
    @worker_task(new_name("held_back"), task_log_level="INFO")
    async def held_back() -> None: ...

    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    levels = {each: each.level for each in [logging.root, *loggers]}
    for each in loggers:
        each.setLevel(logging.NOTSET)
    logging.root.setLevel(logging.WARNING)
    try:
        async with WorkerHost(conductor, [held_back]):
            pass
        first, caplog.records[:] = list(caplog.records), []
        shop.setLevel(logging.INFO)
        async with WorkerHost(conductor, [held_back]):
            pass
        assert "task_log_level" not in "".join(each.getMessage() for each in caplog.records), "a logger propagates them"
    finally:
        for each, level in levels.items():
            each.setLevel(level)
    [warning] = [each.getMessage() for each in first if "task_log_level" in each.getMessage()]
    assert warning == (
        "task_log_level is INFO, but the root logger's level is WARNING: records below that do not reach tasks' logs."
        " To change that, call logging.getLogger().setLevel('INFO')"
    )


def test_warnings_still_go_to_stderr_where_logging_is_not_configured() -> None:
    code = """if True:
        import logging
        from conductor_async import worker_task
        from conductor_async.worker._function.log_handler import TaskLogHandler
        with TaskLogHandler((worker_task("greet")(print),), logging.WARNING):
            logging.getLogger("shop").warning("seen")
            logging.getLogger("shop").info("not seen")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "seen\n"


async def test_other_handlers_get_a_record_once(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("shown"), task_log_level="INFO")
    async def shown() -> None:
        shop.info("a line")

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        await logged(conductor, shown)
    finally:
        logging.getLogger().removeHandler(handler)
    assert stream.getvalue().splitlines().count("a line") == 1
