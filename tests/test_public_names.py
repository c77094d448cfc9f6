"""What is public is said in one place, in order, and documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import conductor_async
from conductor_async import errors, models, tasks
from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
LISTED = Path(__file__).with_suffix(".txt").with_stem("public_names")


def documented() -> set[str]:
    """Every word in code style, or in a block, of the reference."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.rglob("*.md"))
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return set(re.findall(r"\w+", " ".join(code)))


def public_methods(kind: type) -> list[str]:
    """Its own, and those of the bases that it is put together from."""
    classes = [each for each in kind.__mro__ if each.__module__.startswith(kind.__module__.rpartition(".")[0])]
    members = [member for each in classes for member in vars(each).items()]
    return [name for name, member in members if not name.startswith("_") and inspect.isfunction(member)]


def public_modules() -> list[str]:
    """All modules without a component that begins with `_`, and a package for its `__init__`."""
    root = Path(conductor_async.__file__).parent
    parts = [path.relative_to(root.parent).with_suffix("").parts for path in sorted(root.rglob("*.py"))]
    names = [each[:-1] if each[-1] == "__init__" else each for each in parts]
    return sorted(".".join(each) for each in names if not any(part.startswith("_") for part in each))


def exports(name: str) -> list[str] | None:
    """Returns `__all__` of a module; an empty list for a package that only holds modules."""
    module = importlib.import_module(name)
    is_bare = len(ast.parse(inspect.getsource(module)).body) == 1  # the docstring
    return list(getattr(module, "__all__", [])) if is_bare or hasattr(module, "__all__") else None


def in_order(names: list[str]) -> list[str]:
    """Constants, then classes, then functions, as ruff wants them."""
    return sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def listing() -> str:
    """Each module, and below it the names that it exports."""
    lines = [
        line for module in public_modules() for line in (module, *(f"    {name}" for name in exports(module) or ()))
    ]
    return "\n".join(lines) + "\n"


def test_public_are_the_listed_names_and_no_others() -> None:
    """A change here is a change of the API: `python -m tests.test_public_names` writes the list anew."""
    assert listing().splitlines() == LISTED.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", public_modules())
def test_each_module_says_in_order_what_is_public_and_has_it(name: str) -> None:
    names = exports(name)
    assert names is not None, "a module without `__all__` begins with `_`"
    assert names == in_order(names)
    module = importlib.import_module(name)
    assert [each for each in names if not hasattr(module, each)] == []


def test_the_root_has_nothing_else() -> None:
    members = {name: getattr(conductor_async, name) for name in dir(conductor_async) if not name.startswith("_")}
    public = {name for name, value in members.items() if not isinstance(value, types.ModuleType)}
    assert public == set(conductor_async.__all__) - {"__version__"}


def test_workers_are_imported_when_they_are_asked_for() -> None:
    code = """
import sys, conductor_async
loaded = "conductor_async.worker" in sys.modules
print(loaded, conductor_async.WorkerHost.__name__, hasattr(conductor_async, "WorkerHosts"))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "WorkerHost", "False"]


@pytest.mark.parametrize("package", [conductor_async, errors, models, tasks], ids=lambda package: package.__name__)
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


if __name__ == "__main__":
    LISTED.write_text(listing(), encoding="utf-8")
