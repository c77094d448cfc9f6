"""Child processes: what a definition computes ends in time, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.engine.sandbox.job import ComputationFailedError, Job, LimitExceededError
from conductor_async.engine.sandbox.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

HOPELESS = ["(a+)+", 0, ["a" * 40 + "b"]]
QUICK = ["a+", 0, ["b", "aa"]]


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool("regex")
    yield pool
    pool.close()


def submitted(pool: Pool, arguments: list[Any], time_limit: float = 30) -> Job:
    job = Job(time_limit, arguments)
    pool.submit(job)
    return job


def test_a_job_that_exceeds_its_time_is_ended_and_the_next_one_runs(pool: Pool) -> None:
    with pytest.raises(LimitExceededError, match="time"):
        submitted(pool, HOPELESS, 0.2).result()
    assert submitted(pool, QUICK).result() is True


def test_jobs_run_while_another_does_not_end(pool: Pool) -> None:
    endless = submitted(pool, HOPELESS)
    assert submitted(pool, QUICK).result() is True
    assert not endless.is_finished
    endless.cancel()
    with pytest.raises(LimitExceededError):
        endless.result()


def test_more_jobs_than_processes_all_finish(pool: Pool) -> None:
    jobs = [submitted(pool, QUICK) for _ in range(20)]
    assert all(job.result() for job in jobs)


def test_a_failure_has_the_message_of_the_library(pool: Pool) -> None:
    with pytest.raises(ComputationFailedError, match="missing \\)"):
        submitted(pool, ["(", 0, []]).result()


def test_a_closed_pool_starts_again(pool: Pool) -> None:
    submitted(pool, HOPELESS)
    pool.close()
    assert submitted(pool, QUICK).result() is True


@pytest.mark.skipif(sys.platform == "win32", reason="asks for child processes")
def test_a_closed_pool_leaves_no_process() -> None:
    program = f"""
import os
from conductor_async.engine.sandbox.pool import Pool
from conductor_async.engine.sandbox.job import Job
pool = Pool("regex")
pool.wait_until_warm(30)
pool.submit(Job(30, {HOPELESS!r}))
pool.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    raise SystemExit(0)
raise SystemExit(1)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_children_of_its_own() -> None:
    program = """
import os, sys
from conductor_async.engine.sandbox.pool import Pool
from conductor_async.engine.sandbox.job import Job
pool = Pool("regex")
def match():
    job = Job(30, ["a+", 0, ["a"]])
    pool.submit(job)
    return job.result()
assert match()
child = os.fork()
if child == 0:
    os._exit(0 if match() else 1)
assert os.waitpid(child, 0)[1] == 0
assert match()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="needs alarms")
def test_a_job_ends_in_time_when_its_parent_is_killed() -> None:
    program = f"""
import json, os, subprocess
from conductor_async.engine.sandbox.pool import Pool
from conductor_async.engine.sandbox.job import Job
pool = Pool("regex")
pool.wait_until_warm(30)
pool.submit(Job(1, {HOPELESS!r}))
listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True)
print(listed.stdout.split()[0])
os.kill(os.getpid(), 9)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    child = int(found.stdout)
    for _ in range(600):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False)
        if re.match(r"[RSD]", state.stdout) is None:
            return
        subprocess.run(["sleep", "0.1"], check=True)
    pytest.fail("the child outlives its parent")
