"""Seeds: each run draws its own, and a failure names the one that replays it."""

from __future__ import annotations

import os
import secrets

import pytest

SEED_VARIABLE = "CONDUCTOR_FAULT_SEED"
RUNS_VARIABLE = "CONDUCTOR_FAULT_RUNS"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take a `seed` run with so many of them as CONDUCTOR_FAULT_RUNS says, by default one."""
    if "seed" not in metafunc.fixturenames:
        return
    if given := os.environ.get(SEED_VARIABLE):
        seeds = [int(given)]
    else:
        seeds = [secrets.randbits(32) for _ in range(int(os.environ.get(RUNS_VARIABLE, "1")))]
    # The ids say nothing of the seeds, so that a test has the same name in every run.
    metafunc.parametrize("seed", seeds, ids=[f"run{number}" for number in range(1, len(seeds) + 1)])


@pytest.fixture(autouse=True)
def _the_seed_is_told(request: pytest.FixtureRequest) -> None:
    if "seed" in request.fixturenames:
        # Shown with a failure only.
        print(f"To replay it: {SEED_VARIABLE}={request.getfixturevalue('seed')} pytest '{request.node.nodeid}'")
