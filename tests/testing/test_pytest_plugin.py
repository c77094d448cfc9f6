"""The plugin, in pytest runs of their own: its option, its fixtures under both async plugins, what a failure shows."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

ORDERS = """
import pytest
from conductor_async import ConductorWorkflow, SimpleTask
from conductor_async.testing import assert_completed

async def check(conductor_env, conductor):
    assert conductor is conductor_env.client
    conductor_env.mock("charge_%(run)s", output={"receipt": 7})
    workflow = ConductorWorkflow(executor=conductor.executor, name="orders_%(run)s")
    workflow >> SimpleTask("charge_%(run)s", "charge")
    run = await workflow.execute({"order": 1}, timeout=20)
    assert_completed(run, {"receipt": %(receipt)s})
"""

UNDER_ANYIO = """
@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param

@pytest.mark.anyio
async def test_orders(conductor_env, conductor):
    await check(conductor_env, conductor)
"""

UNDER_ASYNCIO = """
@pytest.mark.asyncio
async def test_orders(conductor_env, conductor):
    await check(conductor_env, conductor)
"""

LOOPS = ("-o", "asyncio_default_fixture_loop_scope=function")  # pytest-asyncio warns where it is left out


@pytest.fixture
def run(pytester: pytest.Pytester, new_name: object):
    def run_in(text: str, *options: str, receipt: int = 7) -> pytest.RunResult:
        pytester.makepyfile(ORDERS % {"run": new_name("x"), "receipt": receipt} + text)
        # The plugin comes as users get it: by the entry point of the package that is installed.
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *LOOPS, *options)

    return run_in


@pytest.mark.parametrize(("text", "passed"), [(UNDER_ANYIO, 2), (UNDER_ASYNCIO, 1)], ids=["anyio", "pytest-asyncio"])
def test_each_test_has_an_environment(run, text: str, passed: int) -> None:
    result = run(text)
    result.assert_outcomes(passed=passed)
    assert "conductor:" not in result.stdout.str().partition("collected")[0].replace("conductor-async", "")


def test_an_unknown_conductor_is_rejected_once(run) -> None:
    result = run(UNDER_ASYNCIO, "--conductor=bogus")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = "ERROR: there is no conductor 'bogus': use embedded, local or the URL of a server's API"
    assert result.stderr.str().strip() == said


@pytest.mark.server
def test_the_same_test_on_a_server(run, server_url: str) -> None:
    result = run(UNDER_ASYNCIO, f"--conductor={server_url}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"conductor: {server_url}"])


def test_the_option_in_the_configuration_file(run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nconductor = nowhere\n")
    result = run(UNDER_ASYNCIO)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'nowhere'" in result.stderr.str()
    run(UNDER_ASYNCIO, "--conductor=embedded").assert_outcomes(passed=1)


def test_a_failure_shows_the_execution_without_our_code(run) -> None:
    result = run(UNDER_ASYNCIO, receipt=8)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: The workflow has an unexpected output:",
            "E*output.receipt should be 8, and is 7",
            "E*orders_x_* COMPLETED  (*",
            "E*└─ ✓ charge * COMPLETED",
            'E*output: {"receipt":7}',
        ]
    )
    assert "conductor_async/testing/_assertions.py" not in result.stdout.str()


def test_a_test_that_is_not_async_is_an_error(run) -> None:
    result = run("def test_orders(conductor_env): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*conductor_env is for async tests: mark them with pytest.mark.anyio or*"])
