"""`python -m conductor_async worker …`, as a process, on a real server."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path  # noqa: TC003 - the fixtures of pytest
from typing import Any

import anyio
import httpx
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask, TaskDef
from conductor_async.cli import main

NewName = Callable[[str], str]

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can answer")

SHOP = """
import time
from pathlib import Path
from conductor_async import WorkerHost, worker_task

@worker_task("{name}")
def pack(seconds: float = 0.0) -> str:
    print("packing", flush=True)
    time.sleep(seconds)
    return "packed"

nothing: list[object] = []
workers = [pack]
number = 7

def make_host(conductor):
    return WorkerHost(conductor, [pack])

def make_none(conductor):
    return None

async def undecorated(order):
    return order

def make_broken(conductor):
    raise LookupError("no such shop")
"""


class Process:
    """The command in a folder with a module `shop`."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "conductor_async", "worker", *arguments],
                cwd=folder,
                env=os.environ | environment,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def until(self, text: str, within: float = 30) -> None:
        """Waits until it has printed this, on either side."""
        deadline = time.monotonic() + within
        while not re.search(text, self.out + self.err):
            assert self._process.poll() is None, self.err
            assert time.monotonic() < deadline, self.err
            time.sleep(0.02)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def code(self, within: float = 15) -> int:
        return self._process.wait(within)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@pytest.fixture
def task_type(new_name: NewName) -> str:
    return new_name("cli_pack")


