"""A definition that is built, stored, fetched and rebuilt stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, seed, settings

from conductor_async import ConductorClient, ConductorWorkflow, WorkflowDef
from conductor_async.models import encode_json
from conductor_async.workflow import diff
from tests.fakes.generated import LEAVES, WITH_OTHERS_INSIDE, workflows
from tests.workflow.tasks.test_all_types import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_every_type_is_generated():
    assert {*LEAVES, *WITH_OTHERS_INSIDE} - {"TYPE_OF_TOMORROW"} == ALL


@given(workflows())
@MANY
def test_a_rebuilt_definition_is_the_same(workflow: ConductorWorkflow):
    definition = workflow.to_workflow_def()
    sent = encode_json(definition)
    assert encode_json(workflow.to_workflow_def()) == sent  # built twice: the same, byte for byte
    fetched = WorkflowDef.model_validate_json(sent)
    again = ConductorWorkflow.from_workflow_def(fetched)
    assert encode_json(again.to_workflow_def()) == sent
    assert not diff(definition, again.to_workflow_def())


@pytest.mark.server
def test_a_definition_that_the_real_server_stored_is_rebuilt(server_url: str, new_name: Callable[[str], str]):
    name = new_name("round_trip")

    @given(workflows())
    @settings(MANY, max_examples=30, database=None)
    @seed(2026)
    def check(workflow: ConductorWorkflow) -> None:
        workflow.name = name
        portal.call(stored_and_read_again, conductor, workflow)

    with start_blocking_portal() as portal:
        conductor = ConductorClient(server_url)
        with portal.wrap_async_context_manager(conductor):
            check()


async def stored_and_read_again(conductor: ConductorClient, workflow: ConductorWorkflow) -> None:
    workflow.executor = conductor.executor
    await workflow.register()
    fetched = await conductor.metadata.get_workflow_def(workflow.name, workflow.version or 1)
    described = workflow.to_workflow_def()
    assert str(diff(described, fetched)) == "no difference"
    again = ConductorWorkflow.from_workflow_def(fetched).to_workflow_def()
    assert str(diff(described, again)) == "no difference"
    assert encode_json(again) == encode_json(fetched)
