"""Everything that the real server said survives being parsed and sent back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import TypeAdapter

from conductor_async.models import (
    BulkResponse,
    BulkSearchResponse,
    ConductorModel,
    EventHandler,
    ExternalStorageLocation,
    PollData,
    RerunWorkflowRequest,
    SearchResult,
    SignalResponse,
    SkipTaskRequest,
    StartWorkflowRequest,
    Task,
    TaskDef,
    TaskExecLog,
    TaskResult,
    TaskSummary,
    Workflow,
    WorkflowDef,
    WorkflowDefSummary,
    WorkflowState,
    WorkflowSummary,
    WorkflowTestRequest,
    encode_json,
)

RECORDED = Path(__file__).parents[1] / "transcripts" / "server-3.32.1.jsonl"
EXCHANGES: list[dict[str, Any]] = [json.loads(line) for line in RECORDED.read_text().splitlines()]

# What an endpoint takes and answers. `*` stands for one segment of the path; the first that fits counts.
ENDPOINTS: list[tuple[str, str, Any, Any]] = [
    ("GET", "metadata/taskdefs", None, list[TaskDef]),
    ("POST", "metadata/taskdefs", list[TaskDef], None),
    ("PUT", "metadata/taskdefs", TaskDef, None),
    ("GET", "metadata/taskdefs/*", None, TaskDef),
    ("GET", "metadata/workflow/names", None, list[str]),
    ("GET", "metadata/workflow/names-and-versions", None, dict[str, list[WorkflowDefSummary]]),
    ("GET", "metadata/workflow/latest-versions", None, list[WorkflowDef]),
    ("GET", "metadata/workflow/*/versions", None, list[WorkflowDefSummary]),
    ("GET", "metadata/workflow/*", None, WorkflowDef),
    ("GET", "metadata/workflow", None, list[WorkflowDef]),
    ("POST", "metadata/workflow", WorkflowDef, None),
    ("POST", "metadata/workflow/validate", WorkflowDef, None),
    ("PUT", "metadata/workflow", list[WorkflowDef], BulkResponse),
    ("POST", "workflow", StartWorkflowRequest, None),
    ("POST", "workflow/test", WorkflowTestRequest, Workflow),
    ("GET", "workflow/search", None, SearchResult[WorkflowSummary]),
    ("GET", "workflow/search-by-tasks", None, SearchResult[WorkflowSummary]),
    ("GET", "workflow/search-v2", None, SearchResult[Workflow]),
    ("GET", "workflow/search-by-tasks-v2", None, SearchResult[Workflow]),
    ("GET", "workflow/externalstoragelocation", None, ExternalStorageLocation),
    ("GET", "workflow/external-storage-location", None, ExternalStorageLocation),
    ("POST", "workflow/bulk/search", list[str], BulkSearchResponse),
    ("*", "workflow/bulk/*", list[str], BulkResponse),
    ("GET", "workflow/running/*", None, list[str]),
    ("POST", "workflow/execute/*/*", StartWorkflowRequest, SignalResponse),
    ("GET", "workflow/*/correlated/*", None, list[Workflow]),
    ("POST", "workflow/*/correlated", list[str], dict[str, list[Workflow]]),
    ("POST", "workflow/*/rerun", RerunWorkflowRequest, None),
    ("GET", "workflow/*/status", None, WorkflowState),
    ("GET", "workflow/*/tasks", None, SearchResult[Task]),
    ("POST", "workflow/*/messages", dict[str, Any], None),
    ("GET", "workflow/*", None, Workflow),
    ("POST", "workflow/*", dict[str, Any], None),
    ("PUT", "workflow/*/skiptask/*", SkipTaskRequest, None),
    ("GET", "tasks/poll/batch/*", None, list[Task]),
    ("GET", "tasks/poll/*", None, Task),
    ("POST", "tasks", TaskResult, None),
    ("POST", "tasks/update-v2", TaskResult, Task),
    ("GET", "tasks/search", None, SearchResult[TaskSummary]),
    ("GET", "tasks/search-v2", None, SearchResult[Task]),
    ("GET", "tasks/queue/polldata", None, list[PollData]),
    ("GET", "tasks/queue/polldata/all", None, list[PollData]),
    ("GET", "tasks/queue/sizes", None, dict[str, int]),
    ("GET", "tasks/queue/all", None, dict[str, int]),
    ("GET", "tasks/queue/all/verbose", None, dict[str, Any]),
    ("GET", "tasks/externalstoragelocation", None, ExternalStorageLocation),
    ("GET", "tasks/external-storage-location", None, ExternalStorageLocation),
    ("POST", "tasks/*/*/signal/sync", dict[str, Any], SignalResponse),
    ("POST", "tasks/*/*/signal", dict[str, Any], None),
    ("POST", "tasks/*/*/*/sync", dict[str, Any], Workflow),
    ("POST", "tasks/*/*/*", dict[str, Any], None),
    ("GET", "tasks/*/log", None, list[TaskExecLog]),
    ("POST", "tasks/*/log", Any, None),
    ("GET", "tasks/*", None, Task),
    ("GET", "admin/task/*", None, list[Task]),
    ("GET", "event", None, list[EventHandler]),
    ("GET", "event/*", None, list[EventHandler]),
    ("*", "event", EventHandler, None),
]


class Body(NamedTuple):
    what: str
    kind: Any
    json: Any


def fits(pattern: str, path: list[str]) -> bool:
    parts = pattern.split("/")
    return len(parts) == len(path) and all(part in ("*", each) for part, each in zip(parts, path, strict=True))


def bodies(side: str) -> list[Any]:
    found: list[Any] = []
    for number, exchange in enumerate(EXCHANGES, start=1):
        if side not in exchange:
            continue
        method, path = exchange["method"], exchange["path"].partition("?")[0].removeprefix("/api/").split("/")
        what = f"{number}-{exchange['case']}-{method}-{'/'.join(path)[:60]}"
        kinds = [
            (request, response)
            for verb, route, request, response in ENDPOINTS
            if verb in ("*", method) and fits(route, path)
        ]
        request, response = kinds[0] if kinds else (None, None)
        kind = request if side == "request" else response
        found.append(pytest.param(Body(what, kind, exchange[side]), id=what))
    return found


def sent(value: Any) -> Any:
    return json.loads(encode_json(value))


def touch(value: Any) -> None:
    """Read every attribute, so that what is parsed lazily is parsed."""
    if isinstance(value, ConductorModel):
        for name in type(value).model_fields:
            touch(getattr(value, name))
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            touch(each)


@pytest.mark.parametrize("body", bodies("response"))
def test_what_the_server_said_is_sent_back_unchanged(body: Body) -> None:
    assert body.kind is not None, f"no model is named for {body.what}"
    parsed = TypeAdapter(body.kind).validate_json(json.dumps(body.json))
    assert sent(parsed) == body.json
    touch(parsed)
    assert sent(parsed) == body.json


def as_we_send(kind: Any, body: Any) -> Any:
    """The two things that we put better: a start always has an input, and a null map is an empty one."""
    if kind in (StartWorkflowRequest, WorkflowTestRequest):
        subs = {ref: as_we_send(kind, each) for ref, each in body.get("subWorkflowTestRequest", {}).items()}
        return {"input": {}} | body | ({"subWorkflowTestRequest": subs} if subs else {})
    if kind is TaskResult and body.get("outputData", {}) is None:
        return body | {"outputData": {}}
    return body


@pytest.mark.parametrize("body", bodies("request"))
def test_what_clients_sent_is_sent_unchanged(body: Body) -> None:
    assert body.kind is not None, f"no model is named for {body.what}"
    parsed = TypeAdapter(body.kind).validate_python(body.json)
    assert sent(parsed) == as_we_send(body.kind, body.json)


@pytest.mark.parametrize("body", bodies("response"))
def test_the_server_knows_no_field_that_the_models_do_not(body: Body) -> None:
    internal = {BulkSearchResponse}  # the server's internal form, which has other fields
    unknown: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, ConductorModel):
            unknown.update(f"{type(value).__name__}.{name}" for name in value.model_extra or {})
            collect([getattr(value, name) for name in type(value).model_fields])
        elif isinstance(value, (list, dict)):
            for each in value.values() if isinstance(value, dict) else value:
                collect(each)

    if body.kind not in internal:
        collect(TypeAdapter(body.kind).validate_python(body.json))
    assert unknown == set()
