"""Every block of Python in a docstring runs.

The blocks of one docstring run in order and share their names. They have the names of their module, those that
`SET_UP` makes for all of them, and those that `NAMES` makes for their module.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.docs.test_code_blocks import MODULES, ROOT, Block, blocks_of, name_of, run

NOT_RUN = {
    "conductor_async/localserver/__init__.py": "starts a real server, as the pages that do",
    "conductor_async/localserver/_server.py": "starts a real server, as the pages that do",
}

SET_UP = """
from conductor_async import *
from conductor_async.embedded import *
from conductor_async.observability import *
from conductor_async.tasks import *
from conductor_async.testing import *
from conductor_async.worker.events import *

conductor = set_up_conductor = ConductorClient()
workflow = ConductorWorkflow(executor=conductor.executor, name="greetings", version=1)
workflow >> SetVariableTask("set_ref", {"name": workflow.input.name})
workflow.output_parameters({"greeting": f"Hello, {workflow.input.name}"})
await workflow.register(overwrite=True)

names = ("charge", "check", "greet", "pack", "pause", "plan", "refuse", "reserve", "ship", "tax", "vat")
charge, check, greet, pack, pause, plan, refuse, reserve, ship, tax, vat = (
    SimpleTask(name, f"{name}_ref") for name in names
)
"""

WORKERS = """
@worker_task()
async def greet(name: str) -> str: return f"Hello, {name}"

@worker_task()
async def charge(price: int) -> int: return price
"""

EXECUTION = """
async with EmbeddedConductor() as embedded:
    embedded.mock("charge", [ConnectionError("down"), ConnectionError("down"), {"receipt": 7}])
    await embedded.client.metadata.register_task_def(TaskDef(name="charge", retry_count=3, retry_delay_seconds=0))
    order_workflow = ConductorWorkflow(executor=embedded.client.executor, name="order") >> charge
    run = await order_workflow.execute({"order": 1})
    recording = await capture(embedded.client, run.workflow_id)
workflow_id = run.workflow_id
"""

NAMES = {
    "conductor_async/_backoff.py": "import anyio\nfailures, error, retry_after_of = 1, OSError(), lambda error: None",
    "conductor_async/embedded/_conductor.py": "embedded = EmbeddedConductor()",
    "conductor_async/observability/metrics.py": WORKERS,
    "conductor_async/observability/tracing.py": WORKERS,
    "conductor_async/testing/_assertions.py": EXECUTION,
    "conductor_async/testing/_environment.py": "env = EmbeddedConductor()",
    "conductor_async/testing/_recording.py": "workflow_id = (await workflow.start({})).workflow_id",
    "conductor_async/testing/_replay.py": EXECUTION + "recording.save('tests/recordings/order.json')",
    "conductor_async/worker/events.py": WORKERS,
    "conductor_async/worker/host.py": WORKERS,
    "conductor_async/workflow/builder.py": """
order = ConductorWorkflow(executor=conductor.executor, name="order", version=1) >> ship
await order.register(overwrite=True)
""",
}


WITH_DOCSTRING = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings_with_blocks() -> dict[str, list[Block]]:
    """Returns the blocks of each docstring that has any: `{"conductor_async/client.py::ConductorClient": [block]}`."""
    found: dict[str, list[Block]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, WITH_DOCSTRING) and (blocks := blocks_of(path, ast.get_docstring(node) or "")):
                found[f"{name_of(path)}::{getattr(node, 'name', '')}"] = blocks
    return found


DOCSTRINGS = docstrings_with_blocks()


def file_of(docstring: str) -> str:
    return docstring.partition("::")[0]


@pytest.mark.server
@pytest.mark.parametrize("docstring", [each for each in DOCSTRINGS if file_of(each) not in NOT_RUN])
def test_blocks_of_docstrings_run(
    docstring: str, server_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", server_url)
    monkeypatch.chdir(tmp_path)
    Path("tests/recordings").mkdir(parents=True)
    file = file_of(docstring)
    module = file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    names_of_module = f"import importlib\nglobals().update(vars(importlib.import_module({module!r})))"
    written = [block.code.replace("http://localhost:8080/api", server_url) for block in DOCSTRINGS[docstring]]
    codes = [names_of_module, SET_UP, NAMES.get(file, ""), *written, "await set_up_conductor.aclose()"]
    run([Block(ROOT / file, 1, code, runs=True) for code in codes], monkeypatch)


def test_blocks_of_docstrings_that_stay_out_compile() -> None:
    for docstring, blocks in DOCSTRINGS.items():
        for block in blocks if file_of(docstring) in NOT_RUN else ():
            block.compiled()


def test_only_files_with_blocks_are_set_up_or_left_out() -> None:
    assert (NAMES.keys() | NOT_RUN.keys()) - set(map(file_of, DOCSTRINGS)) == set()
