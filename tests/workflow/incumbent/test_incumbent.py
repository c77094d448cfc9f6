"""conductor-python's own examples, described here: the same definitions, where theirs are right.

`recorded.json` has what conductor-python 2.0.0 makes of its examples (see `record.py`); what is wrong with it is set
right by the functions below, each named after what it mends.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import ConductorClient, WorkflowDef
from conductor_async.tasks import ChatMessage, Role, ToolCall, ToolSpec
from conductor_async.workflow import diff
from tests.workflow.incumbent import ai_tasks, conversations, workflows
from tests.workflow.tasks.conftest import assert_within

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = {**ai_tasks.EXAMPLES, **conversations.EXAMPLES, **workflows.EXAMPLES}
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded.json").read_text("utf-8"))


def test_no_example_is_missing():
    assert EXAMPLES.keys() == RECORDED.keys()
    assert len(ai_tasks.TASKS) == 14


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_it_is_the_same_definition(name: str):
    theirs = WorkflowDef.model_validate(put_right(name, RECORDED[name]))
    ours = WorkflowDef.model_validate(without_words(EXAMPLES[name]().to_workflow_def().to_wire()))
    assert str(diff(theirs, ours)) == "no difference"


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_server_takes_them_all_and_gives_them_back(server_url: str, new_name: Callable[[str], str]):
    async with ConductorClient(server_url) as conductor:
        for name, make in EXAMPLES.items():
            workflow = make()
            workflow.name, workflow.executor = new_name(re.sub("[<>]", "", name)), conductor.executor
            await workflow.register()
            held = await conductor.metadata.get_workflow_def(workflow.name)
            assert_within(workflow.to_workflow_def().to_wire(), held.to_wire())
            await conductor.metadata.unregister_workflow_def(workflow.name, held.version)


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_kitchen_sink_runs(server_url: str, new_name: Callable[[str], str]):
    async with ConductorClient(server_url) as conductor:
        workflow = workflows.kitchen_sink(f"{server_url}/version")
        workflow.name, workflow.executor = new_name("kitchen_sink"), conductor.executor
        run = await workflow.execute({"name": "Ada", "country": "nowhere"}, timeout=60)
    assert run.status == "TERMINATED"
    assert run.reason_for_incompletion is not None
    assert "no way there" in run.reason_for_incompletion
    assert run.variables == {"var1": "value1", "var2": 42, "var3": ["a", "b", "c"]}
    outputs = {task.reference_task_name: task.output_data for task in run.tasks if task.status == "COMPLETED"}
    assert outputs["hello_script"]["result"]["text"] == "hello Ada"
    assert outputs["jq_process"]["result"] == {"key3": ["a", "b", "d", "e"]}
    assert outputs["call_remote_api"]["response"]["statusCode"] == 200
    assert {"sub0", "wait_for_2_sec", "join_sub0"} <= outputs.keys()


# -- the four that are no tasks ------------------------------------------------------------------------


def test_messages_tools_and_calls_of_tools():
    assert ChatMessage(Role.USER, "Hello").to_wire() == {"role": "user", "message": "Hello"}
    assert ToolSpec("search", description="Looks it up", input_schema={"type": "object"}).to_wire() == {
        "name": "search",
        "type": "SIMPLE",
        "description": "Looks it up",
        "inputSchema": {"type": "object"},
    }
    assert ToolCall("search", "call_ref", input_parameters={"query": "x"}).to_wire() == {
        "name": "search",
        "taskReferenceName": "call_ref",
        "type": "SIMPLE",
        "inputParameters": {"query": "x"},
    }


# -- what is wrong with theirs ---------------------------------------------------------------------------


def put_right(name: str, recorded: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(recorded)
    for mend in (names_by_lot, conditions_in_long):
        text = mend(text)
    mended = json.loads(text)
    a_limit_that_nobody_set(mended)
    for each in objects(mended):
        what_nobody_set(each)
        a_fork_that_joins(each)
        a_text_taken_for_a_list(each)
        empty_media(each)
    MENDED_BY_HAND.get(name, lambda _: None)(mended)
    return mended


def names_by_lot(text: str) -> str:
    """A fork and an inline workflow have another reference name each time: ours come from what is in them."""
    return (
        text.replace("forked_<uuid>", "fork_sub0").replace("join_fork_sub0", "join_sub0").replace("sub0_<uuid>", "sub0")
    )


def a_limit_that_nobody_set(workflow: dict[str, Any]) -> None:
    """Each workflow may take a minute, and the one inside it."""
    for each in objects(workflow):
        if each.get("timeoutSeconds") == 60:
            del each["timeoutSeconds"]


def what_nobody_set(model: dict[str, Any]) -> None:
    for field, value in (("enforceSchema", False), ("failureWorkflow", "")):
        if model.get(field) == value:
            del model[field]


def conditions_in_long(text: str) -> str:
    return re.sub(r"if \( (\$\.\w+\.iteration < \d+) \) \{ true; \} else \{ false; \}", r"\1", text)


def a_fork_that_joins(task: dict[str, Any]) -> None:
    """The server reads what to wait for from the JOIN alone."""
    if task.get("type") == "FORK_JOIN":
        task.pop("joinOn", None)


def a_text_taken_for_a_list(inputs: dict[str, Any]) -> None:
    """An expression that gives the messages becomes the list of its letters."""
    messages = inputs.get("messages")
    if isinstance(messages, list) and messages[:2] == ["$", "{"]:
        inputs["messages"] = "".join(messages)


def empty_media(message: dict[str, Any]) -> None:
    """A message in a variable carries the media that it does not have."""
    if message.get("media") == []:
        del message["media"]


def a_decision_by_a_value(ref: str, value: str) -> Callable[[dict[str, Any]], None]:
    """Its parameter is the name of an input, not a path to an output: with theirs, no case ever runs."""

    def mend(workflow: dict[str, Any]) -> None:
        task = next(each for each in workflow["tasks"] if each["taskReferenceName"] == ref)
        task |= {"caseValueParam": "switchCaseValue", "inputParameters": {"switchCaseValue": value}}
        if "default" in task["decisionCases"]:  # a case for the value "default"
            task["defaultCase"] = task["decisionCases"].pop("default")

    return mend


def another_name_for_the_value(workflow: dict[str, Any]) -> None:
    workflow["tasks"][0] |= {
        "expression": "switchCaseValue",
        "inputParameters": {"switchCaseValue": workflow["tasks"][0]["inputParameters"]["switchCase"]},
    }


MENDED_BY_HAND: dict[str, Callable[[dict[str, Any]], None]] = {
    "student_assessment": a_decision_by_a_value("check_grade", "${grade_first_assignment.output.grade}"),
    "assessment_workflow_oss_<now>": a_decision_by_a_value("grade_decision", "${evaluation.output.grade}"),
    "adaptive_learning": another_name_for_the_value,
}


def objects(value: Any) -> list[dict[str, Any]]:
    """Every JSON object in a value, itself first."""
    if isinstance(value, dict):
        return [value, *(each for item in value.values() for each in objects(item))]
    return [each for item in value for each in objects(item)] if isinstance(value, list) else []


def without_words(value: Any) -> Any:
    """As `record.py` does: of each text with blanks only the references in it."""
    if isinstance(value, dict):
        return {key: item if key == "loopCondition" else without_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_words(item) for item in value]
    if isinstance(value, str) and re.search(r"\s", value):
        return " ".join(["…", *re.findall(r"\$\{[^}]*\}", value)])
    return value
