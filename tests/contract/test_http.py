"""CF73: HTTP tasks, against a server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.website import ANSWERS, website
from tests.contract.wire import Transport, row, task

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio


@pytest.fixture
def site() -> Iterator[str]:
    with website() as url:
        yield url


def http(**request: Any) -> dict[str, Any]:
    return task("HTTP", "h", inputParameters=request)


@pytest.mark.parametrize(
    ("path", "body"), [("/json", {"a": [1, "b"]}), ("/text", "just text"), ("/number", 5.0), ("/list", [1, 2])]
)
async def test_cf73_the_body_of_an_answer(wire: Transport, site: str, path: str, body: Any) -> None:
    execution = await wire.run(http(uri=site + path, method="GET"))
    assert execution["status"] == "COMPLETED"
    response = row(execution, "h")["outputData"]["response"]
    assert (response["statusCode"], response["reasonPhrase"], response["body"]) == (200, "OK", body)
    assert type(response["body"]) is type(body)
    assert response["headers"]["Content-Type"] == [ANSWERS[path][1]]


@pytest.mark.parametrize("nested", [True, False], ids=["under http_request", "at the top"])
async def test_cf73_a_request_with_a_body(wire: Transport, site: str, nested: bool) -> None:
    request = {"uri": site, "method": "POST", "headers": {"X-Test": "${workflow.input.x}"}, "body": {"k": [1]}}
    given = {"http_request": request} if nested else request
    execution = await wire.run(http(**given), input={"x": "v"})
    body = row(execution, "h")["outputData"]["response"]["body"]
    assert (body["body"], body["x"], body["type"].split(";")[0]) == ({"k": [1]}, "v", "application/json")


async def test_cf73_an_answer_that_is_no_success_fails_the_task(wire: Transport, site: str) -> None:
    execution = await wire.run(http(uri=f"{site}/fails", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert failed["outputData"]["response"].startswith("java.lang.Exception: 500 ")


async def test_cf73_nobody_listens(wire: Transport) -> None:
    execution = await wire.run(http(uri="http://127.0.0.1:9", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert isinstance(failed["outputData"]["response"], str)


async def test_cf73_no_method(wire: Transport, site: str) -> None:
    failed = row(await wire.run(http(uri=site)), "h")
    assert (failed["status"], failed["reasonForIncompletion"]) == ("FAILED", "No HTTP method specified")
