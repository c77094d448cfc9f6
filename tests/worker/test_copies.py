"""Workers are copied and pickled as functions are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.worker.pickled_workers import Adder, renamed, square


@pytest.mark.parametrize("worker", [square, Adder.twice, Adder.add], ids=["function", "static method", "method"])
def test_a_decorated_function_is_pickled_by_its_name(worker: Any):
    assert pickle.loads(pickle.dumps(worker)) is worker


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
@pytest.mark.parametrize("worker", [square, renamed, Adder(1).add], ids=["function", "renamed", "bound"])
def test_a_copy_is_the_worker_itself(worker: Any, make: Any):
    assert make(worker) is worker


def test_a_worker_with_other_options_keeps_them():
    other = square.with_options(dataclasses.replace(square.options, domain="eu"))
    loaded = pickle.loads(pickle.dumps(other))
    assert (loaded.function, loaded.options) == (square.function, other.options)


def test_a_worker_of_a_method_takes_its_object_along():
    loaded = pickle.loads(pickle.dumps(Adder(3).add))
    assert loaded(4) == 7
    assert loaded.task_definition_name == "add"


def test_a_worker_made_of_another_function():
    loaded = pickle.loads(pickle.dumps(renamed))
    assert (loaded(1), loaded.task_definition_name) == (2, "renamed")


def test_a_process_pool_runs_a_worker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # the process has to find this module
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(square, 3).result() == 9
        assert pool.submit(Adder(3).add, 4).result() == 7
