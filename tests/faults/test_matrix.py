"""Each fault on each of a worker's requests, and on safe starts: nothing is lost, orphaned or leaked.

On queues in this process, through real sockets. What is left IN_PROGRESS when the host has gone is an orphan.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import ConductorError, WorkerHost, worker_task
from tests.fakes.clients import AT_ONCE, NEVER, client_of
from tests.faults.leaks import nothing_leaks
from tests.faults.queue_server import QueueServer
from tests.faults.rig import Failing, Fault, Operation, Rig, between

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conductor_async.hooks import Call

pytestmark = [pytest.mark.thorough, pytest.mark.anyio]

#: On trio the transport is another one: what cuts connections is tried there, too.
ON_BOTH = {Fault.OUTAGE, Fault.CLOSED, Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.STALL_AFTER, Fault.CUT_AFTER}
CASES = [
    pytest.param(library, fault, id=f"{fault.name.lower()}-{library}")
    for fault in Fault
    for library in (["asyncio", "trio"] if fault in ON_BOTH else ["asyncio"])
]
each_fault = pytest.mark.parametrize(("anyio_backend", "fault"), CASES, indirect=["anyio_backend"])


class Requests:
    """Counts the requests that a client has made, whether or not they arrived."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def on_call_start(self, call: Call) -> None:
        pass

    def on_call_end(self, call: Call) -> None:
        self.made[call.route] += call.attempts

    def polls(self) -> int:
        return sum(count for route, count in self.made.items() if "poll" in route)


def timeout_for(fault: Fault) -> float:
    """Seconds for a request: short where the fault makes the client wait for it."""
    return 0.5 if fault.takes_a_timeout else 10.0


@asynccontextmanager
async def hosting(rig: Rig, fault: Fault, worker: Any, **options: Any) -> AsyncIterator[Requests]:
    """A host on the far side of the rig. Nothing may be left of it."""
    requests = Requests()
    async with nothing_leaks():
        client = client_of(rig, retry=NEVER, timeout=timeout_for(fault), hooks=[requests])
        async with client as conductor, WorkerHost(conductor, [worker], **{"poll_timeout": 0.15, **options}):
            yield requests
        await rig.all_closed()


class Runs(Counter[str]):
    """How often the function was run for each task."""

    def worker(self, *, seconds: float = 0.0, **options: Any) -> Any:
        @worker_task("job", **{"concurrency": 2, **options})
        async def job(number: str) -> dict[str, str]:
            self[number] += 1
            await anyio.sleep(seconds)
            return {"number": number}

        return job


def nothing_lost(server: QueueServer, runs: Runs) -> None:
    """Every task is done, by the result of its own one run."""
    assert server.statuses() == ["COMPLETED"] * len(server.jobs)
    for job in server.jobs.values():
        done = [result for result in job.accepted if result["status"] == "COMPLETED"]
        assert [result["outputData"] for result in done] == [{"number": job.task_id}]
    assert runs == dict.fromkeys(server.jobs, 1)


def expected(requests: int, fault: Fault) -> range:
    """So many; an outage may befall the requests of both slots, each time."""
    return range(requests, requests + (4 if fault is Fault.OUTAGE else 1))


@each_fault
async def test_polls(fault: Fault, seed: int):
    times = random.Random(seed).randint(1, 2)
    server, runs = QueueServer(), Runs()
    async with between(server.answer, Failing(Operation.POLL, fault, times), seed=seed) as rig:
        server.put(3)
        async with hosting(rig, fault, runs.worker()) as requests:
            await server.until(lambda: "COMPLETED" in server.statuses() and len(set(server.statuses())) == 1)
        nothing_lost(server, runs)
        # Not one request more than the host has made: nothing below it repeats a poll.
        refused = requests.polls() - rig.seen(Operation.POLL)
        assert refused == 0 or (fault in (Fault.OUTAGE, Fault.CLOSED) and refused > 0)


@each_fault
async def test_results_by_v1(fault: Fault, seed: int):
    times = random.Random(seed).randint(1, 3)
    server, runs = QueueServer(has_v2=False), Runs()
    async with between(server.answer, Failing(Operation.RESULT, fault, times), seed=seed) as rig:
        server.put(4)
        async with hosting(rig, fault, runs.worker()):
            await server.until(lambda: server.statuses() == ["COMPLETED"] * 4)
        nothing_lost(server, runs)
        assert rig.seen(Operation.UPDATE_V2) <= 2  # one a slot, to find out that there is none
        # Each task's result once, and once more for each that failed.
        assert rig.seen(Operation.RESULT) - rig.injected(Operation.RESULT) in expected(4, fault)
        lost = sum(f is not None and f.loses_the_answer for op, f in rig.log if op is Operation.RESULT)
        assert sum(job.ignored for job in server.jobs.values()) in expected(lost, fault)


