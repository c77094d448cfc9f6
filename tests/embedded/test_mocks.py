from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conductor_async import (
    ConductorWorkflow,
    ConfigurationError,
    NonRetryableException,
    SimpleTask,
    TaskDef,
    WorkerHost,
    Workflow,
    worker_task,
)
from conductor_async.embedded import TIMES_OUT, EmbeddedConductor
from conductor_async.tasks import HttpInput, HttpTask, InlineSubWorkflowTask

pytestmark = pytest.mark.anyio


async def ended(
    embedded: EmbeddedConductor, workflow: ConductorWorkflow, given: dict[str, Any] | None = None
) -> Workflow:
    await workflow.register(overwrite=True)
    with anyio.fail_after(20):
        run = await workflow.execute(given or {})
        return await embedded.client.workflow.get_workflow(run.workflow_id or "")


async def charging(embedded: EmbeddedConductor, **definition: Any) -> ConductorWorkflow:
    """A workflow of one task, `charge`."""
    settings = {"retry_count": 3, "retry_delay_seconds": 1, **definition}
    await embedded.client.metadata.register_task_def(TaskDef(name="charge", **settings))
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="charging", version=1)
    return workflow >> SimpleTask("charge", "charge_ref", input_parameters={"price": workflow.input.price})


async def test_a_mock_with_an_output_replaces_a_worker(embedded: EmbeddedConductor) -> None:
    mock = embedded.mock("charge", output={"receipt": 7})
    execution = await ended(embedded, await charging(embedded), {"price": 5})
    assert (execution.status, execution.output) == ("COMPLETED", {"receipt": 7})
    assert mock.calls == [{"price": 5}]


async def double(task_input: dict[str, Any]) -> dict[str, Any]:
    await anyio.lowlevel.checkpoint()
    return {"total": task_input["price"] * 2}


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (lambda task_input: {"total": task_input["price"] + 1}, {"total": 6}),
        (double, {"total": 10}),
        (lambda _: 3, {"result": 3}),
        (lambda _: None, {}),
    ],
)
async def test_a_function_of_the_input_may_be_async(
    embedded: EmbeddedConductor, answer: Any, output: dict[str, Any]
) -> None:
    embedded.mock("charge", answer)
    assert (await ended(embedded, await charging(embedded), {"price": 5})).output == output


async def test_a_list_is_an_answer_for_each_attempt(skipping: EmbeddedConductor) -> None:
    mock = skipping.mock("charge", [ConnectionError("down"), ValueError("odd"), {"receipt": 7}])
    execution = await ended(skipping, await charging(skipping))
    assert execution.status == "COMPLETED"
    attempts = [(str(task.status), task.reason_for_incompletion) for task in execution.tasks]
    assert [status for status, _ in attempts] == ["FAILED", "FAILED", "COMPLETED"]
    assert attempts[0][1] == "down"
    assert len(mock.calls) == 3


async def test_the_last_answer_repeats(skipping: EmbeddedConductor) -> None:
    skipping.mock("charge", [{"receipt": 7}, ConnectionError("down")])
    workflow = await charging(skipping, retry_count=1)
    assert (await ended(skipping, workflow)).status == "COMPLETED"
    execution = await ended(skipping, workflow)
    assert (execution.status, len(execution.tasks)) == ("FAILED", 2)
    assert "down" in (execution.reason_for_incompletion or "")


async def test_a_nonretryable_exception_is_not_retried(embedded: EmbeddedConductor) -> None:
    embedded.mock("charge", NonRetryableException("card stolen"))
    execution = await ended(embedded, await charging(embedded))
    assert [str(task.status) for task in execution.tasks] == ["FAILED_WITH_TERMINAL_ERROR"]


async def test_an_exception_of_a_function_fails_the_task(embedded: EmbeddedConductor) -> None:
    embedded.mock("charge", lambda task_input: task_input["nothing"])
    execution = await ended(embedded, await charging(embedded, retry_count=0))
    assert execution.tasks[0].reason_for_incompletion == "'nothing'"


async def test_times_out_leaves_the_task_to_its_timeouts(skipping: EmbeddedConductor) -> None:
    skipping.mock("charge", [TIMES_OUT, {"receipt": 7}])
    workflow = await charging(skipping, response_timeout_seconds=3600, timeout_policy="RETRY")
    execution = await ended(skipping, workflow)
    assert [str(task.status) for task in execution.tasks] == ["TIMED_OUT", "COMPLETED"]


