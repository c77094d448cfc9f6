"""Results that the server could not keep fail their tasks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


def a_large_output(mebibytes: float) -> Any:
    async def large() -> dict[str, Any]:
        return {"small": 1, "rows": [{"name": "a"}, {"text": "x" * int(mebibytes * 1024 * 1024)}]}

    return worker(large)


@pytest.mark.parametrize(
    ("mebibytes", "storage", "fits"),
    [(2.9, None, True), (3.1, None, False), (3.1, "http://s3/put", True), (10.1, "http://s3/put", False)],
)
@only_with_a_mock_clock
async def test_an_output_that_is_too_large_fails_the_task_with_the_path_of_its_largest_part(
    mebibytes: float, storage: str | None, fits: bool
):
    server = FakeConductor()
    server.storage = storage
    server.put()
    async with hosting(server, a_large_output(mebibytes)):
        await server.until(lambda: server.results)
    assert len(server.tried) == 1
    [result] = server.results
    assert result["status"] == ("COMPLETED" if fits else "FAILED_WITH_TERMINAL_ERROR")
    if not fits:
        assert "outputData.rows[1].text" in result["reasonForIncompletion"]
        assert f"keeps {(10 if storage else 3) * 1024 * 1024:,}" in result["reasonForIncompletion"]


@only_with_a_mock_clock
async def test_the_limit_can_be_set():
    server = FakeConductor()
    server.put()

    async def job() -> str:
        return "x" * 2000

    async with hosting(server, worker(job), max_result_size=1000):
        await server.until(lambda: server.results)
    assert "outputData.result" in server.results[0]["reasonForIncompletion"]
    assert not server.reads
