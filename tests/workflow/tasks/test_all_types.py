"""Every task type has a class, an export and a line in the reference."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from conductor_async import tasks
from conductor_async.models import TaskType
from conductor_async.tasks import TaskInterface, task_class

# What Conductor 3.32.3 runs, from the log of its start, and what only Orkes runs.
AI = {
    "AGENT",
    "CALL_MCP_TOOL",
    "CANCEL_AGENT",
    "GENERATE_AUDIO",
    "GENERATE_IMAGE",
    "GENERATE_PDF",
    "GENERATE_VIDEO",
    "GET_AGENT_CARD",
    "JDBC",
    "LIST_MCP_TOOLS",
    "LLM_CHAT_COMPLETE",
    "LLM_GENERATE_EMBEDDINGS",
    "LLM_GET_EMBEDDINGS",
    "LLM_INDEX_TEXT",
    "LLM_SEARCH_EMBEDDINGS",
    "LLM_SEARCH_INDEX",
    "LLM_STORE_EMBEDDINGS",
    "LLM_TEXT_COMPLETE",
}
ORKES = {"GET_DOCUMENT", "HTTP_POLL", "WAIT_FOR_WEBHOOK"}
ALL = {str(each) for each in TaskType} | AI | ORKES


@pytest.mark.parametrize("task_type", sorted(ALL))
def test_every_type_has_its_class(task_type):
    described = task_class(task_type)
    assert described is not None
    assert described.__name__ in tasks.__all__
    assert described.__doc__


def test_the_reference_page_lists_where_every_type_runs():
    page = Path(__file__).parents[3] / "docs" / "reference" / "tasks.md"
    table = page.read_text(encoding="utf-8").partition("## What runs where")[2]
    said = [word for line in table.splitlines() if line.startswith("| ") for word in line.split("|")[1].split(", ")]
    assert sorted(word.strip() for word in said if word.strip().isupper()) == sorted(ALL)


def test_every_class_is_exported():
    defined = {
        name
        for module in vars(tasks).values()
        if inspect.ismodule(module) and module.__name__.startswith(tasks.__name__)
        for name, member in vars(module).items()
        if inspect.isclass(member) and issubclass(member, TaskInterface) and not name.startswith("_")
    }
    assert defined - {"InputTask"} <= set(tasks.__all__)
