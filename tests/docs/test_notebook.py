"""The example notebook runs in a real kernel: opened in one cell, used in others, closed in the last."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"


def source_of(cell: dict[str, str]) -> str:
    return "".join(cell["source"])


async def run_it() -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)

    await NotebookClient(notebook, timeout=120, kernel_name="python3").async_execute()

    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "await embedded.start()" in source_of(cells[0])
    assert source_of(cells[-1]) == "await conductor.aclose()\nawait embedded.stop()"
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr" or output.output_type == "error"]
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert printed == "COMPLETED {'greeting': 'Hello, Ada'}\n"


# What Jupyter's own packages warn of is not ours to put right.
jupyter_warns = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.mark.asyncio
@jupyter_warns
async def test_the_notebook_runs_without_a_server() -> None:
    await run_it()


@pytest.mark.server
@pytest.mark.only_on("server", reason="without a server it runs in its own process, as the other test shows")
@pytest.mark.asyncio
@jupyter_warns
async def test_the_notebook_runs_on_a_server(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", server_url)
    await run_it()
    query = {"query": "workflowType = notebook_greetings", "sort": "startTime:DESC"}
    async with httpx.AsyncClient(base_url=server_url) as http:
        found = (await http.get("/workflow/search", params=query)).json()
    assert found["results"][0]["status"] == "COMPLETED"


def test_the_notebook_is_kept_without_outputs() -> None:
    import nbformat

    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
