"""Every method of MetadataClient on the real server, and definitions that survive a read, a change and a write."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import TaskDef, WorkflowDef
from conductor_async.errors import BadRequestError, ConflictError, NotFoundError
from conductor_async.models import SubWorkflowParams, WorkflowTask
from tests.resources.full_definitions import full_task_def, full_workflow_def, keys_of

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

pytestmark = [pytest.mark.server, pytest.mark.anyio]


Held = Callable[..., Any]
Name = Callable[[str], str]


def one_task() -> list[WorkflowTask]:
    return [WorkflowTask(name="t", task_reference_name="r")]


async def test_workflow_definitions(conductor: ConductorClient, held: Held, new_name: Name) -> None:
    metadata, name = conductor.metadata, new_name("defs")
    await metadata.register_workflow_def(WorkflowDef(name=name, description="first", tasks=one_task()))
    await metadata.register_workflow_def(WorkflowDef(name=name, description="again", tasks=one_task()))  # overwrites
    assert held("metadata", "workflow", name)["description"] == "again"
    with pytest.raises(ConflictError, match="already exists"):
        await metadata.register_workflow_def(WorkflowDef(name=name, tasks=one_task()), overwrite=False)

    await metadata.update_workflow_def(WorkflowDef(name=name, version=3, tasks=one_task()))
    outcome = await metadata.update_workflow_defs([WorkflowDef(name=name, version=2, tasks=one_task())])
    assert outcome.bulk_successful_results == [name]
    assert (await metadata.get_workflow_def(name)).version == 3
    assert (await metadata.get_workflow_def(name, 1)).description == "again"
    versions = await metadata.get_workflow_versions(name)
    assert sorted(each.version for each in versions) == [1, 2, 3]
    assert {each.version for each in (await metadata.get_workflow_names_and_versions())[name]} == {1, 2, 3}
    assert name in await metadata.get_workflow_names()
    assert [each.version for each in await metadata.get_latest_workflow_defs() if each.name == name] == [3]
    assert {each.version for each in await metadata.get_all_workflow_defs() if each.name == name} == {1, 2, 3}
    assert name in {each.name for each in await metadata.get_all_workflow_defs(classifier="workflow")}

    for version in (3, 2, 1):
        await metadata.unregister_workflow_def(name, version)
    assert held("metadata", "workflow", name) == 404
    assert await metadata.get_workflow_versions(name) == []


async def test_task_definitions(conductor: ConductorClient, held: Held, new_name: Name) -> None:
    metadata, name, other = conductor.metadata, new_name("task"), new_name("other")
    await metadata.register_task_def(TaskDef(name=name, description="first"))
    await metadata.register_task_def([TaskDef(name=name, description="again"), TaskDef(name=other, retry_count=7)])
    assert held("metadata", "taskdefs", name)["description"] == "again"
    task_def = await metadata.get_task_def(other)
    assert task_def.retry_count == 7
    task_def.retry_delay_seconds = 5
    await metadata.update_task_def(task_def)
    assert held("metadata", "taskdefs", other)["retryDelaySeconds"] == 5
    assert {name, other} <= {each.name for each in await metadata.get_all_task_defs()}
    for each in (name, other):
        await metadata.unregister_task_def(each)
        assert held("metadata", "taskdefs", each) == 404


async def test_unknown_names_and_ids(conductor: ConductorClient, new_name: Name) -> None:
    metadata, name = conductor.metadata, new_name("missing")
    for call, status in (
        (metadata.get_workflow_def(name), 404),
        (metadata.get_workflow_def(name, 7), 404),
        (metadata.get_task_def(name), 404),
        (metadata.update_task_def(TaskDef(name=name)), 404),
        (metadata.unregister_workflow_def(name, 1), 500),  # what the server answers
        (metadata.unregister_task_def(name), 500),
    ):
        with pytest.raises(NotFoundError, match=r"No such|[Nn]ot found") as caught:
            await call
        assert caught.value.status == status
        assert name in str(caught.value)


async def test_invalid_definitions_list_the_problems(conductor: ConductorClient, held: Held, new_name: Name) -> None:
    metadata, name = conductor.metadata, new_name("bad")
    twice = WorkflowDef(name=name, tasks=[*one_task(), *one_task()], schema_version=1)
    for call in (
        metadata.register_workflow_def(twice),
        metadata.update_workflow_def(twice),
        metadata.validate_workflow_def(twice),
    ):
        with pytest.raises(BadRequestError, match="Validation failed") as caught:
            await call
        assert caught.value.validation_errors
        for problem in caught.value.validation_errors:
            assert problem.path
            assert problem.message in str(caught.value)
    with pytest.raises(BadRequestError) as caught:
        await metadata.register_task_def(TaskDef(name=name, response_timeout_seconds=0, retry_count=-1))
    assert len(caught.value.validation_errors) == 2
    for empty in (metadata.register_task_def([]), metadata.update_workflow_defs([])):
        with pytest.raises(BadRequestError):
            await empty
    await metadata.validate_workflow_def(WorkflowDef(name=name, tasks=one_task()))
    assert held("metadata", "workflow", name) == 404
    assert held("metadata", "taskdefs", name) == 404


# -- nothing is lost ---------------------------------------------------------------------------------------


def without_times(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key not in ("createTime", "updateTime")}


@pytest.mark.parametrize("write", ["register", "update"])
async def test_a_workflow_with_every_field_survives_a_round_trip(
    write: str, conductor: ConductorClient, held: Held, new_name: Name
) -> None:
    name = new_name("full")
    given = full_workflow_def(name)
    await conductor.metadata.register_workflow_def(WorkflowDef.model_validate(given))
    before = held("metadata", "workflow", name)
    assert keys_of(before) >= keys_of(given)  # the client sent it all, and the server holds it
    definition = await conductor.metadata.get_workflow_def(name)
    definition.description = "changed"
    if write == "register":
        await conductor.metadata.register_workflow_def(definition)
    else:
        await conductor.metadata.update_workflow_def(definition)
    after = held("metadata", "workflow", name)
    assert without_times(after) == without_times(before) | {"description": "changed"}
    again = await conductor.metadata.get_workflow_def(name)
    assert without_times(again.to_wire()) == without_times(after)
    await conductor.metadata.unregister_workflow_def(name, given["version"])


async def test_the_full_workflow_uses_every_field_that_models_know() -> None:
    used = keys_of(full_workflow_def("x"))
    for model in (WorkflowDef, WorkflowTask, SubWorkflowParams, TaskDef):
        model.model_rebuild()  # models are built when first used
        json_names = {field.alias for field in model.model_fields.values()}
        assert json_names - used <= {"createTime", "updateTime"}, model


async def test_a_task_with_every_field_survives_a_round_trip(
    conductor: ConductorClient, held: Held, new_name: Name
) -> None:
    name = new_name("full")
    given = full_task_def(name)
    await conductor.metadata.register_task_def(TaskDef.model_validate(given))
    before = held("metadata", "taskdefs", name)
    stamped = ("createdBy", "updatedBy")  # by the server, with whom it takes us for
    assert {key: part(before.get(key)) for key in given if key not in stamped} == {
        key: value for key, value in given.items() if key not in stamped
    }
    definition = await conductor.metadata.get_task_def(name)
    definition.description = "changed"
    await conductor.metadata.update_task_def(definition)
    after = held("metadata", "taskdefs", name)
    ignored = {"createTime": 0, "updateTime": 0, "updatedBy": "", "createdBy": ""}
    assert after | ignored == before | ignored | {"description": "changed"}
    await conductor.metadata.unregister_task_def(name)


def part(value: Any) -> Any:
    """Without what the server adds to the schemas in it."""
    return without_times(value) if isinstance(value, dict) else value


async def test_an_unusual_definition_does_not_break_the_list(conductor: ConductorClient, new_name: Name) -> None:
    name = new_name("sub")
    params = SubWorkflowParams(name="child", version=1, idempotency_key="k", idempotency_strategy="RETURN_EXISTING")
    task = WorkflowTask(name="s", task_reference_name="s", type="SUB_WORKFLOW", sub_workflow_param=params)
    await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=[task]))
    (found,) = [each for each in await conductor.metadata.get_all_workflow_defs() if each.name == name]
    assert found.tasks[0].sub_workflow_param is not None
    assert found.tasks[0].sub_workflow_param.idempotency_strategy == "RETURN_EXISTING"
    await conductor.metadata.unregister_workflow_def(name, 1)


async def test_unset_fields_get_the_servers_defaults(conductor: ConductorClient, held: Held, new_name: Name) -> None:
    name = new_name("plain")
    await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=one_task()))
    found = held("metadata", "workflow", name)
    assert found["enforceSchema"] is True
    assert "failureWorkflow" not in found
    assert found["timeoutPolicy"] == "ALERT_ONLY"
    await conductor.metadata.unregister_workflow_def(name, 1)
