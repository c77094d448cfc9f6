"""Generated workflows of all types that both sides run, and what their workers do.

Not generated, because the sides are known to differ there (docs/reference/embedded-differences.md): variables that one
branch of a fork sets and another reads, TERMINATE in a loop, a reason to terminate that is no text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

PREFIX = "fuzzprefix"
"""Stands in all names for what a run makes unique."""

Json = Any


@dataclass(frozen=True)
class Scenario:
    """A workflow, its task definitions, its input, and what workers do with each task, by reference and attempt."""

    definition: dict[str, Any]
    task_definitions: list[dict[str, Any]]
    input: dict[str, Any]
    behaviours: dict[str, list[dict[str, Any]]]

    def to_wire(self) -> dict[str, Any]:
        return dict(vars(self))


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.sampled_from(["", "a", "b", "two words", "1", 1.5, 2.0]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("kl"), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.sampled_from("abk"), VALUES, max_size=3)
INPUT = st.fixed_dictionaries({"a": VALUES, "n": st.integers(0, 3), "l": st.lists(VALUES, max_size=3)})

SCRIPTS = [
    "$.x",
    "1 + 2",
    "$.n * 2",
    "$.n / 2",
    "'' + $.n",
    "$.n > 1",
    "({v: $.n, w: [1, null]})",
    "(function () { return {a: $.x}; })()",
    "undefined",
    "null",
    "[1, 2.5, 'x', true]",
    'throw new Error("boom")',
]
QUERIES = [
    ".x",
    ".n + 1",
    "[.x, .n]",
    ".nope",
    "{a: .x}",
    "[.l[]? | tostring]",
    ".l | length",
    ".n | tostring",
    "empty",
]
ATTRIBUTES = ["output", "output.a", "output.k", "output.result", "input", "input.x", "status", "retryCount", "nope"]


class _Making:
    """One definition being made: how many tasks it has, and which can be referred to."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0
        self.behaviours: dict[str, list[dict[str, Any]]] = {}
        self.task_definitions: list[dict[str, Any]] = []

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == of

    # -- expressions -------------------------------------------------------------------------

    def expression(self, known: list[str]) -> Json:
        sources = ["workflow.input.a", "workflow.input.n", "workflow.input.l", "workflow.input.nope"]
        sources += ["workflow.input.l[0]", "workflow.status", "workflow.version"]
        if known:
            sources += [f"{self.pick(known)}.{self.pick(ATTRIBUTES)}" for _ in range(3)]
        source = self.pick(sources)
        return self.pick(
            [f"${{{source}}}", f"${{{source}}}", f"x-${{{source}}}", [f"${{{source}}}"], {"k": f"${{{source}}}"}]
        )

    def value(self, known: list[str]) -> Json:
        return self.draw(VALUES) if self.chance(3) else self.expression(known)

    def inputs(self, known: list[str], *names: str) -> dict[str, Any]:
        given = {name: self.value(known) for name in names}
        return given | {"n": self.pick(["${workflow.input.n}", 2])}

    # -- tasks -------------------------------------------------------------------------------

    def sequence(self, known: list[str], depth: int, longest: int = 3) -> list[dict[str, Any]]:
        """Tasks in a row. What they are called is known afterwards."""
        tasks: list[dict[str, Any]] = []
        for _ in range(self.draw(st.integers(1, longest))):
            if self.count > 14:
                break
            tasks += self.step(known, depth)
        return tasks or [self.task("NOOP", known)]

    def step(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        leaves = [self.simple, self.simple, self.simple, self.inline, self.variables, self.query, self.waiting]
        leaves += [self.noop, self.dynamic, self.script_task, self.event, self.terminate, self.start_workflow]
        nested = [self.switch, self.switch, self.fork, self.fork, self.loop, self.loop_over_items, self.child]
        nested += [self.dynamic_fork, self.decision, self.exclusive]
        make = self.pick(leaves + nested if depth > 0 else leaves)
        made = make(known, depth)
        return made if isinstance(made, list) else [made]

    def task(self, kind: str, known: list[str], **fields: Any) -> dict[str, Any]:
        self.count += 1
        ref = f"t{self.count}"
        known.append(ref)
        return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}

    def worker_name(self, ref: str) -> str:
        """The name of a new task type, with a definition and something for its workers to do."""
        name = f"{PREFIX}_{ref}"
        definition: dict[str, Any] = {"name": name, "retryCount": self.draw(st.integers(0, 2)), "retryDelaySeconds": 0}
        if self.chance(4):
            definition["inputTemplate"] = {"x": "from the template", "t": 1}
        self.task_definitions.append(definition)
        outcomes = st.fixed_dictionaries(
            {
                "status": st.sampled_from(
                    ["COMPLETED"] * 7 + ["FAILED", "FAILED", "IN_PROGRESS", "FAILED_WITH_TERMINAL_ERROR"]
                )
            },
            optional={"output": OBJECTS, "reason": st.sampled_from(["no", "it's 'quoted'"])},
        )
        self.behaviours[ref] = self.draw(st.lists(outcomes, min_size=1, max_size=3))
        for outcome in self.behaviours[ref]:
            if outcome["status"] == "IN_PROGRESS":  # a JOIN may see that output or not: a race inside the server
                outcome.pop("output", None)
        return name

    def simple(self, known: list[str], depth: int) -> dict[str, Any]:
        given = self.inputs(known, "x")
        made = self.task("SIMPLE", known, inputParameters=given)
        made["name"] = self.worker_name(made["taskReferenceName"])
        if self.chance(4):
            made[self.pick(["optional", "permissive"])] = True
        if self.chance(6):
            made["retryCount"] = self.draw(st.integers(0, 1))
        return made

    def dynamic(self, known: list[str], depth: int) -> dict[str, Any]:
        given = self.inputs(known, "x")
        made = self.task("DYNAMIC", known, dynamicTaskNameParam="which", inputParameters=given)
        given["which"] = self.worker_name(made["taskReferenceName"])
        return made

    def inline(self, known: list[str], depth: int) -> dict[str, Any]:
        given = self.inputs(known, "x")
        given |= {"evaluatorType": "javascript", "expression": self.pick(SCRIPTS)}
        return self.task("INLINE", known, inputParameters=given, optional=self.chance(4))

    def script_task(self, known: list[str], depth: int) -> dict[str, Any]:
        given = self.inputs(known, "x") | {"scriptExpression": self.pick(["return $.n;", "return {v: $.x};"])}
        return self.task("LAMBDA", known, inputParameters=given)

    def query(self, known: list[str], depth: int) -> dict[str, Any]:
        given = self.inputs(known, "x") | {"l": "${workflow.input.l}", "queryExpression": self.pick(QUERIES)}
        return self.task("JSON_JQ_TRANSFORM", known, inputParameters=given)

    def variables(self, known: list[str], depth: int) -> dict[str, Any]:
        return self.task("SET_VARIABLE", known, inputParameters=self.inputs(known, "v"))

    def waiting(self, known: list[str], depth: int) -> dict[str, Any]:
        made = self.task(self.pick(["WAIT", "HUMAN"]), known, inputParameters=self.inputs(known, "x"))
        outcomes = st.fixed_dictionaries(
            {"status": st.sampled_from(["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"])}, optional={"output": OBJECTS}
        )
        self.behaviours[made["taskReferenceName"]] = [self.draw(outcomes)]
        return made

    def noop(self, known: list[str], depth: int) -> dict[str, Any]:
        return self.task("NOOP", known)

    def event(self, known: list[str], depth: int) -> dict[str, Any]:
        return self.task("EVENT", known, sink="conductor:fuzz", inputParameters=self.inputs(known, "x"))

    def terminate(self, known: list[str], depth: int) -> dict[str, Any]:
        if not self.chance(3):
            return self.variables(known, depth)
        given = {"terminationStatus": self.pick(["COMPLETED", "FAILED", "TERMINATED"])}
        given |= {"terminationReason": "enough"} if self.chance(2) else {}
        given |= {"workflowOutput": self.value(known)} if self.chance(2) else {}
        return self.task("TERMINATE", known, inputParameters=given)

    def start_workflow(self, known: list[str], depth: int) -> dict[str, Any]:
        other = {"name": f"{PREFIX}_started", "version": 1, "tasks": [_plain("SET_VARIABLE", "sv")], "schemaVersion": 2}
        request = {"name": f"{PREFIX}_started", "version": 1, "input": {"x": self.value(known)}, "workflowDef": other}
        return self.task("START_WORKFLOW", known, inputParameters={"startWorkflow": request})

    # -- tasks with tasks inside -------------------------------------------------------------

    def switch(self, known: list[str], depth: int) -> dict[str, Any]:
        given = {"p": self.value(known), "n": "${workflow.input.n}"}
        evaluator, expression = self.pick(
            [("value-param", "p"), ("javascript", "$.n > 1 ? 'a' : 'b'"), ("javascript", "$.n")]
        )
        made = self.task("SWITCH", known, inputParameters=given, evaluatorType=evaluator, expression=expression)
        keys = self.draw(
            st.lists(st.sampled_from(["a", "b", "1", "2", "null", "true", ""]), min_size=1, max_size=2, unique=True)
        )
        made["decisionCases"] = {key: [] if self.chance(8) else self.sequence(known, depth - 1, 2) for key in keys}
        if self.chance(2):
            made["defaultCase"] = self.sequence(known, depth - 1, 2)
        return made

    def decision(self, known: list[str], depth: int) -> dict[str, Any]:
        made = self.task("DECISION", known, caseValueParam="p", inputParameters={"p": self.value(known)})
        made["decisionCases"] = {self.pick(["a", "1"]): self.sequence(known, depth - 1, 2)}
        if self.chance(2):
            made["defaultCase"] = self.sequence(known, depth - 1, 2)
        return made

    def fork(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        made = self.task("FORK_JOIN", known)
        made["forkTasks"] = [self.sequence(known, depth - 1, 2) for _ in range(self.draw(st.integers(1, 3)))]
        on = [branch[-1]["taskReferenceName"] for branch in made["forkTasks"]]
        return [made, self.task("JOIN", known, joinOn=on)]

    def dynamic_fork(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        tasks = []
        inputs = {}
        for at in range(self.draw(st.integers(0, 3))):
            made = self.pick([self.simple, self.inline, self.variables])([], 0)
            tasks.append(made)
            inputs[made["taskReferenceName"]] = {"x": at} if self.chance(2) else {"x": self.draw(VALUES)}
        fields = {"dynamicForkTasksParam": "dt", "dynamicForkTasksInputParamName": "di"}
        fork = self.task("FORK_JOIN_DYNAMIC", known, inputParameters={"dt": tasks, "di": inputs}, **fields)
        return [fork, self.task("JOIN", known)]

    def exclusive(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        given = {"p": self.pick(["a", "b", "${workflow.input.a}"])}
        made = self.task("SWITCH", known, inputParameters=given, evaluatorType="value-param", expression="p")
        made["decisionCases"] = {key: [self.simple(known, 0)] for key in "ab"}
        on = [each[-1]["taskReferenceName"] for each in made["decisionCases"].values()]
        return [made, self.task("EXCLUSIVE_JOIN", known, joinOn=on, defaultExclusiveJoinTask=on[:1])]

    def loop(self, known: list[str], depth: int) -> dict[str, Any]:
        made = self.task("DO_WHILE", known, inputParameters={"n": "${workflow.input.n}"})
        ref = made["taskReferenceName"]
        conditions = [f"$.{ref}['iteration'] < $.n", f"$.{ref}.iteration < 2", "false", "$.n > 100", "0"]
        made["loopCondition"] = self.pick(conditions)
        made["loopOver"] = self.body(known, depth)
        return made

    def loop_over_items(self, known: list[str], depth: int) -> dict[str, Any]:
        items = self.pick(["${workflow.input.l}", ["a", "b"], []])
        made = self.task("DO_WHILE", known, loopCondition="", inputParameters={"_items": items})
        if isinstance(items, str) and self.chance(2):
            made |= {"items": items, "inputParameters": {}}
        made["loopOver"] = self.body(known, depth)
        return made

    def body(self, known: list[str], depth: int) -> list[dict[str, Any]]:
        """What a loop repeats. A loop in a loop is broken on the server: its condition cannot see its own count."""
        tasks = self.sequence(known, depth - 1, 2)
        return [each for each in tasks if not _has(each, "DO_WHILE", "TERMINATE")] or [self.noop(known, 0)]

    def child(self, known: list[str], depth: int) -> dict[str, Any]:
        inside: list[str] = []
        definition = {
            "name": f"{PREFIX}_child{self.count}",
            "version": 1,
            "schemaVersion": 2,
            "tasks": self.sequence(inside, depth - 1, 2),
        }
        if self.chance(2):
            definition["outputParameters"] = {"o": self.value(inside)}
        param = {"name": definition["name"], "version": 1, "workflowDefinition": definition}
        given = self.inputs(known, "a") | {"l": "${workflow.input.l}"}
        return self.task("SUB_WORKFLOW", known, subWorkflowParam=param, inputParameters=given, optional=self.chance(4))


def _plain(kind: str, ref: str) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": {"x": "${workflow.input.x}"}}


def _has(task: dict[str, Any], *kinds: str) -> bool:
    inside = [*task.get("forkTasks", []), *task.get("decisionCases", {}).values(), task.get("defaultCase", [])]
    return task["type"] in kinds or any(_has(each, *kinds) for tasks in inside for each in tasks)


@st.composite
def scenarios(draw: Any) -> Scenario:
    making = _Making(draw)
    known: list[str] = []
    tasks = making.sequence(known, depth=2, longest=4)
    definition: dict[str, Any] = {"name": f"{PREFIX}_flow", "version": 1, "schemaVersion": 2, "tasks": tasks}
    if making.chance(2):
        definition["outputParameters"] = {"o": making.value(known), "p": making.value(known)}
    return Scenario(definition, making.task_definitions, draw(INPUT), making.behaviours)
