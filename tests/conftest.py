"""Fixtures of all tests. Those on the real server share one, started when the first of them needs it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


BACKENDS = ("embedded", "server")

# A busy machine is no reason to fail.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "what the tests that need a Conductor run on: the embedded engine, a real server, or one after the other"
    parser.addoption("--backend", choices=(*BACKENDS, "both"), default="both", help=text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that need a Conductor run on both, but for those that say why not."""
    if "server_url" in metafunc.fixturenames:
        chosen: str = metafunc.config.getoption("--backend")
        backends = BACKENDS if chosen == "both" else (chosen,)
        for marker in metafunc.definition.iter_markers("only_on"):
            (only,) = marker.args
            backends = tuple(each for each in backends if each == only)
        metafunc.parametrize("server_url", backends, indirect=True, scope="session")


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The API's URL of a Conductor: of the embedded engine, on a port, and of a real server.

    CONDUCTOR_TEST_SERVER_URL names a real server that runs already.
    """
    if getattr(request, "param", "server") == "embedded":
        with dev_server() as url:
            yield url
    elif url := os.environ.get("CONDUCTOR_TEST_SERVER_URL"):
        yield url
    else:
        from conductor_async.localserver import LocalServer

        with start_blocking_portal() as portal, portal.wrap_async_context_manager(LocalServer()) as server:
            yield server.url


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


@pytest.fixture(params=[pytest.param("asyncio", id="asyncio"), pytest.param("trio", id="trio")])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Tests marked `anyio` run on both event loops."""
    return request.param
