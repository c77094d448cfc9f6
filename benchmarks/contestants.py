"""Who takes part in the benchmarks, each behind the same few verbs. Its libraries are imported when it is made.

All of them send a token. Ours runs with everything on: authentication, retries, validation and a metrics hook.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from executions import execution_id, start_request

TOKEN = "null-server-token"
POOL = 100  # connections, for everyone
NOWHERE = "http://127.0.0.1:1"  # for those who only parse and dump
logging.disable(logging.INFO)


class Contestant:
    """One client, with the calls and the models that are measured."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def start(self) -> str:
        raise NotImplementedError

    async def get(self, workflow_id: str) -> Any:
        raise NotImplementedError

    async def run(self, tasks: int | None, calls: int, concurrency: int) -> None:
        """So many calls by so many workers: gets of executions with so many tasks, every time another id; or starts."""
        left = iter(range(calls))

        async def work() -> None:
            for serial in left:
                await (self.get(execution_id(tasks, serial)) if tasks else self.start())

        await asyncio.gather(*(work() for _ in range(concurrency)))

    def parse(self, body: bytes) -> Any:
        raise NotImplementedError

    def dump(self, workflow: Any) -> bytes:
        raise NotImplementedError


class Ours(Contestant):
    def __init__(self, url: str = NOWHERE) -> None:
        import conductor_async
        from conductor_async import models

        class Metrics:
            def __init__(self) -> None:
                self.calls: Counter[tuple[str, str, int | None]] = Counter()
                self.seconds: Counter[str] = Counter()

            def on_call_start(self, call: Any) -> None:
                call.context["seen"] = True

            def on_call_end(self, call: Any) -> None:
                self.calls[call.method, call.route, call.status] += 1
                self.seconds[call.route] += call.elapsed

        auth = conductor_async.AuthenticationSettings(key_id="key", key_secret="secret")
        configuration = conductor_async.Configuration(url + "/api", authentication_settings=auth, hooks=[Metrics()])
        self.client = conductor_async.ConductorClient(configuration)
        self.models = models

    async def __aenter__(self):
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.aclose()

    async def start(self) -> str:
        return await self.client.workflow.start_workflow(self.models.StartWorkflowRequest(**start_request()))

    async def get(self, workflow_id: str) -> Any:
        return await self.client.workflow.get_workflow(workflow_id)

    def parse(self, body: bytes) -> Any:
        return self.models.Workflow.model_validate_json(body)

    def dump(self, workflow: Any) -> bytes:
        return self.models.encode_json(workflow)


class Aiohttp(Contestant):
    """The floor: a bare aiohttp session and the json module."""

    def __init__(self, url: str = "") -> None:
        self.url = url

    async def __aenter__(self):
        import aiohttp

        headers = {"X-Authorization": TOKEN, "Content-Type": "application/json"}
        self.session = aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=POOL))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.session.close()

    async def start(self) -> str:
        body = json.dumps(start_request()).encode()
        async with self.session.post(f"{self.url}/api/workflow", data=body) as response:
            return await response.text()

    async def get(self, workflow_id: str) -> Any:
        async with self.session.get(f"{self.url}/api/workflow/{workflow_id}?includeTasks=true") as response:
            return json.loads(await response.read())

    def parse(self, body: bytes) -> Any:
        return json.loads(body)

    def dump(self, workflow: Any) -> bytes:
        return json.dumps(workflow).encode()


class Httpx(Contestant):
    """httpx as it comes: its own connection pool."""

    def __init__(self, url: str = "") -> None:
        self.url = url

    async def __aenter__(self):
        import httpx

        limits = httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL)
        self.client = httpx.AsyncClient(base_url=self.url, headers={"X-Authorization": TOKEN}, limits=limits)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.aclose()

    async def start(self) -> str:
        return (await self.client.post("/api/workflow", json=start_request())).text

    async def get(self, workflow_id: str) -> Any:
        return (await self.client.get(f"/api/workflow/{workflow_id}", params={"includeTasks": "true"})).json()


class Peer2(Contestant):
    """conductor-python 2.0: blocking, so its concurrency is threads."""

    def __init__(self, url: str = NOWHERE) -> None:
        from conductor.client.configuration.configuration import Configuration
        from conductor.client.configuration.settings.authentication_settings import AuthenticationSettings
        from conductor.client.http.models import StartWorkflowRequest
        from conductor.client.orkes_clients import OrkesClients

        auth = AuthenticationSettings("key", "secret") if url != NOWHERE else None  # it fetches a token at once
        configuration = Configuration(server_api_url=url + "/api", authentication_settings=auth)
        self.client = OrkesClients(configuration).get_workflow_client()
        self.request_class = StartWorkflowRequest

    def blocking_start(self) -> str:
        request = start_request()
        return self.client.start_workflow(
            self.request_class(
                name=request["name"],
                version=request["version"],
                correlation_id=request["correlationId"],
                input=request["input"],
                priority=request["priority"],
            )
        )

    async def run(self, tasks: int | None, calls: int, concurrency: int) -> None:
        left = iter(range(calls))

        def work() -> None:
            for serial in left:
                self.client.get_workflow(execution_id(tasks, serial)) if tasks else self.blocking_start()

        with ThreadPoolExecutor(concurrency) as pool:
            for future in [pool.submit(work) for _ in range(concurrency)]:
                future.result()

    def parse(self, body: bytes) -> Any:
        class Answer:
            data = body.decode()

            def json(self) -> Any:
                return json.loads(self.data)

        return self.client.api_client.deserialize(Answer(), "Workflow")

    def dump(self, workflow: Any) -> bytes:
        return json.dumps(self.client.api_client.sanitize_for_serialization(workflow)).encode()


class Peer1(Contestant):
    """The asyncio_client of conductor-python 1.2."""

    def __init__(self, url: str = NOWHERE) -> None:
        from conductor.asyncio_client.adapters import ApiClient
        from conductor.asyncio_client.adapters.models import StartWorkflowRequest
        from conductor.asyncio_client.configuration import Configuration
        from conductor.asyncio_client.orkes.orkes_clients import OrkesClients

        configuration = Configuration(server_url=url + "/api", api_key={"api_key": TOKEN})
        self.api_client = ApiClient(configuration)
        self.client = OrkesClients(self.api_client, configuration).get_workflow_client()
        self.request_class = StartWorkflowRequest

    async def __aexit__(self, *exc_info: object) -> None:
        await self.api_client.close()

    async def start(self) -> str:
        return await self.client.start_workflow(self.request_class(**start_request()))

    async def get(self, workflow_id: str) -> Any:
        return await self.client.get_workflow(workflow_id, include_tasks=True)

    def parse(self, body: bytes) -> Any:
        return self.api_client.deserialize(body.decode(), "Workflow", "application/json")

    def dump(self, workflow: Any) -> bytes:
        return json.dumps(self.api_client.sanitize_for_serialization(workflow)).encode()


CLASSES: dict[str, type[Contestant]] = {"ours": Ours, "aiohttp": Aiohttp, "httpx": Httpx, "2.0": Peer2, "1.2": Peer1}


@contextlib.asynccontextmanager
async def opened(name: str, url: str):
    """The contestant of that name, connected to the null server."""
    async with CLASSES[name](url) as contestant:
        yield contestant
