"""Event handlers: what they start, complete and fail."""

from __future__ import annotations

from tests.engine.bench import Bench, set_variable, task


def _started(bench: Bench, name: str) -> list[dict]:
    return [
        bench.execution(one)
        for one in bench.engine.core.store.executions
        if bench.execution(one)["workflowName"] == name
    ]


def test_an_event_starts_a_workflow_if_the_condition_holds(bench: Bench) -> None:
    bench.register("target", set_variable("s", got="${workflow.input}"))
    start = {
        "name": "target",
        "version": 1,
        "input": {"p": "${k}", "src": "${workflowInstanceId}"},
        "correlationId": "${correlationId}",
    }
    bench.engine.events.add_handler(
        {
            "name": "h",
            "event": "conductor:flow:go",
            "condition": "$.k == 1",
            "actions": [{"action": "start_workflow", "start_workflow": start}],
            "active": True,
        }
    )
    event = task("e", "EVENT", sink="conductor:go", inputParameters={"k": "${workflow.input.k}"})
    source = bench.run(event, input={"k": 1}, start={"correlationId": "corr"})
    bench.run(event, input={"k": 2})
    (started,) = _started(bench, "target")
    assert (started["correlationId"], started["event"]) == ("corr", "conductor:flow:go")
    assert started["input"] == {
        "p": 1,
        "src": source,
        "conductor.event.messageId": bench.tasks(source)["e"]["taskId"],
        "conductor.event.name": "conductor:flow:go",
    }


def test_an_event_ends_a_task(bench: Bench) -> None:
    for kind, sink in (("complete_task", "good"), ("fail_task", "bad")):
        details = {"workflowId": "${wid}", "taskRefName": "w", "output": {"via": "event", "q": "${q}"}}
        bench.engine.events.add_handler(
            {
                "name": sink,
                "event": f"conductor:flow:{sink}",
                "actions": [{"action": kind, kind: details}],
                "active": True,
            }
        )
    for sink, status in (("good", "COMPLETED"), ("bad", "FAILED")):
        waiting = bench.run(task("w", "WAIT"))
        bench.run(task("e", "EVENT", sink=f"conductor:{sink}", inputParameters={"wid": waiting, "q": 5}))
        assert bench.status(waiting) == status
        output = bench.tasks(waiting)["w"]["outputData"]
        assert (output["via"], output["q"], output["workflowId"]) == ("event", 5, waiting)


def test_an_inactive_handler_does_nothing(bench: Bench) -> None:
    bench.register("target", set_variable("s"))
    handler = {
        "name": "h",
        "event": "conductor:flow:go",
        "actions": [{"action": "start_workflow", "start_workflow": {"name": "target"}}],
    }
    bench.engine.events.add_handler(handler)
    bench.run(task("e", "EVENT", sink="conductor:go"))
    assert _started(bench, "target") == []
    bench.engine.events.update_handler({**handler, "active": True})
    bench.run(task("e", "EVENT", sink="conductor:go"))
    assert len(_started(bench, "target")) == 1


def test_a_failing_handler_does_not_affect_the_workflow(bench: Bench) -> None:
    bench.engine.events.add_handler(
        {
            "name": "h",
            "event": "conductor:flow:go",
            "condition": "nope.x",
            "actions": [{"action": "start_workflow", "start_workflow": {"name": "nope"}}],
            "active": True,
        }
    )
    assert bench.status(bench.run(task("e", "EVENT", sink="conductor:go"))) == "COMPLETED"
