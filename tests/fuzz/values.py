"""The values, scripts and paths that generated workflows are made of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = Any

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.sampled_from(["", "a", "b", "two words", "1", 1.5, 2.0]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("kl"), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.sampled_from("abk"), VALUES, max_size=3)
INPUT = st.fixed_dictionaries({"a": VALUES, "n": st.integers(0, 3), "l": st.lists(VALUES, max_size=3)})

OUTCOMES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(
            ["COMPLETED"] * 9 + ["FAILED", "FAILED", "FAILED", "IN_PROGRESS", "FAILED_WITH_TERMINAL_ERROR", "CANCELED"]
        )
    },
    optional={"output": OBJECTS, "reason": st.sampled_from(["no", "it's 'quoted'"])},
)
"""What a worker says at the end of an attempt."""

ENDINGS = st.fixed_dictionaries(
    {"status": st.sampled_from(["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"])}, optional={"output": OBJECTS}
)
"""What somebody says of a task that waits for it."""

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
FUNCTION_BODIES = ["return $.n;", "return {v: $.x};", "$.n", "return;", "throw 1;"]
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
    ".n[0]",
]
ATTRIBUTES = [
    "output",
    "output",
    "output.a",
    "output.k",
    "output.result",
    "output['k']",
    "output.k[0]",
    "input",
    "input.x",
    "status",
    "retryCount",
    "iteration",
    "taskType",
    "taskDefName",
    "referenceTaskName",
    "reasonForIncompletion",
    "nope",
]
WORKFLOW_PATHS = [
    "workflow.input.a",
    "workflow.input.n",
    "workflow.input.l",
    "workflow.input.nope",
    "workflow.input.l[0]",
    "workflow.input.l[-1]",
    "workflow.input.l[*]",
    "workflow.input.l.length()",
    "workflow.input.a.k",
    "workflow.input['a']",
    "workflow.version",
    "workflow.workflowType",
    "workflow.correlationId",
]
