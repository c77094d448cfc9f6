"""The FastAPI example under a real uvicorn: a workflow started by POST, its result by GET, a clean end at SIGTERM.

It runs on a server that the environment names, and without one.
"""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Service:
    """The example app in a process of its own, on a port that the system chose."""

    def __init__(self, log: Path, **environment: str) -> None:
        self._log = log
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--app-dir", ROOT / "examples", "--port", "0"],
                env=os.environ | environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self.url = self._ready()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _ready(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", self.log):
                return found[1]
            assert self.process.poll() is None, self.log
            time.sleep(0.05)
        raise AssertionError(f"not ready after 60 s:\n{self.log}")


@pytest.fixture
def service(server_url: str, tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "uvicorn.log", CONDUCTOR_SERVER_URL=server_url)
    yield service
    # Not killed: a poll that it leaves behind would take the task of the next test with it.
    service.process.terminate()
    service.process.wait(timeout=30)


@pytest.mark.server
def test_start_by_post_and_result_by_get(service: Service, server_url: str) -> None:
    with httpx.Client(base_url=service.url, timeout=30) as http:
        started = http.post("/greetings", json={"name": "Ada"})
        assert started.status_code == 202
        workflow_id = started.json()["workflow_id"]

        deadline = time.monotonic() + 30
        while (answer := http.get(f"/greetings/{workflow_id}").json())["status"] == "RUNNING":
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        assert answer == {"status": "COMPLETED", "greeting": "Hello, Ada"}
        assert http.get("/greetings/nobody-started-this").status_code == 404
        health = http.get("/health")
        [poller] = health.json()["pollers"]
        assert (health.status_code, health.json()["state"], poller["task_type"]) == (200, "running", "fastapi_greet")

    held = httpx.get(f"{server_url}/workflow/{workflow_id}").json()
    assert (held["status"], held["output"]) == ("COMPLETED", {"greeting": "Hello, Ada"})


@pytest.mark.server
@pytest.mark.only_on("server", reason="without a server it runs in its own process, as the other test shows")
def test_in_a_test_client_the_lifespan_runs_the_workers(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", server_url)
    greet_in_a_test_client()


def test_without_a_server_it_brings_its_own() -> None:
    greet_in_a_test_client()


def greet_in_a_test_client() -> None:
    app = runpy.run_path(str(ROOT / "examples" / "fastapi_app.py"))["app"]
    with TestClient(app) as client:
        workflow_id = client.post("/greetings", json={"name": "Grace"}).json()["workflow_id"]
        deadline = time.monotonic() + 30
        while (answer := client.get(f"/greetings/{workflow_id}").json())["status"] == "RUNNING":
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
    assert answer == {"status": "COMPLETED", "greeting": "Hello, Grace"}


@pytest.mark.server
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can answer")
def test_sigterm_closes_workers_and_client_and_ends_the_service(service: Service) -> None:
    httpx.get(f"{service.url}/greetings/nobody-started-this")

    service.process.send_signal(signal.SIGTERM)
    service.process.wait(timeout=30)

    assert "Application shutdown complete." in service.log
    assert "Finished server process" in service.log
    assert "Traceback" not in service.log
    assert "Unclosed" not in service.log
    assert "never retrieved" not in service.log
