"""Records the definitions that the examples of conductor-python 2.0.0 make: once, in a venv of its own.

```
python -m venv peer && peer/bin/pip install conductor-python==2.0.0 fastapi
git clone --branch v2.0.0 https://github.com/conductor-oss/python-sdk
peer/bin/python tests/workflow/incumbent/record.py python-sdk > tests/workflow/incumbent/recorded.json
```

Nothing is sent: what would be is written down, without the words and the scripts in it, which are not what is compared.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from conductor.client.http.api_client import ApiClient
from conductor.client.workflow.conductor_workflow import ConductorWorkflow

CHECKOUT = Path(sys.argv[1])
EXAMPLES = {
    "agentic_workflow": lambda module: module.create_agentic_workflow(None, "openai", "gpt-4", "instructions"),
    "agentic_workflows.function_calling_example": lambda module: module.create_function_calling_workflow(None),
    "agentic_workflows.llm_chat": lambda module: module.create_chat_workflow(None),
    "agentic_workflows.llm_chat_human_in_loop": lambda module: module.create_human_chat_workflow(None),
    "agentic_workflows.mcp_weather_agent": lambda module: [
        module.create_mcp_agent_workflow(None, "http://localhost:3001/mcp"),
        module.create_simple_weather_workflow(None, "http://localhost:3001/mcp"),
    ],
    "agentic_workflows.multiagent_chat": lambda module: module.create_multiagent_workflow(None),
    "dynamic_workflow": None,
    "fastapi_worker_service": lambda module: module._build_hello_workflow(None),
    "greetings_workflow": lambda module: module.greetings_workflow(None),
    "kitchensink": None,
    "orkes.fork_join_script": None,
    "orkes.http_poll": None,
    "orkes.sync_updates": lambda module: module.create_workflow(MagicMock()),
    "orkes.task_status_change_audit": None,
    "orkes.vector_db_helloworld": None,
    "orkes.wait_for_webhook": None,
    "rag_workflow": lambda module: module.create_rag_workflow(None),
    "test_workflows": lambda module: unit_test(module),
    "workflow_ops": lambda module: module.start_workflow(None),
    "workflow_status_listner": None,
}
JOURNEYS = {
    "metadata_journey": ("MetadataJourney", "chapter2_create_workflows", "chapter8_complex_workflows"),
    "metadata_journey_oss": (
        "MetadataJourneyOSS",
        "chapter2_create_simple_workflow",
        "chapter3_create_decision_workflow",
        "chapter4_create_parallel_workflow",
    ),
    "schedule_journey": ("ScheduleJourney", "chapter1_setup_workflows"),
}

recorded: dict[str, Any] = {}


class Recorded(Exception):  # noqa: N818 - nothing is wrong
    """All of an example that is wanted."""


def record(definition: Any) -> None:
    wire = ApiClient.sanitize_for_serialization(object.__new__(ApiClient), definition)
    recorded[without_chance(wire["name"])] = without_words(wire)


def without_chance(text: str) -> str:
    """The same name, and never another: for what is drawn by lot, for the time, and for a host of somebody's."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"^((?:join_)?forked|sub0)_[0-9A-Za-z]{22}$", r"\1_<uuid>", text)
    text = re.sub(r"\d{8}-\d{6}", "<now>", text)
    return re.sub(r"https://orkes-api-tester\.\w+\.com", "https://shop.example", text)


def without_words(value: Any) -> Any:
    """Of each text for people, models or an interpreter only the references in it: the rest is not what is compared."""
    if isinstance(value, dict):
        return {key: item if key == "loopCondition" else without_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_words(item) for item in value]
    if isinstance(value, str) and re.search(r"\s", value):
        return " ".join(["…", *re.findall(r"\$\{[^}]*\}", value)])
    return without_chance(value) if isinstance(value, str) else value


def stop(workflow: ConductorWorkflow, *args: object, **kwargs: object) -> None:
    record(workflow.to_workflow_def())
    raise Recorded


def server() -> MagicMock:
    """Stands in for clients: what is registered or tested is written down."""
    clients = MagicMock()
    registered = lambda workflow_def, **_: record(workflow_def)  # noqa: E731
    for metadata in (clients.get_metadata_client(), clients):
        metadata.register_workflow_def.side_effect = metadata.update_workflow_def.side_effect = registered
    clients.get_workflow_client().test_workflow.side_effect = lambda test_request: record(test_request.workflow_def)
    clients.get_workflow_client().start_workflow.side_effect = Recorded
    return clients


def record_examples() -> None:
    for name, make in EXAMPLES.items():
        module = importlib.import_module(name)
        for outside in ("TaskHandler", "AIOrchestrator", "OpenAIConfig", "PineconeConfig"):
            setattr(module, outside, MagicMock())
        module.OrkesClients = lambda *_, **__: server()
        try:
            made = module.main() if make is None else make(module)
        except Recorded:
            continue
        for workflow in made if isinstance(made, list) else [made] if made is not None else []:
            record(workflow.to_workflow_def())


def unit_test(module: Any) -> None:
    case = module.WorkflowUnitTest("test_workflow_execution")
    case.workflow_executor, case.workflow_client = None, server().get_workflow_client()
    with contextlib.suppress(AssertionError, AttributeError, TypeError):  # it looks at the run, which there is not
        case.test_workflow_execution()


def record_journeys() -> None:
    for name, (kind, *chapters) in JOURNEYS.items():
        journey = object.__new__(getattr(importlib.import_module(name), kind))
        journey.metadata_client, journey.workflow_executor, journey.created_workflows = server(), None, []
        for chapter in chapters:
            getattr(journey, chapter)()
    importlib.import_module("lease_extension_example").register_workflow(server())


def record_ai_tasks() -> None:
    tests = importlib.import_module("test_ai_task_types").TestAITaskTypeRegistration
    tests.executor = None
    for name in sorted(each for each in vars(tests) if re.match(r"test_(0\d|1[0-4])", each)):
        case = tests(name)
        case._register_and_verify = stop
        try:
            getattr(case, name)()
        except Recorded:
            continue


for folder in ("examples", "examples/helloworld", "tests/integration", "."):
    sys.path.insert(0, str(CHECKOUT / folder))
sys.modules["markitdown"] = MagicMock()
for method in ("register", "execute", "start_workflow", "start_workflow_with_input"):
    setattr(ConductorWorkflow, method, stop)
os.getlogin = lambda: "me"
with contextlib.redirect_stdout(sys.stderr):
    record_examples()
    record_journeys()
    record_ai_tasks()
lines = (f"{json.dumps(name)}: {json.dumps(recorded[name], ensure_ascii=False)}" for name in sorted(recorded))
print("{", ",\n".join(lines), "}", sep="\n")