async def test_a_workflow_replaces_a_task(embedded: EmbeddedConductor) -> None:
    pretend = ConductorWorkflow(executor=embedded.client.executor, name="pretend", version=1)
    step = SimpleTask("pretend_step", "step")
    pretend >> step
    pretend.output_parameters({"paid": pretend.input.price, "by": step.output.by})
    embedded.mock("charge", workflow=pretend)
    embedded.mock("pretend_step", output={"by": "a child"})
    execution = await ended(embedded, await charging(embedded), {"price": 5})
    assert execution.output == {"paid": 5, "by": "a child"}


async def test_a_registered_workflow_replaces_a_task_and_its_failure_fails_the_task(
    embedded: EmbeddedConductor,
) -> None:
    pretend = ConductorWorkflow(executor=embedded.client.executor, name="pretend", version=1)
    await (pretend >> SimpleTask("pretend_step", "step")).register()
    embedded.mock("charge", workflow="pretend")
    embedded.mock("pretend_step", NonRetryableException("no such card"))
    execution = await ended(embedded, await charging(embedded, retry_count=0))
    assert execution.status == "FAILED"
    assert "no such card" in (execution.tasks[0].reason_for_incompletion or "")


async def test_a_type_mocks_all_its_tasks_and_a_name_takes_precedence(embedded: EmbeddedConductor) -> None:
    embedded.mock("HTTP", output={"response": {"statusCode": 200, "body": "of the type"}})
    embedded.mock("price_ref", output={"response": {"statusCode": 200, "body": "of the name"}})
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="prices", version=1)
    price = HttpTask("price_ref", HttpInput(uri="http://nowhere.invalid/price"))
    stock = HttpTask("stock_ref", HttpInput(uri="http://nowhere.invalid/stock"))
    workflow >> price >> stock
    workflow.output_parameters({"price": price.body, "stock": stock.body})
    assert (await ended(embedded, workflow)).output == {"price": "of the name", "stock": "of the type"}


async def test_a_sub_workflow_can_be_mocked(embedded: EmbeddedConductor) -> None:
    inner = ConductorWorkflow(name="inner", version=1) >> SimpleTask("never_run", "never_ref")
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="outer", version=1)
    workflow >> InlineSubWorkflowTask("inner_ref", inner)
    embedded.mock("SUB_WORKFLOW", output={"done": True})
    execution = await ended(embedded, workflow)
    assert (execution.status, execution.tasks[0].output_data) == ("COMPLETED", {"done": True})


async def test_a_mock_takes_precedence_over_a_worker_until_it_is_removed(embedded: EmbeddedConductor) -> None:
    @worker_task(task_definition_name="charge")
    async def charge(price: int) -> dict[str, int]:
        return {"receipt": price}

    workflow = await charging(embedded)
    async with WorkerHost(embedded.client, [charge]):
        with embedded.mock("charge", output={"receipt": 7}) as mock:
            assert (await ended(embedded, workflow, {"price": 5})).output == {"receipt": 7}
        assert (await ended(embedded, workflow, {"price": 5})).output == {"receipt": 5}
    assert repr(mock) == "<Mock of 'charge', called 1 times>"


@pytest.mark.parametrize(
    ("answer", "options"),
    [(None, {}), ({"a": 1}, {"output": {}}), (None, {"output": {}, "workflow": "w"}), ([], {})],
)
def test_a_mock_needs_exactly_one_kind_of_answer(answer: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="The mock of 'charge'"):
        EmbeddedConductor().mock("charge", answer, **options)


@pytest.mark.parametrize(
    ("answer", "options", "reason"),
    [
        (lambda _: object(), {}, "The mock's answer cannot be a task's output"),
        (
            None,
            {"workflow": "not_there"},
            "The mock's workflow 'not_there' cannot start: No such workflow defined. name=not_there",
        ),
    ],
)
async def test_a_mock_that_cannot_answer_fails_the_task_and_says_why(
    embedded: EmbeddedConductor, answer: Any, options: dict[str, Any], reason: str
) -> None:
    embedded.mock("charge", answer, **options)
    execution = await ended(embedded, await charging(embedded))
    assert [str(task.status) for task in execution.tasks] == ["FAILED_WITH_TERMINAL_ERROR"]
    assert (execution.tasks[0].reason_for_incompletion or "").startswith(reason)
