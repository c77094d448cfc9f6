"""CF15 to CF22: results of tasks."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, row, simple, statuses

pytestmark = pytest.mark.anyio


async def test_cf15_one_task_after_the_other(wire: Transport) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    name = await wire.workflow(simple(one, "a"), simple(two, "b", {"y": "${a.output.y}"}))
    workflow_id = await wire.start(name)
    polled = await wire.next(one)
    result = {"workflowInstanceId": workflow_id, "taskId": polled["taskId"], "status": "COMPLETED"}
    answer = await wire.call("POST", "tasks", body={**result, "outputData": {"y": 2}})
    assert (answer.text, answer.headers["content-type"]) == (polled["taskId"], "text/plain;charset=UTF-8")
    assert (await wire.work(two, output={"z": 3}))["inputData"] == {"y": 2}
    execution = await wire.execution(workflow_id)
    assert (execution["status"], execution["output"]) == ("COMPLETED", {"z": 3})
    assert execution["endTime"] > 0


async def test_cf16_the_output_parameters_make_the_output(wire: Transport) -> None:
    work = await wire.task_type()
    outputs = {"a": "${a.output.l[1]}", "m": "${a.output.nope}", "lit": 3, "s": "v=${a.output.n}"}
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), outputParameters=outputs))
    await wire.work(work, output={"l": [1, {"k": 2}], "n": 5})
    assert (await wire.execution(workflow_id))["output"] == {"a": {"k": 2}, "m": None, "lit": 3, "s": "v=5"}


async def test_cf17_results_that_come_too_late_change_nothing(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), simple(work, "b")))
    a = await wire.work(work)
    assert await wire.update(a, "FAILED") == a["taskId"]
    b = await wire.next(work)
    await wire.delete("workflow", workflow_id)
    assert await wire.update(b) == b["taskId"]
    assert statuses(await wire.execution(workflow_id)) == {"a": "COMPLETED", "b": "CANCELED"}


async def test_cf18_results_that_are_refused(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    result = {"workflowInstanceId": workflow_id, "taskId": "no-such-task", "status": "COMPLETED"}
    error = await wire.refused("POST", "tasks", body=result)
    assert (error["status"], error["message"]) == (404, "No such task found by id: no-such-task")
    task_id = row(await wire.execution(workflow_id), "a")["taskId"]
    result |= {"workflowInstanceId": "no-such-id", "taskId": task_id}
    error = await wire.refused("POST", "tasks", body=result)
    assert (error["status"], error["message"]) == (404, "No such workflow found by id: no-such-id")
    error = await wire.refused("POST", "tasks", body={"taskId": task_id, "status": "COMPLETED"})
    assert (error["status"], error["validationErrors"][0]["path"]) == (400, "updateTask.arg0.workflowInstanceId")


async def test_cf19_a_task_in_progress_comes_back_after_its_callback_time(wire: Transport) -> None:
    work = await wire.task_type()
    await wire.start(await wire.workflow(simple(work, "a")))
    polled = await wire.next(work)
    begun = wire.now()
    await wire.update(polled, "IN_PROGRESS", {"p": 1}, callbackAfterSeconds=2)
    waiting = await wire.get("tasks", polled["taskId"])
    assert (waiting["status"], waiting["callbackAfterSeconds"], waiting["outputData"]) == ("SCHEDULED", 2, {"p": 1})
    assert await wire.poll(work) is None
    again = await wire.next(work)
    assert wire.now() - begun >= 1
    assert (again["taskId"], again["pollCount"], again["outputData"]) == (polled["taskId"], 2, {"p": 1})
    await wire.update(again, "IN_PROGRESS", {"q": 2})
    assert (await wire.get("tasks", polled["taskId"]))["outputData"] == {"q": 2}


async def test_cf21_a_result_by_the_tasks_reference(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), simple(work, "b")))
    task_id = row(await wire.execution(workflow_id), "a")["taskId"]
    assert await wire.post("tasks", workflow_id, "a", "IN_PROGRESS", body={"p": 1}) == task_id
    assert await wire.post("tasks", workflow_id, "a", "COMPLETED", body={"k": 1}) == task_id
    assert row(await wire.execution(workflow_id), "a")["outputData"] == {"p": 1, "k": 1}
    answer = await wire.call("POST", "tasks", workflow_id, "a", "COMPLETED", body={"k": 2})
    assert (answer.status_code, answer.content) == (200, b"")  # nothing pending, and no word of it
    error = await wire.refused("POST", "tasks", workflow_id, "nope", "COMPLETED", "sync", body={})
    assert error["status"] == 404
    ended = await wire.post("tasks", workflow_id, "b", "COMPLETED", "sync", body={})
    assert (ended["workflowId"], ended["status"]) == (workflow_id, "COMPLETED")


async def test_cf22_logs_of_a_task(wire: Transport) -> None:
    work = await wire.task_type()
    await wire.start(await wire.workflow(simple(work, "a")))
    polled = await wire.next(work)
    await wire.update(polled, "IN_PROGRESS", logs=[{"log": "of the result"}])
    answer = await wire.http.post(f"/tasks/{polled['taskId']}/log", content="by itself")
    assert (answer.status_code, answer.content) == (200, b"")
    logs = await wire.get("tasks", polled["taskId"], "log")
    assert [(each["log"], each["taskId"]) for each in logs] == [
        ("of the result", polled["taskId"]),  # createdTime 0: it said none
        ("by itself", polled["taskId"]),
    ]
    assert logs[0]["createdTime"] == 0 < logs[1]["createdTime"]
    assert (await wire.call("GET", "tasks", "another", "log")).status_code == 204