@each_fault
async def test_results_by_v2(fault: Fault, seed: int):
    times = random.Random(seed).randint(1, 2)
    server, runs = QueueServer(), Runs()
    async with between(server.answer, Failing(Operation.UPDATE_V2, fault, times), seed=seed) as rig:
        server.put(6)
        async with hosting(rig, fault, runs.worker()):
            await server.until(lambda: server.statuses() == ["COMPLETED"] * 6)
        nothing_lost(server, runs)
        # What failed by v2 goes by v1, which hands nothing out that could be lost.
        sent = rig.seen(Operation.UPDATE_V2) + rig.seen(Operation.RESULT)
        assert sent - rig.injected(Operation.UPDATE_V2) in expected(6, fault)


@each_fault
async def test_results_while_the_host_stops(fault: Fault, seed: int):
    times = random.Random(seed).randint(1, 2)
    server, runs = QueueServer(), Runs()
    async with between(server.answer, Failing(Operation.RESULT, fault, times), seed=seed) as rig:
        server.put(2)
        async with hosting(rig, fault, runs.worker(seconds=0.2), grace=10):
            await server.until(lambda: len(runs) == 2)
        nothing_lost(server, runs)
        assert rig.seen(Operation.RESULT) - rig.injected(Operation.RESULT) in expected(2, fault)


@each_fault
async def test_handing_back_while_the_host_stops(fault: Fault, seed: int):
    times = random.Random(seed).randint(1, 2)
    server, runs = QueueServer(), Runs()
    async with between(server.answer, Failing(Operation.HAND_BACK, fault, times), seed=seed) as rig:
        server.put(2)
        async with hosting(rig, fault, runs.worker(seconds=60), grace=0):
            await server.until(lambda: len(runs) == 2)
        assert server.statuses() == ["SCHEDULED"] * 2
        assert rig.seen(Operation.HAND_BACK) - rig.injected(Operation.HAND_BACK) in expected(2, fault)


@each_fault
async def test_the_last_poll_of_a_host_that_stops(fault: Fault, seed: int):
    """The task comes while the host waits for its poll to end, and the answer fails."""
    server, runs = QueueServer(), Runs()
    async with between(server.answer, Failing(Operation.POLL, fault), seed=seed) as rig:
        async with hosting(rig, fault, runs.worker()):
            await anyio.sleep(0.05)
            server.put()
        assert server.statuses() in (["SCHEDULED"], ["COMPLETED"])
        assert runs.total() == (server.statuses() == ["COMPLETED"])


async def _kept(fault: Fault, seed: int, log: dict[Fault, list[str]]) -> None:
    """A task that runs longer than its response timeout, and the first extensions fail."""
    server, runs = QueueServer(has_v2=False, response_timeout=5), Runs()
    async with between(server.answer, Failing(Operation.LEASE, fault), seed=seed) as rig:
        server.put()
        client = client_of(rig, retry=NEVER, timeout=timeout_for(fault))
        async with client as conductor, WorkerHost(conductor, [runs.worker(seconds=6)], poll_timeout=0.3):
            await server.until(lambda: server.statuses() not in (["SCHEDULED"], ["IN_PROGRESS"]))
        log[fault] = server.statuses()
        assert rig.seen(Operation.LEASE) >= 3
    await rig.all_closed()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_leases(seed: int):
    """All faults at once, each with a server of its own: it takes seconds until a lease is due."""
    log: dict[Fault, list[str]] = {}
    async with nothing_leaks(), anyio.create_task_group() as group:
        for fault in Fault:
            group.start_soon(_kept, fault, seed, log)
    assert log == {fault: ["COMPLETED"] for fault in Fault}


@pytest.mark.parametrize("operation", [Operation.LOOK, Operation.START], ids=["look", "start"])
@each_fault
async def test_safe_starts(fault: Fault, operation: Operation, seed: int):
    """One execution for the key, or an error that says what happened; asked again, one execution for the key."""
    times = random.Random(seed).randint(1, 2)
    server = QueueServer()
    async with between(server.answer, Failing(operation, fault, times), seed=seed) as rig, nothing_leaks():
        async with client_of(rig, retry=AT_ONCE, timeout=timeout_for(fault)) as conductor:
            ids: list[str] = []
            errors: list[ConductorError] = []
            with anyio.fail_after(30):
                while len(ids) < 2:  # asked again until it works, and then once more
                    try:
                        handle = await conductor.executor.start("flow", dedupe_key="order-42", dedupe_window=0.1)
                    except ConductorError as error:
                        errors.append(error)
                        await anyio.sleep(0.05)  # an outage takes its time
                    else:
                        ids.append(handle.workflow_id)
        assert server.started["order-42"] == ids[:1] == ids[1:]
        assert all("/workflow" in str(error) or "order-42" in str(error) for error in errors), errors
        lost = sum(f is not None and f.loses_the_answer for op, f in rig.log if op is Operation.START)
        assert rig.reached(Operation.START) == 1 or rig.reached(Operation.START) == lost
