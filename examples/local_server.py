"""A Conductor server of your own: it crashes, comes back on the same data, and a workflow goes on where it was.

```console
pip install 'conductor-async[server]'
python local_server.py
```

The first run downloads the server, which takes a while.
"""

from __future__ import annotations

import asyncio
import tempfile

from conductor_async import ConductorWorkflow, SimpleTask, WorkerHost, worker_task
from conductor_async.localserver import LocalServer


@worker_task(task_definition_name="local_server_greet")
async def greet(name: str) -> str:
    return f"Hello, {name}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with LocalServer(data_dir=folder) as server:
            print(f"{server.url} is process {server.pid}, its log is {server.log_path}")
            workflow = ConductorWorkflow(executor=server.client.executor, name="local_server_greetings", version=1)
            task = SimpleTask(task_def_name="local_server_greet", task_reference_name="greet_ref")
            task.input_parameters["name"] = workflow.input("name")
            workflow >> task
            workflow.output_parameters({"greeting": task.output("result")})
            await workflow.register(overwrite=True)
            handle = await workflow.start({"name": "Ada"})

            await server.kill()
            await server.start()
            print(f"{server.url} is back as process {server.pid}")

            async with WorkerHost(server.client, [greet]):
                output = await handle.result()
            print(f"{handle.workflow_id} went on and ended: {output['greeting']}")


if __name__ == "__main__":
    asyncio.run(main())
