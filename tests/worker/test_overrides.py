"""What the environment changes of workers' options: conductor-python's variables, in its order and its units."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from conductor_async import ConductorClient, ConfigurationError, WorkerHost, worker_task
from conductor_async.worker import WorkerOptions
from conductor_async.worker.events import PollSkipped, PollStarted, WorkerEvent
from tests.worker.fake_conductor import FakeConductor


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.lower().startswith(("conductor.worker", "conductor_worker"))]:
        monkeypatch.delenv(name)


def options(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str = "greet", **code: Any) -> Any:
    """The options that a host runs this worker with."""

    @worker_task(name, **code)
    async def greet(who: str = "") -> str:
        return who

    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    host = WorkerHost(ConductorClient("http://localhost:1/api"), [greet])
    assert greet.options == worker_task(name, **code)(greet.function).options, "the worker itself is left as it is"
    [worker] = host.workers
    return worker.options


@pytest.mark.parametrize(
    ("prop", "value", "option", "expected"),
    [
        ("poll_interval_millis", "250", "poll_interval", 0.25),  # D22: documented, and not read
        ("poll_interval", "12.5", "poll_interval", 0.0125),
        ("polling_interval", "0", "poll_interval", 0.0),
        ("poll_timeout", "5000", "poll_timeout", 5.0),
        ("domain", "eu", "domain", "eu"),
        ("domain", "", "domain", None),
        ("worker_id", "me", "worker_id", "me"),
        ("thread_count", "20", "concurrency", 20),
        ("concurrency", " 7 ", "concurrency", 7),
        ("paused", "TRUE", "paused", True),
        ("paused", "off", "paused", False),
        ("register_task_def", "1", "register_task_def", True),
        ("overwrite_task_def", "no", "overwrite_task_def", False),
        ("strict_schema", "yes", "strict_schema", True),
        ("lease_extend_enabled", "false", "lease_extend_enabled", False),
    ],
)
@pytest.mark.parametrize(
    "spelling",
    ["conductor.worker.greet.{}", "CONDUCTOR_WORKER_GREET_{}", "conductor.worker.all.{}", "CONDUCTOR_WORKER_ALL_{}"],
)
def test_each_property_d22(
    monkeypatch: pytest.MonkeyPatch, spelling: str, prop: str, value: str, option: str, expected: Any
) -> None:
    variable = spelling.format(prop.upper() if spelling.isupper() else prop)
    given = options(monkeypatch, {variable: value}, domain="code", worker_id="code")
    assert given == WorkerOptions(**{"domain": "code", "worker_id": "code", option: expected})


BY_PRECEDENCE = [
    "conductor.worker.greet.domain",
    "conductor_worker_greet_domain",
    "CONDUCTOR_WORKER_GREET_DOMAIN",
    "CONDUCTOR_WORKER_greet_DOMAIN",
    "conductor.worker.all.domain",
    "CONDUCTOR_WORKER_ALL_DOMAIN",
    "conductor_worker_domain",
    "CONDUCTOR_WORKER_DOMAIN",
]


@pytest.mark.parametrize("first", range(len(BY_PRECEDENCE)))
def test_the_most_specific_variable_wins(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    variables = {name: name for name in BY_PRECEDENCE[first:]}
    assert options(monkeypatch, variables, domain="code").domain == BY_PRECEDENCE[first]


def test_without_variables_the_code_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"CONDUCTOR_WORKER_OTHER_DOMAIN": "x", "conductor.worker.other.thread_count": "3"}
    assert options(monkeypatch, others, domain="code", concurrency=2).domain == "code"


def test_empty_means_not_set_where_it_cannot_be_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(monkeypatch, {"CONDUCTOR_WORKER_ALL_THREAD_COUNT": ""}, concurrency=2).concurrency == 2


def test_a_name_that_no_shell_takes_has_a_spelling_that_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(monkeypatch, {"CONDUCTOR_WORKER_MY_TASK_DOMAIN": "eu"}, name="my-task").domain == "eu"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("CONDUCTOR_WORKER_ALL_THREAD_COUNT", "many", "THREAD_COUNT must be a whole number of at least 1, not 'many'"),
        ("CONDUCTOR_WORKER_ALL_THREAD_COUNT", "0", "CONDUCTOR_WORKER_ALL_THREAD_COUNT must be"),
        ("CONDUCTOR_WORKER_GREET_THREAD_COUNT", "1.5", "CONDUCTOR_WORKER_GREET_THREAD_COUNT must be"),
        ("conductor.worker.greet.paused", "maybe", "conductor.worker.greet.paused must be true or false, not 'maybe'"),
        ("CONDUCTOR_WORKER_POLL_INTERVAL", "1s", "CONDUCTOR_WORKER_POLL_INTERVAL must be a number of milliseconds"),
        ("CONDUCTOR_WORKER_POLL_INTERVAL", "-1", "CONDUCTOR_WORKER_POLL_INTERVAL must be"),
        ("CONDUCTOR_WORKER_POLL_INTERVAL", "nan", "CONDUCTOR_WORKER_POLL_INTERVAL must be"),
        (
            "CONDUCTOR_WORKER_ALL_POLL_TIMEOUT",
            "5001",
            "POLL_TIMEOUT must be milliseconds, more than 0 and at most 5000",
        ),
    ],
)
def test_a_bad_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        options(monkeypatch, {variable: value})


def test_what_changes_is_logged_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="conductor_async")
    options(monkeypatch, {"CONDUCTOR_WORKER_ALL_THREAD_COUNT": "3", "conductor.worker.greet.domain": "eu"})
    assert (
        "'greet' has options from the environment: domain='eu' (conductor.worker.greet.domain), concurrency=3 (COND"
        in caplog.text
        in caplog.text
    )


def test_a_misspelt_option_of_all_workers_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options(monkeypatch, {"CONDUCTOR_WORKER_ALL_TREAD_COUNT": "3", "CONDUCTOR_WORKER_ALL_REGISTER_SCHEMA": "false"})
    [warning] = caplog.records
    assert warning.getMessage() == (
        "The environment variable CONDUCTOR_WORKER_ALL_TREAD_COUNT sets no option of workers, so it is ignored:"
        " did you mean CONDUCTOR_WORKER_ALL_THREAD_COUNT?"
    )


def test_they_are_read_when_the_host_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    @worker_task("late")
    def late() -> None: ...

    monkeypatch.setenv("CONDUCTOR_WORKER_LATE_THREAD_COUNT", "4")
    host = WorkerHost(ConductorClient("http://localhost:1/api"), [late])
    monkeypatch.setenv("CONDUCTOR_WORKER_LATE_THREAD_COUNT", "5")
    assert [worker.options.concurrency for worker in host.workers] == [4]


def test_two_domains_of_one_worker_clash_when_the_environment_makes_them_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    @worker_task("twice", domain="eu")
    def twice() -> None: ...

    both = [twice, twice.with_options(replace(twice.options, domain="us"))]
    conductor = ConductorClient("http://localhost:1/api")
    assert [worker.options.domain for worker in WorkerHost(conductor, both).workers] == ["eu", "us"]
    monkeypatch.setenv("CONDUCTOR_WORKER_TWICE_DOMAIN", "asia")
    with pytest.raises(ConfigurationError, match="two workers are for the tasks of 'twice' in domain 'asia'"):
        WorkerHost(conductor, both)


@pytest.mark.anyio
async def test_the_host_does_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, told = FakeConductor(), list[WorkerEvent]()
    monkeypatch.setenv("CONDUCTOR_WORKER_JOB_WORKER_ID", "me")
    monkeypatch.setenv("CONDUCTOR_WORKER_JOB_DOMAIN", "eu")
    monkeypatch.setenv("CONDUCTOR_WORKER_JOB_POLL_TIMEOUT", "250")
    monkeypatch.setenv("CONDUCTOR_WORKER_RESTING_PAUSED", "true")

    @worker_task("job")
    async def job() -> None: ...

    @worker_task("resting")
    async def resting() -> None: ...

    async with fake.client() as conductor, WorkerHost(conductor, [job, resting], listeners=[told.append]):
        await fake.until(lambda: len(fake.polls) >= 2)
    assert [dict(poll) for poll in fake.polls[:1]] == [
        {"workerid": "me", "count": "1", "timeout": "250", "domain": "eu"}
    ]
    assert {event.task_type for event in told if isinstance(event, PollStarted)} == {"job"}
    skipped = [(event.task_type, event.paused) for event in told if isinstance(event, PollSkipped)]
    assert skipped == [("resting", True)]
