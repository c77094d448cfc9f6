"""A FastAPI service that starts workflows and shows their results. Client and workers live as long as the service.

```console
pip install fastapi uvicorn
uvicorn fastapi_app:app
curl -X POST localhost:8000/greetings -H 'Content-Type: application/json' -d '{"name": "Ada"}'
curl localhost:8000/greetings/$WORKFLOW_ID
curl localhost:8000/health
```

Its Conductor is in the same process, unless CONDUCTOR_SERVER_URL names a server. A service in production has
`ConductorClient()` in place of `client_from_env()`.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations below, some of which are local names.
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask, WorkerHost, worker_task
from conductor_async.embedded import client_from_env
from conductor_async.errors import NotFoundError
from conductor_async.worker import HostHealth


@worker_task(task_definition_name="fastapi_greet")
async def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


def greetings(conductor: ConductorClient) -> ConductorWorkflow:
    workflow = ConductorWorkflow(executor=conductor.executor, name="fastapi_greetings", version=1)
    task = SimpleTask(task_def_name="fastapi_greet", task_reference_name="greet_ref")
    task.input_parameters["name"] = workflow.input.name
    workflow >> task
    return workflow.output_parameters({"greeting": task.output.greeting})


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Opened when the service starts, closed when it stops: the workers first, then the client."""
    async with client_from_env() as conductor:
        workflow = greetings(conductor)
        await workflow.register(overwrite=True)
        async with WorkerHost(conductor, [greet]) as host:
            app.state.conductor, app.state.greetings, app.state.host = conductor, workflow, host
            yield


app = FastAPI(lifespan=lifespan)


def conductor_of(request: Request) -> ConductorClient:
    conductor: ConductorClient = request.app.state.conductor
    return conductor


class Person(BaseModel):
    name: str


class Started(BaseModel):
    workflow_id: str


class Greeting(BaseModel):
    status: str
    greeting: str | None


@app.post("/greetings", status_code=202)
async def start(person: Person, request: Request) -> Started:
    handle = await request.app.state.greetings.start({"name": person.name})
    return Started(workflow_id=handle.workflow_id)


@app.get("/greetings/{workflow_id}")
async def result(workflow_id: str, conductor: Annotated[ConductorClient, Depends(conductor_of)]) -> Greeting:
    try:
        state = await conductor.workflow.get_workflow_status(workflow_id, include_output=True)
    except NotFoundError as error:
        raise HTTPException(404, error.message) from error
    return Greeting(status=state.status, greeting=state.output.get("greeting"))


@app.get("/health")
async def health(request: Request, response: Response) -> HostHealth:
    """For probes: 503 while a worker cannot poll, or something blocks the event loop."""
    how_it_is: HostHealth = request.app.state.host.health()
    response.status_code = 200 if how_it_is.is_healthy else 503
    return how_it_is
