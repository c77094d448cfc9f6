"""`python -m conductor_async dev`"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dev(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "conductor_async", "dev", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(ending: signal.Signals) -> None:
    with dev("--port", "0") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/api", first)
        assert url, first
        with httpx.Client(trust_env=False) as http:
            assert http.get(url[0].removesuffix("/api") + "/health").json()["healthy"] is True
            assert http.get(f"{url[0]}/version").text == "3.32.3"
        process.send_signal(ending)
        assert process.wait(timeout=20) == 0
        # Not communicate(): that does not see what was read with the first line.
        assert process.stderr is not None
        rest, errors = process.stdout.read(), process.stderr.read()
        assert errors == ""
        assert "Everything is in memory" in rest
        assert "LocalServer(port=8080)" in rest
        assert f"CONDUCTOR_SERVER_URL={url[0]}" in rest


def test_an_invalid_port_is_one_line_of_error() -> None:
    with dev("--port", "99999") as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == "port must be from 0 (any free port) to 65535, not 99999\n"


def test_a_port_in_use_is_one_line_of_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with dev("--port", port) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith(f"Cannot listen on port {port} of 127.0.0.1")
    assert errors.count("\n") == 1
