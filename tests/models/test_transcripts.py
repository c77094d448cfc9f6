"""Recorded requests and responses of the real server are parsed and sent back unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from tests.fakes.cases import case

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parents[1] / "transcripts" / "server-3.32.1.jsonl"
EXCHANGES: list[dict[str, Any]] = [json.loads(line) for line in RECORDED.read_text().splitlines()]

# What an endpoint takes and returns. `*` stands for one segment of the path; the first that fits counts.
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


def types_of(method: str, path: list[str]) -> tuple[Any, Any]:
    """What the endpoint takes and returns."""

    def fits(verb: str, pattern: str) -> bool:
        parts = pattern.split("/")
        return (
            verb in ("*", method)
            and len(parts) == len(path)
            and all(part in ("*", each) for part, each in zip(parts, path, strict=True))
        )

    return next((kinds for verb, pattern, *kinds in ENDPOINTS if fits(verb, pattern)), (None, None))  # type: ignore[return-value]


def bodies(side: str) -> Iterator[tuple[str, Any, Any]]:
    """The requests or responses of the transcript: a name, the type, and the JSON."""
    for number, exchange in enumerate(EXCHANGES, start=1):
        if side in exchange:
            method, path = exchange["method"], exchange["path"].partition("?")[0].removeprefix("/api/").split("/")
            name = f"{number}: {exchange['case']}, {method} {'/'.join(path)[:60]}"
            kind = types_of(method, path)[side == "response"]
            assert kind is not None, f"ENDPOINTS names no type for the {side} of exchange {name}"
            yield name, kind, exchange[side]


def sent(value: Any) -> Any:
    return json.loads(encode_json(value))


def models_in(value: Any) -> Iterator[ConductorModel]:
    """All models in a value. Reads every attribute, so that lazy fields are parsed."""
    if isinstance(value, ConductorModel):
        yield value
        for name in type(value).model_fields:
            yield from models_in(getattr(value, name))
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from models_in(each)


def test_a_response_is_sent_back_unchanged() -> None:
    for name, kind, body in bodies("response"):
        with case(name):
            parsed = TypeAdapter(kind).validate_json(json.dumps(body))
            assert sent(parsed) == body
            list(models_in(parsed))  # parses the lazy fields
            assert sent(parsed) == body


def as_we_send(kind: Any, body: Any) -> Any:
    """Our two normalizations: a start always has an input, and a null map is an empty one."""
    if kind in (StartWorkflowRequest, WorkflowTestRequest):
        subs = {ref: as_we_send(kind, each) for ref, each in body.get("subWorkflowTestRequest", {}).items()}
        return {"input": {}} | body | ({"subWorkflowTestRequest": subs} if subs else {})
    if kind is TaskResult and body.get("outputData", {}) is None:
        return body | {"outputData": {}}
    return body


def test_a_request_is_sent_unchanged() -> None:
    for name, kind, body in bodies("request"):
        with case(name):
            assert sent(TypeAdapter(kind).validate_python(body)) == as_we_send(kind, body)


def test_models_know_every_field_of_the_server() -> None:
    for name, kind, body in bodies("response"):
        if kind is not BulkSearchResponse:  # the server's internal form, which has other fields
            with case(name):
                found = models_in(TypeAdapter(kind).validate_python(body))
                assert {f"{type(each).__name__}.{key}" for each in found for key in each.model_extra or {}} == set()
