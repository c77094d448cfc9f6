"""Options that cannot work are rejected when the host is made, or when it starts."""

from __future__ import annotations

import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.worker import TaskContext, WorkerHost, worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


async def test_options_that_cannot_work_are_rejected():
    conductor = FakeConductor().client()
    with pytest.raises(ConfigurationError, match="at least one worker"):
        WorkerHost(conductor, [])
    with pytest.raises(ConfigurationError, match="decorate it with @worker_task"):
        WorkerHost(conductor, [print])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="two workers are for the tasks of 'job'"):
        WorkerHost(conductor, [echo, worker(echo)])
    with pytest.raises(ConfigurationError, match="in seconds here"):
        WorkerHost(conductor, [echo], poll_timeout=100)
    with pytest.raises(ConfigurationError, match="grace"):
        WorkerHost(conductor, [echo], grace=-1)


async def test_a_mistake_in_annotations_shows_at_the_start():
    def job(n: Unknown) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ConfigurationError, match="'Unknown' is not defined"):
        async with hosting(FakeConductor(), worker(job)):
            pytest.fail("the host started")


@pytest.mark.parametrize("name", ["max_running", "max_idle_polls", "max_result_size"])
async def test_limits_are_whole_numbers(name: str):
    for value in (0, -1, 1.5, True):
        with pytest.raises(ConfigurationError, match=name):
            WorkerHost(FakeConductor().client(), [echo], **{name: value})


def test_nothing_is_registered_anywhere():
    @worker_task("unheard_of")
    async def unheard_of(context: TaskContext) -> None: ...

    host = WorkerHost(FakeConductor().client(), [echo])
    assert [each.task_definition_name for each in host.workers] == ["job"]
