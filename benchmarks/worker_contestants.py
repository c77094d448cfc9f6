"""Who takes part in the benchmark of workers: each serves task types with a trivial function until it is told to stop.

conductor-python 2.0 starts a process for each worker. Here its runner runs in the measured process, as it does in that
one, so that what is compared is a process: many types are then as many runners in one process, which is kinder to it
than it is to itself. This module evaluates its annotations, because those that are text fail every task in 2.0.
"""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

Done = Callable[[], None]


class Progress:
    """Counts tasks, and notes wall time, CPU time and requests from the end of the warm-up to the end."""

    def __init__(self, warm_up: int, total: int, requests: Callable[[], int]) -> None:
        self.stop = threading.Event()
        self._serial = itertools.count(1)  # threads count too
        self._warm_up = warm_up
        self._total = warm_up + total
        self._requests = requests  # how many since it was last asked
        self._begin = (0.0, 0.0)
        self.wall = self.cpu = self.requests = 0.0

    def done(self) -> None:
        number = next(self._serial)
        if number == self._warm_up:
            self._requests()
            self._begin = (time.perf_counter(), time.process_time())
        elif number == self._total:
            self.wall = time.perf_counter() - self._begin[0]
            self.cpu = time.process_time() - self._begin[1]
            self.requests = self._requests()
            self.stop.set()


async def _told(stop: threading.Event) -> None:
    await asyncio.to_thread(stop.wait)  # costs nothing while it waits


async def serve_ours(url: str, types: list[str], slots: int, stop: threading.Event, done: Done) -> None:
    from conductor_async import ConductorClient, Configuration, WorkerHost, worker_task

    class Metrics:
        def __init__(self) -> None:
            self.calls = 0
            self.seconds = 0.0

        def on_call_start(self, call: Any) -> None:
            call.context["seen"] = True

        def on_call_end(self, call: Any) -> None:
            self.calls += 1
            self.seconds += call.elapsed

    async def work(order: dict[str, Any] | None = None, customer: dict[str, Any] | None = None) -> dict[str, bool]:
        done()
        return {"ok": True}

    workers = [worker_task(name, concurrency=slots)(work) for name in types]
    client = ConductorClient(Configuration(url + "/api", hooks=[Metrics()]))
    async with client as conductor, WorkerHost(conductor, workers, grace=1):
        await _told(stop)


async def serve_aiohttp(url: str, types: list[str], slots: int, stop: threading.Event, done: Done) -> None:
    """The floor: each slot polls, then goes on with what update-v2 brings. Nothing is checked, nothing is repeated."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def slot(name: str) -> None:
            poll = f"{url}/api/tasks/poll/batch/{name}?workerid=w&count=1&timeout=5000"
            while not stop.is_set():
                async with session.get(poll) as answer:
                    tasks = json.loads(await answer.read())
                task = tasks[0] if tasks else None
                while task and not stop.is_set():
                    done()
                    result = {
                        "taskId": task["taskId"],
                        "workflowInstanceId": task["workflowInstanceId"],
                        "workerId": "w",
                        "status": "COMPLETED",
                        "outputData": {"ok": True},
                    }
                    body = json.dumps(result).encode()
                    headers = {"Content-Type": "application/json"}
                    async with session.post(f"{url}/api/tasks/update-v2", data=body, headers=headers) as answer:
                        task = json.loads(await answer.read()) if answer.status == 200 else None

        running = [asyncio.create_task(slot(name)) for name in types for _ in range(slots)]
        await _told(stop)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _peer(url: str) -> Any:
    from conductor.client.configuration.configuration import Configuration

    return Configuration(server_api_url=url + "/api")


async def serve_peer_async(url: str, types: list[str], slots: int, stop: threading.Event, done: Done) -> None:
    from conductor.client.automator.async_task_runner import AsyncTaskRunner
    from conductor.client.worker.worker import Worker

    async def work(order: dict = {}, customer: dict = {}):  # noqa: B006 - read only
        done()
        return {"ok": True}

    runners = [AsyncTaskRunner(Worker(name, work, thread_count=slots), _peer(url)) for name in types]
    running = [asyncio.create_task(runner.run()) for runner in runners]
    await _told(stop)
    for runner in runners:
        await runner.stop()
    await asyncio.wait(running, timeout=5)


async def serve_peer_sync(url: str, types: list[str], slots: int, stop: threading.Event, done: Done) -> None:
    from conductor.client.automator.task_runner import TaskRunner
    from conductor.client.worker.worker import Worker

    def work(order: dict = {}, customer: dict = {}):  # noqa: B006 - read only
        done()
        return {"ok": True}

    runners = [TaskRunner(Worker(name, work, thread_count=slots), _peer(url)) for name in types]
    threads = [threading.Thread(target=runner.run, daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    await _told(stop)
    for runner in runners:
        runner.stop()
    for thread in threads:
        await asyncio.to_thread(thread.join, 5)


SERVE = {
    "ours": serve_ours,
    "aiohttp": serve_aiohttp,
    "2.0 async": serve_peer_async,
    "2.0 sync": serve_peer_sync,
}
