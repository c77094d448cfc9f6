"""The pytest plugin: `--conductor=embedded|local|URL`, and the fixtures `conductor_env` and `conductor`.

pytest loads it wherever conductor-async is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from conductor_async.client import ConductorClient
    from conductor_async.testing._environment import WorkflowEnvironment

__all__ = ["conductor", "conductor_env", "pytest_addoption", "pytest_configure", "pytest_report_header"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option `--conductor`, and `conductor` for the configuration file."""
    text = "the Conductor of `conductor_env`: embedded, local (a real server, started for this run), or a server's URL"
    parser.getgroup("conductor").addoption("--conductor", metavar="embedded|local|URL", help=text)
    parser.addini("conductor", f"{text}. The option --conductor overrides it.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Rejects an unknown Conductor before the first test."""
    which = _which(config)
    if which not in ("", "embedded", "local") and "://" not in which:
        raise pytest.UsageError(f"there is no conductor {which!r}: use embedded, local or the URL of a server's API")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Reports the Conductor, unless it is the default."""
    which = _which(config)
    return f"conductor: {which}" if which else None


def _which(config: pytest.Config) -> str:
    """Returns the chosen Conductor; empty if none was chosen."""
    return str(config.getoption("--conductor") or config.getini("conductor") or "")


@pytest.fixture(scope="session")
def _conductor_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of this run's real server. Its event loop is in a thread, because each test has a loop of its own."""
    from conductor_async.localserver import LocalServer

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(LocalServer()) as server:
        yield server.url


async def _environment(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowEnvironment]:
    from conductor_async.testing._environment import WorkflowEnvironment

    match _which(request.config):
        case "":
            environment = WorkflowEnvironment.from_env()
        case "local":
            environment = WorkflowEnvironment.connect(request.getfixturevalue("_conductor_server"))
        case which:
            environment = WorkflowEnvironment.named(which)
    async with environment:
        yield environment


_conductor_env_of_anyio = pytest.fixture(_environment, name="_conductor_env_of_anyio")

try:
    import pytest_asyncio
except ImportError:
    pass
else:
    _conductor_env_of_asyncio = pytest_asyncio.fixture(_environment, name="_conductor_env_of_asyncio")


@pytest.fixture
def conductor_env(request: pytest.FixtureRequest) -> WorkflowEnvironment:
    """A `WorkflowEnvironment` for the test: embedded, unless `--conductor` or CONDUCTOR_SERVER_URL says otherwise.

    It is for async tests that anyio's plugin or pytest-asyncio runs.
    """
    if "anyio_backend" in request.fixturenames:
        found: WorkflowEnvironment = request.getfixturevalue("_conductor_env_of_anyio")
    elif request.node.get_closest_marker("asyncio"):
        found = request.getfixturevalue("_conductor_env_of_asyncio")
    else:
        pytest.fail("conductor_env is for async tests: mark them with pytest.mark.anyio or pytest.mark.asyncio")
    return found


@pytest.fixture
def conductor(conductor_env: WorkflowEnvironment) -> ConductorClient:
    """The client of `conductor_env`."""
    return conductor_env.client
