"""The real server, started for these tests: each start costs some ten CPU seconds, so there are few."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import anyio
import psutil
import pytest

from conductor_async.errors import LocalServerError
from conductor_async.localserver import LocalServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.server, pytest.mark.real_server, pytest.mark.thorough, pytest.mark.anyio]

DEFINITION = {
    "name": "kept_across_restarts",
    "version": 1,
    "schemaVersion": 2,
    "ownerEmail": "owner@example.com",
    "tasks": [{"name": "wait", "taskReferenceName": "wait", "type": "WAIT", "inputParameters": {"duration": "1 h"}}],
}


async def ask(method: str, url: str, body: Any = None) -> tuple[int, str]:
    def send() -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await anyio.to_thread.run_sync(send)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_data_in_a_named_folder_survive_a_stop_and_a_crash(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    server = LocalServer(data_dir=tmp_path / "data ? with & odd # signs", log_path=tmp_path / "log")
    async with server:
        capfd.readouterr()  # the first start of all tells of its downloads
        pid, url = server.pid, server.url
        assert (await ask("GET", url.removesuffix("/api") + "/health"))[0] == 200
        assert psutil.Process(pid).net_connections("tcp")[0].laddr.ip.removeprefix("::ffff:") == "127.0.0.1"
        assert (await ask("PUT", f"{url}/metadata/workflow", [DEFINITION]))[0] == 200
        status, workflow_id = await ask("POST", f"{url}/workflow/{DEFINITION['name']}", {})
        assert status == 200
    assert not psutil.pid_exists(pid)

    async with server:
        assert (server.url, server.pid != pid) == (url, True)
        await server.kill()
        assert not psutil.pid_exists(server.pid)
        await server.start()
        status, text = await ask("GET", f"{url}/workflow/{workflow_id}")
        assert (status, json.loads(text)["status"]) == (200, "RUNNING")
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "worker-payload").exists()


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_ai_web_interface_client_and_secrets():
    async with LocalServer(ai=True, ui=True, env={"CONDUCTOR_SECRET_TOKEN": "hidden"}) as server:
        folder = server.data_dir
        assert await server.client.metadata.get_all_workflow_defs() == []
        status, page = await ask("GET", server.url.removesuffix("/api") + "/")
        assert status == 200
        assert "<html" in page
        assert (await ask("POST", server.url + "/secrets"))[0] == 200
    assert not folder.exists()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_server_that_cannot_start_says_why(tmp_path: Path):
    server = LocalServer(properties={"spring.datasource.url": "jdbc:nonsense:"}, log_path=tmp_path / "log")
    with pytest.raises(LocalServerError, match=r"did not start: (its log says|it ended with) ") as caught:
        await server.start()
    assert str(tmp_path / "log") in str(caught.value)
    assert "Description:" in str(caught.value)
