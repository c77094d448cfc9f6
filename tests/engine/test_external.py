"""Tasks that the runtime carries out: HTTP tasks, and mocks of every kind."""

from __future__ import annotations

from tests.engine.bench import Bench, set_variable, task


def test_an_http_request_is_dispatched_and_its_response_reported(bench: Bench) -> None:
    http = task("h", "HTTP", inputParameters={"uri": "http://x", "method": "GET"})
    workflow_id = bench.run(http, set_variable("v", code="${h.output.response.statusCode}"))
    (work,) = bench.engine.external_work
    assert (work.kind, work.reference_name, work.workflow_id) == ("HTTP", "h", workflow_id)
    assert work.input == {"uri": "http://x", "method": "GET", "asyncComplete": False}
    bench.engine.complete_external(work.task_id, status="COMPLETED", output={"response": {"statusCode": 200}})
    assert bench.execution(workflow_id)["variables"] == {"code": 200}
    bench.engine.complete_external(work.task_id, status="FAILED", reason="late")
    assert bench.status(workflow_id) == "COMPLETED"


def test_an_http_task_is_retried_if_its_name_has_a_definition(bench: Bench) -> None:
    bench.define("h", retryCount=1, retryDelaySeconds=5)
    workflow_id = bench.run(task("h", "HTTP", inputParameters={"uri": "http://x", "method": "GET"}))
    bench.engine.complete_external(bench.engine.external_work.pop().task_id, status="FAILED", reason="500")
    assert bench.states(workflow_id) == ["h FAILED", "h SCHEDULED"]
    bench.pass_time(5)
    bench.engine.complete_external(bench.engine.external_work.pop().task_id, status="FAILED", reason="500")
    assert bench.status(workflow_id) == "FAILED"


def test_an_http_task_with_async_complete(bench: Bench) -> None:
    workflow_id = bench.run(task("h", "HTTP", inputParameters={"uri": "http://x", "method": "GET"}, asyncComplete=True))
    work = bench.engine.external_work.pop()
    bench.engine.complete_external(work.task_id, status="IN_PROGRESS", output={"response": {}})
    assert bench.states(workflow_id) == ["h IN_PROGRESS"]
    bench.engine.tasks.update_by_ref_name(workflow_id, "h", "COMPLETED", {"done": True})
    assert bench.execution(workflow_id)["output"] == {"response": {}, "done": True}


def test_mocks_of_every_kind() -> None:
    bench = Bench(is_mocked=lambda row: row.task_def_name in {"a", "w", "llm", "sub", "i"})
    sub = task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "never", "version": 1})
    inline = task("i", "INLINE", inputParameters={"expression": "throw 1"})
    workflow_id = bench.run(task("a"), task("w", "WAIT"), task("llm", "LLM_CHAT_COMPLETE"), sub, inline)
    done = []
    while bench.engine.external_work:
        work = bench.engine.external_work.pop()
        done.append((work.reference_name, work.kind, work.is_mock))
        bench.engine.complete_external(work.task_id, status="COMPLETED", output={"mock": work.task_name})
    assert done == [
        ("a", "SIMPLE", True),
        ("w", "WAIT", True),
        ("llm", "LLM_CHAT_COMPLETE", True),
        ("sub", "SUB_WORKFLOW", True),
        ("i", "INLINE", True),
    ]
    assert bench.execution(workflow_id)["output"] == {"mock": "i"}
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_mock_that_fails_is_retried_after_the_delay() -> None:
    bench = Bench(is_mocked=lambda row: row.task_def_name == "a")
    bench.define("a", retryCount=1, retryDelaySeconds=30)
    workflow_id = bench.run(task("a"))
    bench.engine.complete_external(bench.engine.external_work.pop().task_id, status="FAILED", reason="x")
    assert bench.engine.external_work == []
    bench.pass_time(30)
    bench.engine.complete_external(bench.engine.external_work.pop().task_id, status="COMPLETED")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_mock_that_never_answers_times_out() -> None:
    bench = Bench(is_mocked=lambda row: row.task_def_name == "a")
    bench.define("a", retryCount=0, responseTimeoutSeconds=5)
    workflow_id = bench.run(task("a"))
    bench.pass_time(5)
    assert bench.status(workflow_id) == "TIMED_OUT"
