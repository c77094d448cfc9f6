"""Results that do not end a task, and what the seam of worker hosts adds to the public methods."""

from __future__ import annotations

import httpx
import pytest

from conductor_async.models import Task, TaskExecLog, TaskResultStatus
from conductor_async.resources._worker_api import hand_back, lease_extension
from tests.worker.fake_conductor import FakeConductor

TASK = Task(task_id="t1", workflow_instance_id="w1", worker_id="poller", output_data={"rows": 5})


def test_a_task_is_handed_back_with_the_output_so_far() -> None:
    result = hand_back(TASK)
    assert (result.task_id, result.workflow_instance_id, result.worker_id) == ("t1", "w1", "poller")
    assert (result.status, result.callback_after_seconds) == (TaskResultStatus.IN_PROGRESS, 0)
    assert result.output_data == {"rows": 5}
    assert result.reason_for_incompletion is None


def test_a_hand_back_can_say_who_why_when_and_what_is_done() -> None:
    log = TaskExecLog(log="half way", task_id="t1", created_time=1)
    result = hand_back(
        TASK, worker_id="me", callback_after=60, reason="no \ud800 input" + "!" * 5_000, output={"rows": 6}, logs=[log]
    )
    assert (result.worker_id, result.callback_after_seconds, result.output_data) == ("me", 60, {"rows": 6})
    assert result.reason_for_incompletion is not None
    assert result.reason_for_incompletion.startswith("no \\ud800 input!")
    assert len(result.reason_for_incompletion) == 4_000
    assert result.logs == [log]


def test_a_lease_extension_changes_nothing_else() -> None:
    result = lease_extension(TASK, "me")
    assert (result.status, result.extend_lease, result.worker_id) == (TaskResultStatus.IN_PROGRESS, True, "me")
    assert result.output_data == {}


@pytest.mark.anyio
async def test_requests_over_dedicated_connections_are_tried_once() -> None:
    server = FakeConductor()
    server.always["poll"] = httpx.Response(503)
    async with server.client() as conductor:
        retrying = conductor.with_options(timeout=30)
        async with retrying.worker_api.dedicated(5, timeout=10) as api:
            with pytest.raises(Exception, match="503"):
                await api.poll("job", "me", 1, 0.0, None)
            assert api.api.timeout == 10
    assert len(server.polls) == 1
