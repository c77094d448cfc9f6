"""An engine on a workbench: a clock moved by hand, and short words for what tests do again and again."""

from __future__ import annotations

from typing import Any

from conductor_async.engine import Engine, ManualClock
from conductor_async.engine.scripts.runners import DefaultScripts

Json = dict[str, Any]

SCRIPTS = DefaultScripts()


def task(ref: str, type: str = "SIMPLE", **fields: Any) -> Json:  # noqa: A002
    """A task of a definition, by its reference name."""
    return {"name": ref, "taskReferenceName": ref, "type": type, **fields}


def set_variable(ref: str, **values: Any) -> Json:
    return task(ref, "SET_VARIABLE", inputParameters=values)


class Bench:
    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.engine = Engine(clock=self.clock, scripts=SCRIPTS, seed=1, **options)
        self.queued: list[str] = []
        self.changed: list[str] = []
        self.engine.on_queued = self.queued.append
        self.engine.on_change = self.changed.append

    def register(self, name: str, *tasks: Json, **fields: Any) -> str:
        definition = {"name": name, "version": 1, "tasks": list(tasks), **fields}
        self.engine.metadata.register_workflow_def(definition, overwrite=True)
        return name

    def define(self, name: str, **fields: Any) -> None:
        self.engine.metadata.register_task_defs([{"name": name, **fields}])

    def run(self, *tasks: Json, input: Json | None = None, start: Json | None = None, **fields: Any) -> str:  # noqa: A002
        """Starts a definition that is not registered. Returns the id."""
        definition = {"name": "flow", "version": 1, "tasks": list(tasks), **fields}
        return self.engine.workflows.start(
            {"name": "flow", "input": input or {}, "workflowDef": definition, **(start or {})}
        )

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what is due is done when it is due."""
        end = self.clock.now() + seconds
        while (due := self.engine.next_due()) is not None and due <= end:
            self.clock.set(max(due, self.clock.now()))
            self.engine.run_due()
        self.clock.set(end)
        self.engine.run_due()

    def work(self, task_type: str, status: str = "COMPLETED", output: Json | None = None, **fields: Any) -> Json:
        """Polls a task of that type, which has to be there, and reports it so."""
        polled = self.engine.tasks.poll(task_type, "worker")
        assert polled is not None, f"No {task_type} to be polled"
        self.report(polled, status, output, **fields)
        return polled

    def report(self, polled: Json, status: str = "COMPLETED", output: Json | None = None, **fields: Any) -> None:
        result = {"workflowInstanceId": polled["workflowInstanceId"], "taskId": polled["taskId"], "status": status}
        self.engine.tasks.update({**result, "outputData": output or {}, **fields})

    def status(self, workflow_id: str) -> str:
        return str(self.engine.workflows.get_status(workflow_id)["status"])

    def execution(self, workflow_id: str) -> Json:
        return self.engine.workflows.get(workflow_id)

    def tasks(self, workflow_id: str) -> dict[str, Json]:
        """The last attempt of each task, by reference name."""
        return {row["referenceTaskName"]: row for row in self.execution(workflow_id)["tasks"]}

    def states(self, workflow_id: str) -> list[str]:
        """All attempts in their order: `ref STATUS`."""
        return [f"{row['referenceTaskName']} {row['status']}" for row in self.execution(workflow_id)["tasks"]]
