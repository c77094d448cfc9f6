"""Fixtures of all tests. Those on the real server share one, started when the first of them needs it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


SERVER_VERSION_VARIABLE = "CONDUCTOR_TEST_SERVER_VERSION"
SERVER_URL_VARIABLE = "CONDUCTOR_TEST_SERVER_URL"
BACKENDS = ("embedded", "server")

# A busy machine is no reason to fail.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

_SHARED_SERVER = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conductor_async")
    text = "where to run: on the embedded engine (no Java needed), on a real server, or on both"
    group.addoption("--backend", choices=(*BACKENDS, "both"), default="embedded", help=text)
    text = "run only the long tests: fuzzing, faults, starts and stops of real servers. Without it they are left out"
    group.addoption("--thorough", action="store_true", help=text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each test that needs a Conductor on both, unless the test says why not."""
    if "server_url" in metafunc.fixturenames:
        backends = BACKENDS
        for marker in metafunc.definition.iter_markers("only_on"):
            (only,) = marker.args
            backends = tuple(each for each in backends if each == only)
        params = [pytest.param(each, marks=pytest.mark.real_server if each == "server" else ()) for each in backends]
        metafunc.parametrize("server_url", params, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps what `--backend` and `--thorough` ask for. Only tests marked `real_server` need Java."""
    backend: str = config.getoption("--backend")
    thorough: bool = config.getoption("--thorough")

    def is_wanted(item: pytest.Item) -> bool:
        needs_server = item.get_closest_marker("real_server") is not None
        is_thorough = item.get_closest_marker("thorough") is not None
        return is_thorough == thorough and (backend == "both" or needs_server == (backend == "server"))

    unwanted = [item for item in items if not is_wanted(item)]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if is_wanted(item)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Starts one real server for all processes of a parallel run, before the processes start."""
    config = session.config
    is_controller = not hasattr(config, "workerinput") and bool(config.getoption("numprocesses", default=None))
    if is_controller and config.getoption("--backend") != "embedded" and SERVER_URL_VARIABLE not in os.environ:
        config.stash[_SHARED_SERVER] = ExitStack()
        os.environ[SERVER_URL_VARIABLE] = config.stash[_SHARED_SERVER].enter_context(real_server())


def pytest_unconfigure(config: pytest.Config) -> None:
    if (stack := config.stash.get(_SHARED_SERVER, None)) is not None:
        del os.environ[SERVER_URL_VARIABLE]
        stack.close()


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The API's URL of a Conductor: of the embedded engine on a port, or of a real server.

    CONDUCTOR_TEST_SERVER_URL names a real server that is running already.
    """
    if getattr(request, "param", "server") == "embedded":
        with dev_server() as url:
            yield url
    elif url := os.environ.get(SERVER_URL_VARIABLE):
        yield url
    else:
        with real_server() as url:
            yield url


@contextmanager
def real_server() -> Iterator[str]:
    """A real server with its message queues on."""
    from conductor_async.localserver import LocalServer

    version = {"version": os.environ[SERVER_VERSION_VARIABLE]} if SERVER_VERSION_VARIABLE in os.environ else {}
    server = LocalServer(properties={"conductor.workflow-message-queue.enabled": True}, **version)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(server) as running:
        yield running.url


@contextmanager
def dev_server() -> Iterator[str]:
    """What `python -m conductor_async dev` serves, in a process of its own, as others use it."""
    command = [sys.executable, "-m", "conductor_async", "dev", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def new_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes names that no other test uses: `new_name("greet")`."""
    run = uuid.uuid4().hex[:8]
    return lambda what: f"{what}_{run}"


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONDUCTOR_SERVER_URL", "CONDUCTOR_AUTH_KEY", "CONDUCTOR_AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """`Configuration(debug=True)` raises the level for the whole process: not beyond the test that does it."""
    logger = logging.getLogger("conductor_async")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio; `tests/http` and `tests/worker`, where the loop matters, on trio as well."""
    return "asyncio"
