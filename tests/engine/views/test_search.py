"""Search queries, here and on the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from conductor_async.engine.clock import ManualClock
from conductor_async.engine.engine import Engine
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.engine.views.search import TASK_FIELDS, Search

if TYPE_CHECKING:
    from collections.abc import Callable

SUMMARIES: list[dict[str, Any]] = [
    {
        "workflowType": "orders",
        "workflowId": "w1",
        "correlationId": "c1",
        "startTime": "2026-01-01T00:00:01.000Z",
        "updateTime": "2026-01-01T00:00:02.000Z",
        "endTime": "2026-01-01T00:00:02.000Z",
        "status": "COMPLETED",
        "input": "{city=Bern}",
        "parentWorkflowId": "",
        "classifier": "workflow",
    },
    {
        "workflowType": "orders_eu",
        "workflowId": "w2",
        "startTime": "2026-01-01T00:00:02.000Z",
        "updateTime": "2026-01-01T00:00:02.000Z",
        "status": "RUNNING",
        "input": "{city=Rom}",
        "parentWorkflowId": "w1",
        "classifier": "workflow",
    },
    {
        "workflowType": "Orders",
        "workflowId": "w3",
        "correlationId": "c1",
        "startTime": "2026-01-01T00:00:03.000Z",
        "updateTime": "2026-01-01T00:00:04.000Z",
        "endTime": "2026-01-01T00:00:04.000Z",
        "status": "FAILED",
        "input": "{city=Ulm}",
        "parentWorkflowId": "",
        "classifier": "agent",
    },
]
SECOND_2 = 1767225602000


def found(query: str | None = None, **options: Any) -> str:
    return " ".join(summary["workflowId"] for summary in Search(query, **options).among(SUMMARIES).page)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (None, "w1 w2 w3"),
        ("", "w1 w2 w3"),
        ("workflowType='orders'", "w1"),
        ('workflowType = "orders"', "w1"),
        ("workflowType=orders", "w1"),
        ("workflowType='orders*'", "w1 w2 w3"),
        ("workflowType='*eu'", "w2"),
        ("status IN (RUNNING,FAILED)", "w2 w3"),
        ("status IN (RUNNING)", "w2"),
        ("status IN ('RUNNING','FAILED') AND correlationId=c1", "w3"),
        ("status='RUNNING' and workflowType='orders'", ""),
        ("status='RUNNING' OR status='FAILED'", ""),
        (f"startTime>{SECOND_2}", "w3"),
        (f"startTime < {SECOND_2}", "w1"),
        (f"startTime={SECOND_2}", "w2"),
        ("endTime=0", "w2"),
        ("correlationId=''", ""),
        ("parentWorkflowId=''", "w1 w3"),
        ("classifier=agent", "w3"),
        ("version=9", "w1 w2 w3"),
        ("input.city='Bern'", "w1 w2 w3"),
    ],
)
def test_a_query_finds(query: str | None, expected: str) -> None:
    assert found(query) == expected


@pytest.mark.parametrize(
    ("free_text", "expected"),
    [("*", "w1 w2 w3"), ("bern", "w1"), ("CITY=", "w1 w2 w3"), ("city=*m", "w2 w3"), ("nowhere", "")],
)
def test_free_text_searches_the_whole_summary(free_text: str, expected: str) -> None:
    assert found(free_text=free_text) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("startTime:DESC", "w3 w2 w1"),
        ("startTime:asc", "w1 w2 w3"),
        ("correlationId:ASC|startTime:DESC", "w2 w3 w1"),
        ("correlationId:DESC|startTime:DESC", "w3 w1 w2"),
        ("endTime:DESC", "w3 w1 w2"),
        ("startTime", "w1 w2 w3"),
        ("bogus:DESC", "w1 w2 w3"),
        ("startTime:UP", "w1 w2 w3"),
    ],
)
def test_results_are_sorted(sort: str, expected: str) -> None:
    assert found(sort=sort) == expected


def test_results_come_in_pages() -> None:
    search = Search()
    assert search.among(SUMMARIES, start=1, size=1) == (3, SUMMARIES[1:2])
    assert search.among(SUMMARIES, start=5) == (3, [])
    assert search.among(SUMMARIES, start=-1, size=-1) == (3, SUMMARIES)
    assert search.among(SUMMARIES, size=0) == (3, [])


@pytest.mark.parametrize("query", ["garbage", "workflowType!='a'", "status"])
def test_a_query_that_cannot_be_parsed_is_invalid(query: str) -> None:
    with pytest.raises(Invalid, match="Incorrectly formatted query string: "):
        Search(query)


def test_unknown_columns_and_times_are_refused() -> None:
    with pytest.raises(Refused, match='For input string: "abc"'):
        Search("startTime>abc")
    with pytest.raises(Refused, match=r"no such column: workflow_id"):
        Search("workflowId=1", fields=TASK_FIELDS)
    with pytest.raises(Refused, match=r"no such column: workflow_id"):
        Search(sort="workflowId:ASC", fields=TASK_FIELDS)


QUERIES = [
    "workflowType='NAME' AND status='COMPLETED'",
    "workflowType = NAME AND status IN (RUNNING,COMPLETED)",
    "workflowType='NAME' AND correlationId=c2",
    "workflowType='NAME' and status='COMPLETED'",
    "workflowType='NAME*' AND bogus=1",
    "workflowType='NAME' AND startTime>1",
    "workflowType='NAME' AND startTime<1",
    "workflowType='NAME' AND endTime=0",
    "garbage",
    "startTime>abc",
    "workflowType='NAME,other'",
]


@pytest.mark.server
def test_the_engine_finds_what_the_server_finds(server_url: str, new_name: Callable[[str], str]) -> None:
    name = new_name("search")
    engine = Engine(clock=ManualClock())
    done = {"name": "set", "taskReferenceName": "set", "type": "SET_VARIABLE", "inputParameters": {"x": 1}}
    definition = {"name": name, "version": 1, "ownerEmail": "a@b.c", "tasks": [done]}
    starts = [{"name": name, "workflowDef": definition, "correlationId": f"c{n}", "input": {"n": n}} for n in range(3)]
    with httpx.Client() as http:
        for start in starts:
            engine.workflows.start(start)
            assert http.post(f"{server_url}/workflow", json=start).status_code == 200
        for query in (text.replace("NAME", name) for text in QUERIES):
            for sort in ("startTime:DESC|correlationId:ASC", "correlationId:DESC"):
                answer = http.get(f"{server_url}/workflow/search", params={"query": query, "sort": sort})
                found, told = _found_by(engine, query, sort), _told_by(answer)
                if isinstance(told, int):
                    found = found[0] if isinstance(found, tuple) else found
                assert (query, found) == (query, told)


def _found_by(engine: Engine, query: str, sort: str) -> object:
    try:
        result = engine.search.workflows(query=query, sort=sort)
    except (Invalid, Refused) as error:
        return error.status, error.message
    return _short(result)


def _told_by(answer: httpx.Response) -> object:
    body = answer.json()
    if answer.status_code == 200:
        return _short(body)
    # Java leaves the words out of an exception that it has thrown often.
    return (answer.status_code, body["message"]) if "message" in body else answer.status_code


def _short(result: dict[str, Any]) -> object:
    own = ("workflowId", "startTime", "updateTime", "endTime", "executionTime")
    shown = [{key: value for key, value in each.items() if key not in own} for each in result["results"]]
    return result["totalHits"], sorted(shown, key=str)


def test_an_archived_execution_is_still_found() -> None:
    engine = Engine(clock=ManualClock())
    done = {"name": "set", "taskReferenceName": "set", "type": "SET_VARIABLE", "inputParameters": {"x": 1}}
    definition = {"name": "w", "version": 1, "ownerEmail": "a@b.c", "tasks": [done]}
    ids = [engine.workflows.start({"name": "w", "workflowDef": definition}) for _ in range(2)]
    engine.workflows.remove(ids[0])
    engine.workflows.remove(ids[1], archive_workflow=False)
    with pytest.raises(NotFound):
        engine.workflows.get(ids[0])
    assert [each["workflowId"] for each in engine.search.workflows()["results"]] == ids[:1]


def test_tasks_and_executions_are_found_by_tasks() -> None:
    engine = Engine(clock=ManualClock())
    tasks = [
        {"name": "set", "taskReferenceName": ref, "type": "SET_VARIABLE", "inputParameters": {"x": 1}} for ref in "ab"
    ]
    definition = {"name": "w", "version": 1, "ownerEmail": "a@b.c", "tasks": tasks}
    workflow_id = engine.workflows.start({"name": "w", "workflowDef": definition})
    query = "taskDefName='set' AND status=COMPLETED"
    assert engine.search.tasks(query=query)["totalHits"] == 2
    assert [each["referenceTaskName"] for each in engine.search.tasks_v2(query=query)["results"]] == ["a", "b"]
    by_tasks = engine.search.by_tasks(query=query)
    assert (by_tasks["totalHits"], [each["workflowId"] for each in by_tasks["results"]]) == (2, [workflow_id])
    assert engine.search.by_tasks_v2(query=query)["results"][0]["workflowId"] == workflow_id
    with pytest.raises(Invalid):
        engine.search.workflows(size=5001)
