"""Snapshots notice every change of a workflow, and nothing else."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.models import CacheConfig, StateChangeEvent, TaskDef, WorkflowDef, WorkflowTask
from conductor_async.tasks import (
    DynamicForkTask,
    HttpTask,
    JoinTask,
    LoopTask,
    SimpleTask,
    SubWorkflowTask,
    SwitchTask,
    WaitTask,
)
from conductor_async.workflow import WorkflowBuilder
from conductor_async.workflow._snapshot import Snapshot, TrackedDict

if TYPE_CHECKING:
    from collections.abc import Callable


class Parts:
    """A workflow with a bit of everything, and what is in it."""

    def __init__(self) -> None:
        self.nested: dict[str, Any] = {"lines": [{"price": 1}]}
        self.worker = SimpleTask("work", "worker", input_parameters={"order": self.nested, "n": "${workflow.input.n}"})
        self.worker.task_definition = TaskDef(name="work", retry_count=1)
        self.worker.on_state_change = {"onStart": [StateChangeEvent(type="log", payload={"a": 1})]}
        self.http = HttpTask("http", {"uri": "http://localhost", "headers": {"a": "b"}})
        self.in_case = SimpleTask("work", "in_case")
        self.switch = SwitchTask("switch", "${workflow.input.n}").case("1", [self.in_case])
        self.in_loop = SimpleTask("work", "in_loop")
        self.in_fork = SimpleTask("work", "in_fork")
        self.in_child = SimpleTask("work", "in_child", input_parameters={"a": [1]})
        self.child = WorkflowBuilder(name="child") >> self.in_child
        self.workflow = WorkflowBuilder(name="parent", version=1)
        self.workflow >> self.worker >> self.http >> self.switch >> LoopTask("loop", 2, self.in_loop)
        self.workflow >> [self.in_fork, SimpleTask("work", "other")] >> self.child >> WaitTask("wait")
        self.workflow.output_parameters({"out": {"a": self.worker.output}}).cache("key", 5)
        existing = WorkflowDef(
            name="existing", tasks=[WorkflowTask(name="x", task_reference_name="x", input_parameters={"a": {"b": 1}})]
        )
        self.defined = WorkflowBuilder.from_workflow_def(existing)
        self.workflow >> self.defined


CHANGES: dict[str, Callable[[Parts], object]] = {
    "a task is added": lambda parts: parts.workflow >> SimpleTask("work", "added"),
    "the name": lambda parts: setattr(parts.workflow, "name", "other"),
    "the version": lambda parts: setattr(parts.workflow, "version", 2),
    "a setting": lambda parts: parts.workflow.timeout_seconds(5),
    "an output parameter": lambda parts: parts.workflow.output_parameter("b", 1),
    "a nested output": lambda parts: parts.workflow._settings["output_parameters"]["out"].update(b=1),
    "a setting that is a model": lambda parts: setattr(parts.workflow._settings["cache_config"], "key", "other"),
    "a field of a task": lambda parts: setattr(parts.worker, "optional", True),
    "a field in camelCase": lambda parts: setattr(parts.worker, "startDelay", 5),
    "a deleted field": lambda parts: delattr(parts.worker, "on_state_change"),
    "a converted field": lambda parts: setattr(parts.worker, "input_parameters", {}),
    "an input parameter": lambda parts: parts.worker.input_parameters.__setitem__("n", 2),
    "an input parameter, by update": lambda parts: parts.worker.input_parameters.update(n=2),
    "an input parameter, by |=": lambda parts: parts.worker.input_parameters.__ior__({"n": 2}),
    "an input parameter, by setdefault": lambda parts: parts.worker.input_parameters.setdefault("m", 2),
    "an input parameter, by pop": lambda parts: parts.worker.input_parameters.pop("n"),
    "an input parameter, by popitem": lambda parts: parts.worker.input_parameters.popitem(),
    "an input parameter, by del": lambda parts: parts.worker.input_parameters.__delitem__("n"),
    "no input parameters": lambda parts: parts.worker.input_parameters.clear(),
    "the caller's own dict in one": lambda parts: parts.nested["lines"][0].update(price=2),
    "the caller's own list in one": lambda parts: parts.nested["lines"].append({}),
    "a model of a task": lambda parts: setattr(parts.worker.task_definition, "retry_count", 2),
    "a model in a list in a dict": lambda parts: parts.worker.on_state_change["onStart"][0].payload.update(b=1),  # type: ignore[index]
    "an unset field of a model": lambda parts: parts.worker.task_definition.model_fields_set.discard("retry_count"),  # type: ignore[union-attr]
    "an unknown field of a model": lambda parts: parts.worker.task_definition.model_extra.update(new=1),  # type: ignore[union-attr]
    "a header": lambda parts: parts.http.input_parameters["http_request"]["headers"].update(c="d"),
    "a case": lambda parts: parts.switch.case("2", SimpleTask("work", "second")),
    "a case of a dict": lambda parts: parts.switch.decision_cases.pop("1"),
    "the default case": lambda parts: parts.switch.default([SimpleTask("work", "fallback")]),
    "a task in a case": lambda parts: setattr(parts.in_case, "retry_count", 5),
    "a task in a loop": lambda parts: parts.in_loop.input_parameters.update(a=1),
    "a task in a fork": lambda parts: setattr(parts.in_fork, "name", "other"),
    "a sub-workflow": lambda parts: parts.child >> SimpleTask("work", "more"),
    "the name of a sub-workflow": lambda parts: setattr(parts.child, "name", "other"),
    "a task of a sub-workflow": lambda parts: parts.in_child.input_parameters["a"].append(2),
    "a task of an existing definition": lambda parts: setattr(parts.defined.task("x"), "description", "changed"),
    "its nested input": lambda parts: parts.defined.task("x").input_parameters["a"].update(b=2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_noticed(change: Callable[[Parts], object]):
    parts = Parts()
    snapshot = Snapshot.of(parts.workflow)
    assert snapshot is not None
    assert snapshot.is_current(parts.workflow)
    change(parts)
    assert not snapshot.is_current(parts.workflow)


def test_building_other_workflows_and_the_definition_is_no_change():
    parts, other = Parts(), Parts()
    snapshot = Snapshot.of(parts.workflow)
    assert snapshot is not None
    for change in CHANGES.values():
        change(Parts())
    other.worker.input_parameters["n"] = 5
    parts.workflow.unchecked_definition()
    assert snapshot.is_current(parts.workflow)


def test_it_is_a_snapshot_of_this_very_object():
    parts = Parts()
    snapshot = Snapshot.of(parts.workflow)
    assert snapshot is not None
    assert not snapshot.is_current(copy.copy(parts.workflow))
    assert copy.deepcopy(snapshot) is None
    assert pickle.loads(pickle.dumps(snapshot)) is None


def test_there_is_none_of_what_may_change_without_notice():
    class OwnTask(SimpleTask):
        def _own_fields(self) -> dict[str, Any]:
            return {"description": str(id(object()))}

    class OwnDict(dict[str, Any]):
        pass

    for task in (OwnTask("work"), SimpleTask("work", input_parameters={"a": OwnDict()})):
        assert Snapshot.of(WorkflowBuilder(name="own") >> task) is None


def test_every_task_type_has_one():
    fork = DynamicForkTask("fork", "${workflow.input.tasks}", "${workflow.input.inputs}")
    tasks = [fork, JoinTask("join"), SubWorkflowTask("sub", "child", 1), WaitTask("wait", wait_for_seconds=5)]
    tasks[2].cache_config = CacheConfig(key="k", ttl_in_second=1)
    workflow = WorkflowBuilder(name="all")
    for task in tasks:
        workflow >> task
    assert Snapshot.of(workflow) is not None


def test_tracked_input_parameters_copy_and_pickle_as_a_dict():
    tracked = TrackedDict({"a": {"b": 1}})
    for other in (copy.deepcopy(tracked), pickle.loads(pickle.dumps(tracked)), tracked | {}):
        assert other == {"a": {"b": 1}}
    assert repr(tracked) == repr(dict(tracked))
