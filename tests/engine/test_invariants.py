"""Whatever workers do: what always holds of executions, rows and queues."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conductor_async.engine.errors import Conflict
from tests.engine.bench import Bench, set_variable, task

OPEN = {"SCHEDULED", "IN_PROGRESS"}
ENDED = {"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"}
STEPS = ["work"] * 6 + ["poll", "time", "time", "pause", "resume", "terminate", "retry"]
STATUSES = ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "IN_PROGRESS"]


@st.composite
def sequences(draw: Any, names: Any, depth: int = 2) -> list[dict]:
    return [block for _ in range(draw(st.integers(1, 3))) for block in draw(blocks(names, depth))]


@st.composite
def blocks(draw: Any, names: Any, depth: int) -> list[dict]:
    ref = f"t{next(names)}"
    kinds = ["worker", "worker", "variable", "wait"] + (["fork", "switch", "loop"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "worker":
        how = {
            "optional": draw(st.booleans()),
            "retryCount": draw(st.integers(0, 2)),
            "startDelay": draw(st.integers(0, 2)),
        }
        return [{**task(ref, **how), "name": "work"}]
    if kind == "variable":
        return [set_variable(ref, value="${workflow.input.x}")]
    if kind == "wait":
        return [task(ref, "WAIT", inputParameters={"duration": f"{draw(st.integers(1, 90))} seconds"})]
    if kind == "loop":
        body = draw(sequences(names, 0))
        return [task(ref, "DO_WHILE", loopCondition=f"$.{ref}['iteration'] < 2", loopOver=body)]
    branches = [draw(sequences(names, depth - 1)) for _ in range(2)]
    if kind == "fork":
        fork = task(ref, "FORK_JOIN", forkTasks=branches)
        last = [branch[-1]["taskReferenceName"] for branch in branches]
        return [fork, task(f"{ref}j", "JOIN", joinOn=last)]
    cases = {"1": branches[0]}
    values = {"inputParameters": {"p": draw(st.integers(1, 2))}, "evaluatorType": "value-param", "expression": "p"}
    return [task(ref, "SWITCH", decisionCases=cases, defaultCase=branches[1], **values)]


def _check(bench: Bench) -> None:
    core = bench.engine.core
    assert not core.work
    for execution in core.store.executions.values():
        rows = execution.tasks
        assert all(core.store.tasks[row.task_id] is row for row in rows)
        assert len({row.seq for row in rows if row.seq}) == len([row for row in rows if row.seq])
        attempts = [(row.reference_name, row.retry_count) for row in rows]
        assert len(set(attempts)) == len(attempts)
        if execution.status in ENDED:
            assert not [row.reference_name for row in rows if row.status in OPEN]
            assert execution.end_time >= execution.create_time
        else:
            assert {row.task_id for row in rows if row.status in OPEN} == set(execution.open)
        for row in rows:
            # those that go on in place keep the time at which they had ended, as on the server
            assert row.end_time == 0 or row.status not in OPEN or row.task_type in {"JOIN", "DO_WHILE"}
            assert not (row.retried and row.status in OPEN)
    for name in core.queues.sizes():
        queue = core.queues[name]
        for task_id in queue.messages:
            assert core.store.tasks[task_id].status in {"SCHEDULED", "TIMED_OUT"}
    for row in core.store.tasks.values():
        if row.status == "SCHEDULED" and row.task_type == "work":
            assert row.task_id in core.queues["work"].messages


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_invariants_hold_whatever_workers_and_users_do(data: st.DataObject) -> None:
    bench = Bench()
    delay = data.draw(st.integers(0, 2))
    bench.define("work", retryDelaySeconds=delay, responseTimeoutSeconds=5, timeoutPolicy="RETRY", timeoutSeconds=60)
    names = iter(range(10_000))
    workflow_id = bench.run(*data.draw(sequences(names)))
    _check(bench)
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(st.sampled_from(STEPS))
        if step in {"work", "poll"}:
            polled = bench.engine.tasks.poll("work", "w")
            if polled is not None and step == "work":
                bench.report(polled, data.draw(st.sampled_from(STATUSES)), {"n": 1})
        elif step == "time":
            bench.pass_time(data.draw(st.integers(1, 30)))
        elif step in _allowed(bench.status(workflow_id)):
            with suppress(Conflict):  # a retry of what has nothing to be retried
                getattr(bench.engine.workflows, step)(workflow_id)
        _check(bench)


def _allowed(status: str) -> set[str]:
    if status == "RUNNING":
        return {"pause", "terminate"}
    return {"PAUSED": {"resume", "terminate"}, "COMPLETED": set()}.get(status, {"retry"})
