"""Polls: order, effects, domains, limits."""

from __future__ import annotations

from tests.engine.bench import Bench, task


def test_an_empty_queue(bench: Bench) -> None:
    assert bench.engine.tasks.poll("a") is None
    assert bench.engine.tasks.batch_poll("a", count=3) == []


def test_a_polled_task_is_in_progress(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.clock.advance(2)
    polled = bench.engine.tasks.poll("a", "w9")
    assert polled is not None
    row = bench.tasks(workflow_id)["a"]
    assert polled == row
    assert (row["status"], row["pollCount"], row["workerId"]) == ("IN_PROGRESS", 1, "w9")
    assert (row["callbackAfterSeconds"], row["queueWaitTime"]) == (0, 2000)
    assert bench.engine.tasks.poll("a") is None


def test_priority_comes_first_then_age(bench: Bench) -> None:
    ids = []
    for priority in (0, 5, 0):
        ids.append(bench.run(task("a"), start={"priority": priority}))
        bench.clock.advance(1)
    polled = [bench.engine.tasks.poll("a")["workflowInstanceId"] for _ in range(3)]  # type: ignore[index]
    assert polled == [ids[1], ids[0], ids[2]]


def test_on_queued_is_called_when_a_task_is_ready(bench: Bench) -> None:
    assert not bench.engine.tasks.has_ready("a")
    bench.run(task("a", startDelay=3))
    assert bench.queued == []
    assert not bench.engine.tasks.has_ready("a")
    bench.pass_time(3)
    assert bench.queued == ["a"]
    assert bench.engine.tasks.has_ready("a")


def test_domains(bench: Bench) -> None:
    workflow_id = bench.run(task("t"), start={"taskToDomain": {"t": "d1"}})
    assert bench.engine.tasks.poll("t") is None
    assert bench.engine.tasks.poll("t", domain="d1") is not None
    assert bench.tasks(workflow_id)["t"]["domain"] == "d1"

    active = bench.run(task("t"), start={"taskToDomain": {"*": "dx,d1,NO_DOMAIN"}})
    assert bench.tasks(active)["t"]["domain"] == "d1"
    nobody = bench.run(task("t"), start={"taskToDomain": {"*": "dz,NO_DOMAIN"}})
    assert "domain" not in bench.tasks(nobody)["t"]
    bench.clock.advance(11)
    quiet = bench.run(task("t"), start={"taskToDomain": {"*": "d1,dlast"}})
    assert bench.tasks(quiet)["t"]["domain"] == "dlast"


def test_a_concurrency_limit_holds_a_task_back_until_another_ends(bench: Bench) -> None:
    bench.define("a", concurrentExecLimit=1)
    bench.run(task("a"))
    bench.run(task("a"))
    first = bench.engine.tasks.poll("a")
    assert first is not None
    assert bench.engine.tasks.poll("a") is None
    bench.report(first)
    assert bench.engine.tasks.poll("a") is not None


def test_a_task_that_a_limit_holds_back_is_ready_again_after_a_minute(bench: Bench) -> None:
    bench.define("a", concurrentExecLimit=1, responseTimeoutSeconds=30, retryCount=0)
    bench.run(task("a"))
    bench.run(task("a"))
    bench.engine.tasks.poll("a")
    assert bench.engine.tasks.poll("a") is None
    bench.pass_time(60)
    assert bench.engine.tasks.poll("a") is not None


def test_poll_data_and_queue_sizes(bench: Bench) -> None:
    bench.run(task("a"))
    bench.run(task("a", startDelay=100))
    assert bench.engine.tasks.get_queue_size("a") == 2
    bench.engine.tasks.poll("a", "w1")
    assert bench.engine.tasks.get_all_queue_sizes() == {"a": 1}
    (data,) = bench.engine.tasks.get_poll_data("a")
    assert (data["queueName"], data["workerId"]) == ("a", "w1")


def test_secrets_and_runtime_metadata_are_filled_in_when_a_task_is_dispatched() -> None:
    bench = Bench(environment={"REGION": "eu"}, secrets={"KEY": '{"inner": "shh"}', "PLAIN": "p"})
    bench.define("a", runtimeMetadata=["PLAIN", "REGION", "ABSENT"])
    values = {"e": "${workflow.env.REGION}", "s": "${workflow.secrets.KEY.inner}", "t": "x-${workflow.secrets.PLAIN}"}
    workflow_id = bench.run(task("a", inputParameters=values))
    polled = bench.engine.tasks.poll("a")
    assert polled is not None
    assert polled["inputData"] == {"e": "eu", "s": "shh", "t": "x-p"}
    assert polled["runtimeMetadata"] == {"PLAIN": "p", "REGION": "eu"}
    stored = bench.tasks(workflow_id)["a"]
    assert stored["inputData"]["s"] == "${workflow.secrets.KEY.inner}"
    assert "runtimeMetadata" not in stored
