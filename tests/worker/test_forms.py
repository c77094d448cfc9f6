"""Every row of the tables in docs/reference/worker-functions.md."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.worker import worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs/reference/worker-functions.md").read_text()

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def namespace() -> dict[str, Any]:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    module = sys.modules["worker_functions_page"] = types.ModuleType("worker_functions_page")
    exec(compile(block, "worker-functions.md", "exec"), vars(module))
    return vars(module)


NAMES = namespace()


def rows(heading: str) -> list[Any]:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [pytest.param(*each, id=" -- ".join(each)[:100]) for each in cells]


def value(cell: str) -> Any:
    return eval(code(cell), NAMES)


def code(cell: str) -> str:
    found = re.match(r"`(.*?)`(?: as | in |$)", cell)
    assert found, cell
    return found[1]


async def outcome(make: Callable[[], Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the server gets for a task with this input."""
    server = FakeConductor()
    server.put(1, **given)
    worker = make()
    worker.task_definition_name = "job"
    async with hosting(server, worker, poll_timeout=0.05):
        await server.until(lambda: server.results)
    return server.results[0]


async def check_refused(make: Callable[[], Any], expected: str) -> None:
    """Passes if it is refused when it is decorated or when the host starts."""
    with pytest.raises(ConfigurationError) as refused:
        await outcome(make, {})
    assert expected.removeprefix("refused: ").replace("`", "") in str(refused.value).replace("`", "")


def check_failure(result: dict[str, Any], expected: str) -> None:
    assert result["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert expected.removeprefix("fails: ").replace("`", "") in result["reasonForIncompletion"].replace("`", "")


@pytest.mark.parametrize(("parameters", "given", "expected"), rows("Parameters"))
async def test_parameters(parameters: str, given: str, expected: str) -> None:
    names = re.findall(r"(?:^|, )\**(\w+)(?=[:,]|$| =)", code(parameters))
    seen: list[Any] = []
    local = {**NAMES, "seen": seen}
    future = "from __future__ import annotations\n" if "Missing" in parameters else ""

    def make() -> Any:
        exec(f"{future}def function({code(parameters)}):\n    seen.append(locals())", local)
        return worker_task("job")(local["function"])

    if expected.startswith("refused: "):
        await check_refused(make, expected)
        return
    result = await outcome(make, value(given))
    if expected.startswith("fails: "):
        check_failure(result, expected)
        return
    assert result["status"] == "COMPLETED", result["reasonForIncompletion"]
    got = seen[0][names[0]]
    if " as `" in expected:
        got = getattr(got, expected.rpartition(".")[2].rstrip("`"))
    assert got == value(expected)
    assert type(got) is type(value(expected))


@pytest.mark.parametrize(("worker", "given", "expected"), rows("Functions"))
async def test_functions(worker: str, given: str, expected: str) -> None:
    if expected.startswith("refused: "):
        await check_refused(lambda: value(worker), expected)
        return
    result = await outcome(lambda: value(worker), value(given))
    assert result["outputData"] == {"result": value(expected)}


@pytest.mark.parametrize(("returned", "expected"), rows("Results"))
async def test_results(returned: str, expected: str) -> None:
    local = dict(NAMES)
    keyword = "async def" if "async def" in returned else "def"
    exec(f"{keyword} function():\n    return {code(returned)}", local)
    result = await outcome(lambda: worker_task("job")(local["function"]), {})
    if expected.startswith("fails: "):
        check_failure(result, expected)
    else:
        assert result["status"] in ("COMPLETED", "IN_PROGRESS"), result["reasonForIncompletion"]
        assert result.get("outputData", {}) == value(expected)
