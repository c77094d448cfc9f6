"""What an operator does to all schedules at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.wire import Transport

pytestmark = pytest.mark.anyio


async def test_all_schedules_are_paused_and_resumed(wire: Transport) -> None:
    try:
        assert await wire.get("scheduler", "admin", "pause") == {"status": "done"}
    finally:
        assert await wire.get("scheduler", "admin", "resume") == {"status": "done"}


async def test_nothing_is_left_to_requeue(wire: Transport) -> None:
    answer = await wire.get("scheduler", "admin", "requeue")
    assert answer.keys() == {"sampleIds", "recordIds.size"}  # a server that others use as well may have some
    assert len(answer["sampleIds"]) <= answer["recordIds.size"]


@pytest.mark.parametrize("what", ["pause", "resume", "requeue"])
async def test_that_is_asked_for_by_get_alone(wire: Transport, what: str) -> None:
    error = await wire.refused("PUT", "scheduler", "admin", what)
    assert (error["status"], error["message"]) == (405, "Request method 'PUT' is not supported")
