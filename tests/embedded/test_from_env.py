"""`client_from_env`: a server if the environment names one, or else a Conductor in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async import ConfigurationError, TaskDef
from conductor_async.embedded import EmbeddedConductor, client_from_env
from conductor_async.errors import ClientClosedError

if TYPE_CHECKING:
    from conductor_async.hooks import Call

pytestmark = pytest.mark.asyncio  # a port needs it


class Recorder:
    """A hook that remembers what was called."""

    def __init__(self) -> None:
        self.routes: list[str] = []

    def on_call_start(self, call: Call, /) -> None:
        pass

    def on_call_end(self, call: Call, /) -> None:
        self.routes.append(call.route)


async def test_without_a_server_the_conductor_is_in_this_process_and_ends_with_the_context() -> None:
    async with client_from_env() as conductor:
        await conductor.metadata.register_task_def(TaskDef(name="greet"))
        assert conductor.configuration.server_api_url == "http://embedded.conductor/api"
    with pytest.raises(ClientClosedError):
        await conductor.metadata.get_all_task_defs()
    async with client_from_env() as another:
        assert await another.metadata.get_all_task_defs() == []


async def test_a_server_url_in_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with EmbeddedConductor() as embedded, embedded.serving() as url:
        await embedded.client.metadata.register_task_def(TaskDef(name="greet"))
        monkeypatch.setenv("CONDUCTOR_SERVER_URL", url)
        async with client_from_env() as conductor:
            assert [each.name for each in await conductor.metadata.get_all_task_defs()] == ["greet"]
    with pytest.raises(ClientClosedError):
        await conductor.metadata.get_all_task_defs()


async def test_an_invalid_server_url_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "conductor:8080")
    with pytest.raises(ConfigurationError, match="must look like"):
        async with client_from_env():
            pass


@pytest.mark.parametrize("named", [False, True])
async def test_hooks_are_called_for_a_server_and_in_memory(monkeypatch: pytest.MonkeyPatch, *, named: bool) -> None:
    recorder = Recorder()
    async with EmbeddedConductor() as embedded, embedded.serving() as url:
        if named:
            monkeypatch.setenv("CONDUCTOR_SERVER_URL", url)
        async with client_from_env(hooks=[recorder]) as conductor:
            await conductor.metadata.get_all_task_defs()
    assert recorder.routes == ["/metadata/taskdefs"]
