"""Generated workflows come to the same on the embedded engine and on a real server, task for task.

`nox -s fuzz` runs many more. What one of them finds is kept in `finds.jsonl`, and runs here for ever.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, settings

from conductor_async.testing._json_diff import json_diff
from tests.fuzz.comparing import compared
from tests.fuzz.generated import scenarios
from tests.fuzz.running import ServerDefectError, StuckError, carry_out
from tests.fuzz.scenario import RUN, Scenario

pytestmark = [
    pytest.mark.server,
    pytest.mark.thorough,
    pytest.mark.only_on("server", reason="it compares the other with it"),
]

FINDS = Path(__file__).with_name("finds.jsonl")
EXAMPLES = int(os.environ.get("CONDUCTOR_FUZZ_EXAMPLES", "50"))


class NothingToCompareError(Exception):
    """The server was slow, or stumbled over its own feet, each time."""


def differ(sides: Any, scenario: Scenario, tries: int = 3) -> list[str]:
    """Every place where the two sides differ, each time: what comes out otherwise by itself is a race of the server.

    Raises:
        NothingToCompareError: The server did not come to an end that says something.
    """
    found = _differ_once(sides, scenario)
    for _ in range(tries - 1):
        if not found:
            break
        again = _differ_once(sides, scenario)
        found = [each for each in found if each in again]
    return found


def _differ_once(sides: Any, scenario: Scenario, tries: int = 5) -> list[str]:
    async def both() -> list[str] | None:
        prefix = f"{RUN}{uuid.uuid4().hex[:10]}"
        async with sides() as (embedded, server, site):
            try:
                expected = compared(await carry_out(server, scenario, prefix, site), prefix, site)
            except (ServerDefectError, StuckError, httpx.TimeoutException):
                return None
            found = compared(await carry_out(embedded, scenario, prefix, site), prefix, site)
            return list(json_diff(expected, found, "execution"))

    for _ in range(tries):
        found = anyio.run(both)
        if found is not None:
            return found
    raise NothingToCompareError(json.dumps(scenario.to_wire()))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 50,  # the same each time: what a new one finds is for whoever runs `nox -s fuzz`
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink] if EXAMPLES <= 50 else [Phase.generate],
    print_blob=True,
)
@given(scenario=scenarios())
def test_generated_workflows(sides: Any, scenario: Scenario) -> None:
    try:
        found = differ(sides, scenario)
    except NothingToCompareError:
        reject()
    if found:
        note(json.dumps(scenario.to_wire()))
    assert found == []


@pytest.mark.parametrize(
    "line", FINDS.read_text(encoding="utf-8").splitlines(), ids=lambda line: json.loads(line)["what"]
)
def test_what_was_found_once(sides: Any, line: str) -> None:
    assert differ(sides, Scenario(**json.loads(line)["scenario"])) == []
