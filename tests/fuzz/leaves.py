"""Tasks without tasks inside: for workers, for people, and those that the server does itself."""

from __future__ import annotations

from typing import Any

from tests.fuzz.making import Making, Task, maker
from tests.fuzz.scenario import PREFIX, SITE
from tests.fuzz.values import ENDINGS, FUNCTION_BODIES, QUERIES, SCRIPTS, VALUES

# -- for workers ---------------------------------------------------------------------------------


@maker(4)
def simple(making: Making, known: list[str], depth: int) -> Task:
    given = making.inputs(known, "x")
    made = making.task("SIMPLE", known, inputParameters=given)
    made["name"] = making.worker_name(made["taskReferenceName"])
    return making.may_fail(made)


@maker()
def of_a_type_of_its_own(making: Making, known: list[str], depth: int) -> Task:
    """Workers poll for its type, not for its name."""
    given = making.inputs(known, "x")
    made = making.task("USER_DEFINED", known, inputParameters=given)
    made["name"] = making.worker_name(made["taskReferenceName"])
    made["type"] = f"{made['name']}_type"
    return making.may_fail(made)


@maker()
def dynamic(making: Making, known: list[str], depth: int) -> Task:
    given = making.inputs(known, "x")
    made = making.task("DYNAMIC", known, dynamicTaskNameParam="which", inputParameters=given)
    if making.chance(6):
        given["which"] = making.pick([None, "${workflow.input.nope}", f"{PREFIX}_nobody", 1])
    else:
        given["which"] = making.worker_name(made["taskReferenceName"])
    return making.may_fail(made)


# -- for people ----------------------------------------------------------------------------------


@maker()
def waiting(making: Making, known: list[str], depth: int) -> Task:
    made = making.task(making.pick(["WAIT", "HUMAN"]), known, inputParameters=making.inputs(known, "x"))
    making.behaviours[made["taskReferenceName"]] = [making.draw(ENDINGS)]
    return making.may_fail(made)


@maker(moves_by_itself=True)
def for_a_time(making: Making, known: list[str], depth: int) -> Task:
    given = making.pick(
        [
            {"duration": "1 second"},
            {"duration": "1s"},
            {"until": "2020-02-03 04:05"},
            {"until": "2020-02-03"},
            {"until": "2020-02-03 04:05 GMT+02:00"},
        ]
    )
    return making.may_fail(making.task("WAIT", known, inputParameters=given))


# -- scripts and values --------------------------------------------------------------------------


@maker()
def inline(making: Making, known: list[str], depth: int) -> Task:
    given = making.inputs(known, "x")
    kind = making.pick(["javascript"] * 4 + ["graaljs", "value-param", None, "cobol"])
    given |= {"expression": making.pick(["x", "nope"] if kind == "value-param" else SCRIPTS)}
    given |= {} if kind is None else {"evaluatorType": kind}
    return making.defined(making.task("INLINE", known, inputParameters=given))


@maker()
def function_body(making: Making, known: list[str], depth: int) -> Task:
    given = making.inputs(known, "x") | {"scriptExpression": making.pick(FUNCTION_BODIES)}
    return making.defined(making.task("LAMBDA", known, inputParameters=given))


@maker()
def query(making: Making, known: list[str], depth: int) -> Task:
    given = making.inputs(known, "x") | {"l": "${workflow.input.l}", "queryExpression": making.pick(QUERIES)}
    return making.defined(making.task("JSON_JQ_TRANSFORM", known, inputParameters=given))


@maker(2)
def variables(making: Making, known: list[str], depth: int) -> Task:
    given = {making.pick("vvx"): making.value(known)}
    return making.may_fail(making.task("SET_VARIABLE", known, inputParameters=given | {"n": 2}))


@maker()
def noop(making: Making, known: list[str], depth: int) -> Task:
    return making.task("NOOP", known)


# -- the world around ----------------------------------------------------------------------------


@maker()
def event(making: Making, known: list[str], depth: int) -> Task:
    sink = making.pick(["conductor", "conductor:fuzz", "conductor:${workflow.input.n}", "nothing:fuzz", "nothing"])
    made = making.task("EVENT", known, sink=sink, inputParameters=making.inputs(known, "x"))
    if making.chance(4):
        made["asyncComplete"] = True
        making.behaviours[made["taskReferenceName"]] = [making.draw(ENDINGS)]
    return making.defined(made)


@maker(moves_by_itself=True)
def http(making: Making, known: list[str], depth: int) -> Task:
    asked = making.pick(["/json", "/text", "/number", "/list", "/true", "/null", "/nothing", "/fails", "/missing"])
    request: dict[str, Any] = {"uri": SITE + asked, "method": "GET"}
    if making.chance(3):
        request = {"uri": SITE, "method": "POST", "body": {"x": making.value(known)}}
    if making.chance(8):
        request["method"] = making.pick(["get", "", None, "${workflow.input.nope}"])
    given = {"http_request": request} if making.chance(2) else request
    made = making.task("HTTP", known, inputParameters=given)
    if making.chance(6):
        made["asyncComplete"] = True
        making.behaviours[made["taskReferenceName"]] = [making.draw(ENDINGS)]
    return making.defined(made)


@maker(moves_by_itself=True)
def start_workflow(making: Making, known: list[str], depth: int) -> Task:
    inside = {"name": "sv", "taskReferenceName": "sv", "type": "SET_VARIABLE"}
    inside |= {"inputParameters": {"x": "${workflow.input.x}"}}
    name = f"{PREFIX}_started{making.count}"
    other = {"name": name, "version": 1, "tasks": [inside], "schemaVersion": 2}
    request = {"name": name, "version": 1, "input": {"x": making.value(known)}}
    if making.chance(2):
        request["workflowDef"] = other
    elif not making.chance(4):
        making.workflow_definitions.append(other)
    if making.chance(6):
        request["priority"] = making.pick([7, 100, -1])
    given = {"startWorkflow": request} if not making.chance(8) else {"startWorkflow": making.draw(VALUES)}
    return making.defined(making.task("START_WORKFLOW", known, inputParameters=given))


# -- the end -------------------------------------------------------------------------------------


@maker()
def terminate(making: Making, known: list[str], depth: int) -> Task:
    if not making.chance(3):
        return variables(making, known, depth)
    given = {"terminationStatus": making.pick(["COMPLETED", "FAILED", "TERMINATED"])}
    given |= {"terminationReason": making.pick(["enough", "", making.value(known)])} if making.chance(2) else {}
    given |= {"workflowOutput": making.value(known)} if making.chance(2) else {}
    return making.task("TERMINATE", known, inputParameters=given)