@pytest.fixture
def run(tmp_path: Path, task_type: str) -> Iterator[Callable[..., Process]]:
    (tmp_path / "shop.py").write_text(SHOP.format(name=task_type))
    started: list[Process] = []

    def start(*arguments: str, **environment: str) -> Process:
        started.append(Process(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for process in started:
        process.end()


@pytest.fixture
def here(tmp_path: Path, task_type: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """The command in this process, for what ends before anything runs."""
    (tmp_path / "shop.py").write_text(SHOP.format(name=task_type))
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda *arguments: main(["worker", *arguments])
    sys.modules.pop("shop", None)


@pytest.fixture
async def conductor(server_url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


async def start(conductor: ConductorClient, task_type: str, **inputs: Any) -> str:
    await conductor.metadata.register_task_def(TaskDef(name=task_type, retry_count=0, response_timeout_seconds=60))
    workflow = ConductorWorkflow(executor=conductor.executor, name=f"{task_type}_flow", version=1)
    task = SimpleTask(task_type, "ref")
    task.input_parameters.update(inputs)
    workflow >> task
    return (await workflow.start()).workflow_id


async def task_of(conductor: ConductorClient, workflow_id: str) -> Any:
    [task] = (await conductor.workflow.get_workflow(workflow_id)).tasks
    return task


@needs_signals
@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("app", ["shop:pack", "shop:workers", "shop:make_host"])
async def test_it_works_until_sigterm_and_exits_with_0(
    run: Callable[..., Process], conductor: ConductorClient, server_url: str, task_type: str, app: str
) -> None:
    process = run(app, "--server", server_url)
    workflow_id = await start(conductor, task_type)
    with anyio.fail_after(30):
        await conductor.executor.handle(workflow_id).result()
    process.tell(signal.SIGTERM)
    assert process.code() == 0, process.err
    assert (await task_of(conductor, workflow_id)).output_data == {"result": "packed"}
    assert "Traceback" not in process.err


@needs_signals
@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_running_task_is_finished_and_delivered_after_a_signal(
    run: Callable[..., Process], conductor: ConductorClient, server_url: str, task_type: str, number: signal.Signals
) -> None:
    process = run("shop", CONDUCTOR_SERVER_URL=server_url)
    workflow_id = await start(conductor, task_type, seconds=0.5)
    await anyio.to_thread.run_sync(process.until, "packing")
    process.tell(number)
    assert await anyio.to_thread.run_sync(process.code) == 0, process.err
    assert (await task_of(conductor, workflow_id)).status == "COMPLETED"


@needs_signals
@pytest.mark.server
@pytest.mark.anyio
async def test_metrics_are_served_on_a_port(
    run: Callable[..., Process], conductor: ConductorClient, server_url: str, task_type: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = run("shop", "--server", server_url, "--metrics-port", port)
    workflow_id = await start(conductor, task_type)
    with anyio.fail_after(30):
        await conductor.executor.handle(workflow_id).result()
    async with httpx.AsyncClient(trust_env=False) as http:
        shown = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    process.tell(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(process.code) == 0, process.err
    assert f'task_execution_started_total{{taskType="{task_type}"}} 1.0' in shown
    assert 'http_api_client_request_seconds_count{method="GET"' in shown


@needs_signals
@pytest.mark.server
@pytest.mark.anyio
async def test_a_second_signal_hands_running_tasks_back(
    run: Callable[..., Process], conductor: ConductorClient, server_url: str, task_type: str
) -> None:
    process = run("shop", "--server", server_url, "--grace", "60")
    workflow_id = await start(conductor, task_type, seconds=20)
    await anyio.to_thread.run_sync(process.until, "packing")
    process.tell(signal.SIGTERM)
    await anyio.to_thread.run_sync(process.until, "stops")
    process.tell(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(process.code) == 0, process.err
    assert (await task_of(conductor, workflow_id)).status == "SCHEDULED", "another worker may have it"


@needs_signals
@pytest.mark.server
@pytest.mark.anyio
async def test_after_the_grace_period_running_tasks_are_handed_back(
    run: Callable[..., Process], conductor: ConductorClient, server_url: str, task_type: str
) -> None:
    process = run("shop", "--server", server_url, "--grace", "0.2")
    workflow_id = await start(conductor, task_type, seconds=20)
    await anyio.to_thread.run_sync(process.until, "packing")
    process.tell(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(process.code) == 0, process.err
    assert (await task_of(conductor, workflow_id)).status == "SCHEDULED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "requires an argument"),
        (("shop", "--bogus"), "--bogus"),
        (("shop", "--log-level", "LOUD"), "LOUD"),
        (("nothing",), "there is no module 'nothing'"),
        (("./shop.py:workers",), "is a file: give the name of the module, 'shop:workers'"),
        (("shop:absent",), "The module 'shop' has no 'absent'"),
        (("shop:number",), "7 is neither workers nor a function that creates a WorkerHost"),
        (("shop:nothing",), "a WorkerHost needs at least one worker"),
        (("shop:make_none",), "returned None, not a WorkerHost"),
        (("shop:undecorated",), "decorate it with @worker_task"),
        (("shop:make_host", "--grace", "3"), "--grace and --metrics-port have no effect on a WorkerHost that the app"),
        (("shop", "--server", "ftp://x"), "server_api_url must look like http://localhost:8080/api"),
        (("shop", "--grace", "-1"), "grace must be at least 0 seconds"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage_errors_are_printed_and_exit_with_2(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert here(*arguments) == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_an_invalid_variable_is_printed_and_exits_with_2(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDUCTOR_WORKER_ALL_THREAD_COUNT", "many")
    assert here("shop") == 2
    assert "CONDUCTOR_WORKER_ALL_THREAD_COUNT must be a whole number" in capsys.readouterr().err


def test_a_port_in_use_is_printed_and_exits_with_2(run: Callable[..., Process]) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        process = run("shop", "--metrics-port", str(taken.getsockname()[1]))
        assert process.code() == 2
    assert "Cannot serve metrics on port" in process.err
    assert "Traceback" not in process.err


@pytest.mark.server
def test_an_error_of_the_server_exits_with_1(run: Callable[..., Process], server_url: str) -> None:
    # This API has no task definitions to register one in.
    process = run("shop", "--server", f"{server_url}/nothing-here", CONDUCTOR_WORKER_ALL_REGISTER_TASK_DEF="true")
    assert process.code() == 1, process.err
    assert "POST /metadata/taskdefs" in process.err
    assert "Traceback" not in process.err


@needs_signals
def test_ctrl_c_while_the_app_is_imported_shows_no_traceback(run: Callable[..., Process], tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = run("slow")
    process.until("importing")
    process.tell(signal.SIGINT)
    assert process.code() == 130
    assert process.err.splitlines()[-1] == "Interrupted"
    assert "Traceback" not in process.err


def test_an_exception_of_the_app_shows_its_traceback(run: Callable[..., Process]) -> None:
    process = run("shop:make_broken")
    assert process.code() == 1
    assert "LookupError: no such shop" in process.err
    assert "in make_broken" in process.err


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "cyclopts.py").write_text("raise ModuleNotFoundError(name='cyclopts')\n")
    done = subprocess.run(
        [sys.executable, "-m", "conductor_async", "worker", "shop"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "The command line needs the extra [cli]: pip install 'conductor-async[cli]'\n",
    )


def test_help_names_the_options() -> None:
    command = [sys.executable, "-m", "conductor_async", "worker", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert all(word in shown for word in ("--server", "--grace", "--log-level", "shop.main:workers"))
