"""JavaScript and jq in workflows, on a running event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import InlineTask, JsonJQTask

if TYPE_CHECKING:
    from conductor_async.embedded import EmbeddedConductor

pytestmark = pytest.mark.anyio


async def test_scripts_run_in_workflows(embedded: EmbeddedConductor) -> None:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="scripts", version=1)
    count = InlineTask("count", "$.names.map(name => name.length).join('+')", {"names": workflow.input.names})
    upper = JsonJQTask("upper", "[.names[] | ascii_upcase]", {"names": workflow.input.names})
    workflow >> count >> upper
    workflow.output_parameters({"count": count.result, "upper": upper.result})
    await workflow.register()
    with anyio.fail_after(30):
        run = await workflow.execute({"names": ["Ada", "Grace"]})
    assert run.output == {"count": "3+5", "upper": ["ADA", "GRACE"]}


async def test_a_script_that_does_not_end_fails_its_task(embedded: EmbeddedConductor) -> None:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="endless", version=1)
    await (workflow >> InlineTask("endless", "while (true) {}")).register()
    with anyio.fail_after(30):
        run = await workflow.execute({})
    assert run.status == "FAILED"
    assert "not evaluated within 4 seconds" in (run.reason_for_incompletion or "")
