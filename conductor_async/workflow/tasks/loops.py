"""Loops.

A loop directly inside a loop does not work on the open-source server (3.32): the inner one fails, or the outer one
never ends. Put the inner loop into a workflow, and `>>` that workflow in the outer one's body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks._sequences import definitions_of, sequence_of
from conductor_async.workflow.tasks.base import Composable, TaskInterface, TaskOptions, TaskSequence
from conductor_async.workflow.tasks.fields import Converted, field

if TYPE_CHECKING:
    from dataclasses import KW_ONLY

    from conductor_async.workflow.tasks.inputs import Number

__all__ = ["DoWhileTask", "ForEachTask", "LoopTask"]


class DoWhileTask(TaskInterface, task_type=TaskType.DO_WHILE):
    """Runs its body once, and again while a condition is true.

    ```python
    loop = DoWhileTask("loop", "$.loop.iteration < 10 && !$.check.result", check >> pause)
    ```

    In the condition `$.<ref>` is the output of the loop or of a task of its body in this iteration, and `$.<name>` an
    input parameter of the loop. The loop's output has those of its body, by iteration (`"1"`, `"2"` …) and reference
    name. Outside of the condition, a reference to a task of the body means the latest iteration.

    Args:
        termination_condition: The loop goes on while this script is true. (The name is conductor-python's.)
        tasks: The body: a task, `a >> b` or a list of steps.
        keep_last_n: Keeps only this many iterations in the execution. Default: all.

    Further arguments: see `TaskInterface`.
    """

    termination_condition: str
    tasks: Converted[Composable, TaskSequence] = field(default=(), convert=sequence_of)
    """The body. It can be set later, for tasks that refer to the loop: `loop.tasks = …`."""
    _: KW_ONLY
    keep_last_n: Number | None = field(default=None, key="keepLastN")

    @property
    def iteration(self) -> Reference:
        """In the body the number of this iteration, from 1; afterwards the number of iterations."""
        return self._reference("iteration")

    def _own_fields(self) -> Mapping[str, Any]:
        return {"loop_condition": self.termination_condition, "loop_over": definitions_of(list(self.tasks))}


class LoopTask(DoWhileTask):
    """Runs its body a fixed number of times, at least once.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        iterations: How often; an expression is evaluated when the loop runs.
        tasks: The body: a task, `a >> b` or a list of steps.
        keep_last_n: Keeps only this many iterations in the execution. Default: all.
        options: See `TaskInterface`.
    """

    iterations: Number = field(init=False)

    def __init__(
        self,
        task_ref_name: str,
        iterations: Number,
        tasks: Composable = (),
        *,
        keep_last_n: Number | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        if isinstance(iterations, int | float) and (iterations < 1 or iterations != int(iterations)):
            raise ConfigurationError(f"A loop runs a whole number of times, at least once, not {iterations!r} times.")
        super().__init__(task_ref_name, "", tasks, keep_last_n=keep_last_n, **options)
        self.iterations = iterations

    def _own_fields(self) -> Mapping[str, Any]:
        loop = f"$.{self.task_reference_name}"
        if not _SCRIPT_NAME.fullmatch(self.task_reference_name):
            quoted = self.task_reference_name.replace("\\", "\\\\").replace("'", "\\'")
            loop = f"$['{quoted}']"
        fields = dict(super()._own_fields())
        if isinstance(self.iterations, int | float):
            return {**fields, "loop_condition": f"{loop}.iteration < {int(self.iterations)}"}
        # A script cannot contain ${…}: the number is passed as an input.
        return {
            **fields,
            "loop_condition": f"{loop}.iteration < Number($.iterations)",
            "input_parameters": {**plain(self.input_parameters), "iterations": plain(self.iterations)},
        }


_SCRIPT_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


class ForEachTask(DoWhileTask):
    """Runs its body for each item of a list, one after the other; for an empty list not at all.

    ```python
    each = ForEachTask("each", iterate_over=workflow.input.orders)
    each.tasks = SimpleTask("ship", "ship_ref", input_parameters={"order": each.item})
    ```

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        tasks: The body: a task, `a >> b` or a list of steps.
        iterate_over: The items: an expression for a list, or a list.
        variables: More input parameters, which the condition can read: by name, or names of workflow variables.
        termination_condition: A script; when it is false, the loop ends before its items do.
        keep_last_n: Keeps only this many iterations in the execution. Default: all.
        options: See `TaskInterface`.
    """

    items: InputValue = field(init=False)

    def __init__(
        self,
        task_ref_name: str,
        tasks: Composable = (),
        iterate_over: InputValue = None,
        variables: Mapping[str, InputValue] | Sequence[str] | None = None,
        *,
        termination_condition: str | None = None,
        keep_last_n: Number | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, termination_condition or "", tasks, keep_last_n=keep_last_n, **options)
        if iterate_over is None:
            raise TypeError("A ForEachTask needs the items to iterate_over.")
        self.items = iterate_over
        if isinstance(variables, Mapping):
            self.input_parameters.update(variables)
        else:
            self.input_parameters.update({name: Reference("workflow.variables")[name] for name in variables or ()})

    @property
    def item(self) -> Reference:
        """The item of this iteration."""
        return self._reference("loopItem")

    @property
    def index(self) -> Reference:
        """Its index in the list, from 0."""
        return self._reference("loopIndex")

    def _own_fields(self) -> Mapping[str, Any]:
        items = plain(self.items)
        if isinstance(items, str):
            return {**super()._own_fields(), "items": items}
        # The server's own field takes an expression only; a list is passed as an input.
        return {**super()._own_fields(), "input_parameters": {**plain(self.input_parameters), "_items": items}}
