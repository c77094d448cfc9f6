"""Every method of WorkflowBulkClient on the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.client import ConductorClient

pytestmark = [pytest.mark.server, pytest.mark.anyio]


MISSING = "00000000-0000-4000-8000-000000000000"


async def test_every_operation(conductor: ConductorClient, held: Callable[..., Any], flow: str, finish: Any) -> None:
    bulk = conductor.workflow_bulk
    ids = [await conductor.workflow.start_workflow_by_name(flow) for _ in range(2)]

    def statuses() -> list[Any]:
        return [found if isinstance(found := held("workflow", each), int) else found["status"] for each in ids]

    outcome = await bulk.pause_workflow([*ids, MISSING])
    assert sorted(outcome.bulk_successful_results) == sorted(ids)
    assert MISSING in outcome.bulk_error_results
    assert statuses() == ["PAUSED"] * 2
    await bulk.resume_workflow(ids)
    assert statuses() == ["RUNNING"] * 2
    await bulk.terminate(ids, reason="all of them")
    assert statuses() == ["TERMINATED"] * 2
    assert held("workflow", ids[0])["reasonForIncompletion"] == "all of them"
    await bulk.restart(ids, use_latest_definitions=True)
    assert statuses() == ["RUNNING"] * 2
    for each in ids:
        await finish(each, "one", status="FAILED")
    assert statuses() == ["FAILED"] * 2
    await bulk.retry(ids)
    assert statuses() == ["RUNNING"] * 2

    found = await bulk.search([*ids, MISSING], include_tasks=True)
    assert {each["workflowId"] for each in found.bulk_successful_results} == set(ids)
    assert all(each["tasks"] for each in found.bulk_successful_results)
    assert MISSING in found.bulk_error_results

    await bulk.terminate(ids[:1])
    removed = await bulk.remove(ids)
    assert removed.bulk_successful_results == ids[:1]
    assert list(removed.bulk_error_results) == ids[1:]  # it runs
    removed = await bulk.terminate_remove(ids[1:], reason="gone", archive_workflow=False)
    assert set(removed.bulk_successful_results) == {ids[1]}
    assert statuses() == [404, 404]


async def test_too_few_and_too_many(conductor: ConductorClient) -> None:
    for ids in ([], [MISSING] * 1001):
        with pytest.raises(BadRequestError):
            await conductor.workflow_bulk.pause_workflow(ids)
