"""What is public is said in one place, in order, and documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import conductor_async
from conductor_async import errors, models
from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


def documented() -> set[str]:
    """Every word in code style, or in a block, of the reference."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return set(re.findall(r"\w+", " ".join(code)))


def public_methods(kind: type) -> list[str]:
    """Its own, and those of the bases that it is put together from."""
    classes = [each for each in kind.__mro__ if each.__module__.startswith(kind.__module__.rpartition(".")[0])]
    members = [member for each in classes for member in vars(each).items()]
    return [name for name, member in members if not name.startswith("_") and inspect.isfunction(member)]


def test_all_is_sorted_and_without_repetition() -> None:
    assert list(conductor_async.__all__) == sorted(set(conductor_async.__all__))


def test_all_is_what_is_public() -> None:
    members = {name: getattr(conductor_async, name) for name in dir(conductor_async) if not name.startswith("_")}
    public = {name for name, value in members.items() if not isinstance(value, types.ModuleType)}
    assert public == set(conductor_async.__all__) - {"__version__"}


def test_dir_has_all_of_it() -> None:
    assert set(conductor_async.__all__) <= set(dir(conductor_async))


def test_every_name_can_be_imported() -> None:
    names: dict[str, object] = {}
    exec("from conductor_async import *", names)
    assert set(conductor_async.__all__) <= set(names)


def test_workers_are_imported_when_they_are_asked_for() -> None:
    code = """
import sys, conductor_async
loaded = "conductor_async.worker" in sys.modules
print(loaded, conductor_async.WorkerHost.__name__, hasattr(conductor_async, "WorkerHosts"))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "WorkerHost", "False"]


def test_every_error_is_public() -> None:
    assert set(errors.__all__) <= set(conductor_async.__all__)


@pytest.mark.parametrize("package", [conductor_async, models], ids=lambda package: package.__name__)
def test_every_name_is_in_the_reference(package: types.ModuleType) -> None:
    assert sorted(set(package.__all__) - documented()) == []


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (MetadataClient, "metadata.md"),
        (WorkflowClient, "workflow.md"),
        (WorkflowBulkClient, "workflow_bulk.md"),
        (TaskClient, "task.md"),
        (conductor_async.WorkflowExecutor, "executor.md"),
        (conductor_async.WorkflowHandle, "executor.md"),
        (conductor_async.ConductorWorkflow, "builder.md"),
        (conductor_async.OrkesClients, "client.md"),
        (conductor_async.ConductorClient, "client.md"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_method_is_on_its_page(kind: type, page: str) -> None:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    assert [name for name in public_methods(kind) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (MetadataClient, "metadata.md"),
        (WorkflowClient, "workflow.md"),
        (WorkflowBulkClient, "workflow_bulk.md"),
        (TaskClient, "task.md"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_signatures_on_the_pages_of_resources_are_those_of_the_code(kind: type, page: str) -> None:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    missing = [shown for name in public_methods(kind) if (shown := signature_of(kind, name)) not in text]
    assert missing == []


def signature_of(kind: type, name: str) -> str:
    """As the pages write it: `get_workflow_def(name, version=None)`."""
    shown: list[str] = []
    for parameter in list(inspect.signature(getattr(kind, name)).parameters.values())[1:]:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = "" if parameter.default is inspect.Parameter.empty else f"={parameter.default!r}".replace("'", '"')
        shown.append(f"{parameter.name}{default}")
    return f"`{name}({', '.join(shown)})`"
