"""A program written with conductor-python 2.0, run by its own Python: it knows nothing of conductor_async."""

import json
import logging
import sys
import time

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.http.models import StartWorkflowRequest, TaskDef, TaskResult
from conductor.client.http.rest import ApiException
from conductor.client.orkes_clients import OrkesClients
from conductor.client.worker.worker_task import worker_task
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.simple_task import SimpleTask
from conductor.client.workflow.task.switch_task import SwitchTask


@worker_task(task_definition_name="other_sdk_price")
def price(item: str, quantity: int) -> dict:
    return {"total": {"tea": 4.5}[item] * quantity}


@worker_task(task_definition_name="other_sdk_ship")
def ship(total: float) -> dict:
    return {"text": f"shipped for {total:.2f}"}


def main() -> None:
    logging.disable(logging.INFO)
    configuration = Configuration(server_api_url=sys.argv[1])
    clients = OrkesClients(configuration=configuration)
    executor = clients.get_workflow_executor()
    metadata, tasks, workflows = clients.get_metadata_client(), clients.get_task_client(), clients.get_workflow_client()

    metadata.register_task_def(TaskDef(name="other_sdk_price", retry_count=0))
    metadata.register_task_def(TaskDef(name="other_sdk_ship", retry_count=0))
    workflow = ConductorWorkflow(executor=executor, name="other_sdk", version=1)
    first = SimpleTask(task_def_name="other_sdk_price", task_reference_name="price_ref")
    first.input_parameters.update({"item": workflow.input("item"), "quantity": workflow.input("quantity")})
    second = SimpleTask(task_def_name="other_sdk_ship", task_reference_name="ship_ref")
    second.input_parameters["total"] = first.output("total")
    big = SwitchTask(task_ref_name="big_ref", case_expression="${workflow.input.quantity}").switch_case("3", [second])
    workflow >> first >> big
    workflow.output_parameters({"text": second.output("text")})
    workflow.register(overwrite=True)
    print(json.dumps({"registered": metadata.get_workflow_def("other_sdk").name}))

    # By hand: start, poll, complete.
    order = {"item": "tea", "quantity": 3}
    workflow_id = executor.start_workflow(StartWorkflowRequest(name="other_sdk", version=1, input=order))
    for output in ({"total": 13.5}, {"text": "by hand"}):
        name = "other_sdk_price" if "total" in output else "other_sdk_ship"
        task = tasks.poll_task(name, worker_id="hand")
        result = TaskResult(workflow_instance_id=workflow_id, task_id=task.task_id, status="COMPLETED")
        result.output_data = output
        tasks.update_task(result)
    done = workflows.get_workflow(workflow_id, include_tasks=True)
    print(json.dumps({"by_hand": done.status, "output": done.output, "tasks": len(done.tasks)}))

    # By its own workers, in processes of their own.
    with TaskHandler(configuration=configuration, scan_for_annotated_workers=True) as handler:
        handler.start_processes()
        workflow_id = executor.start_workflow(StartWorkflowRequest(name="other_sdk", version=1, input=order))
        until = time.monotonic() + 60
        while workflows.get_workflow(workflow_id, include_tasks=False).status == "RUNNING" and time.monotonic() < until:
            time.sleep(0.05)
        done = workflows.get_workflow(workflow_id, include_tasks=True)
        print(json.dumps({"by_workers": done.status, "output": done.output}))
        handler.stop_processes()

    # What there is not, and how it ends.
    try:
        workflows.get_workflow("no-such-id")
    except ApiException as error:
        print(json.dumps({"missing": error.status}))
    pending = executor.start_workflow(StartWorkflowRequest(name="other_sdk", version=1, input=order))
    workflows.terminate_workflow(pending, reason="enough")
    print(json.dumps({"terminated": workflows.get_workflow(pending).status}))


if __name__ == "__main__":
    main()
